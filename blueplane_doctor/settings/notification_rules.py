"""Who is to be told, as the settings say it: one rule for each target."""

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import field

from blueplane_doctor.errors import UsageError
from blueplane_doctor.privacy.known_names import NOTIFY_SCHEMES
from blueplane_doctor.privacy.public_text import known
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import Cleaned, Prepared, Secret
from blueplane_doctor.text.patterns import pattern
from blueplane_doctor.text.times import seconds_in

_NEVER = "never"
_URL = pattern(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://\S+\Z")
_QUIET = pattern(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)\Z")
# What reminds more often than that is soon muted, and with it the next incident.
_SHORTEST_REMINDER_SECONDS = 600


def _a_url(value: Secret) -> Secret:
    # The URL is not quoted: it holds secrets.
    if not _URL.match(value.get_secret_value()):
        raise ValueError("must be a URL of apprise, such as ntfy://ntfy.sh/TOPIC")
    return value


def _words(value: Any) -> Any:
    if isinstance(value, str):
        return shlex.split(value)
    return value


def _a_span(value: str) -> str:
    if value == _NEVER:
        return value
    try:
        seconds = seconds_in(value, "remind")
    except UsageError as error:
        raise ValueError(f"{error.message}; {error.hint}") from None
    if seconds < _SHORTEST_REMINDER_SECONDS:
        raise ValueError("must be at least 10m, or never")
    return value


def _hours(value: str) -> str:
    if value and not _QUIET.match(value):
        raise ValueError("must be two times of the day, such as 22:00-07:00")
    return value


class NotifyRule(Record):
    """One target: a URL of the library apprise, or a command that is given JSON on stdin."""

    url: Annotated[Secret, Cleaned(_a_url)] | None = None
    """Where to, as apprise writes it: `ntfy://…`, `mailtos://…`, `slack://…`; it is never shown."""
    command: Annotated[list[str], Prepared(_words)] = []
    """A program and its arguments, run without a shell."""
    least: Literal["yellow", "orange", "red"] = field(default="orange", name="from")
    """The least colour that is told there."""
    remind: Annotated[str, Cleaned(_a_span)] = "24h"
    """How often what lasts is told again, or `never`."""
    quiet: Annotated[str, Cleaned(_hours)] = ""
    """Local time in which only a loss is told: `22:00-07:00`; empty: always."""

    @classmethod
    def prepared(cls, value: Any) -> Any:
        """A URL alone is a rule with the default values."""
        if isinstance(value, str):
            return {"url": value}
        return value

    def __post_init__(self) -> None:
        """A target is one thing."""
        if (self.url is None) is (not self.command):
            raise ValueError("a target has either a url or a command")

    @property
    def kind(self) -> str:
        """What may be said of the target: the scheme of its URL where it is a known one, or `command`."""
        if self.url is None:
            return "command"
        return known(self.url.get_secret_value().partition("://")[0].lower(), NOTIFY_SCHEMES)

    @property
    def address(self) -> str:
        """What tells this target from all others. Private."""
        if self.url is None:
            return shlex.join(self.command)
        return self.url.get_secret_value()

    @property
    def remind_seconds(self) -> float:
        """Seconds between two reminders; 0: none."""
        if self.remind == _NEVER:
            return 0.0
        return seconds_in(self.remind, "remind")

    def is_quiet(self, moment: float) -> bool:
        """Whether the moment, in seconds since 1970, lies in the quiet hours of this machine's time zone."""
        match = _QUIET.match(self.quiet)
        if match is None:
            return False
        first_hour, first_minute, last_hour, last_minute = map(int, match.groups())
        begin = 60 * first_hour + first_minute
        end = 60 * last_hour + last_minute
        local = datetime.fromtimestamp(moment)
        minute = 60 * local.hour + local.minute
        if begin <= end:
            return begin <= minute < end
        return minute >= begin or minute < end  # over midnight


def rules_of(value: Any) -> Any:
    """Rules as an environment variable or `--notify` gives them: URLs between blanks."""
    if isinstance(value, str):
        return value.split()
    if isinstance(value, Mapping):
        return [value]
    return value


def names_a_command(rules: Any) -> bool:
    """Whether one of these rules of a settings file, before it is checked, names a program to run."""
    if isinstance(rules, Mapping):
        rules = [rules]
    if not isinstance(rules, list):
        return False
    return any(isinstance(rule, Mapping) and "command" in rule for rule in rules)

"""What a run goes by: one Settings, and where each value came from.

Flags come before environment variables (`BLUEPLANE_DOCTOR_…`), these before the doctor's own file, that before
Blueplane's `config.yaml`, and defaults last.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple
from urllib.parse import urlsplit

from msgspec import UNSET, Meta, UnsetType

from blueplane_doctor import pipeline
from blueplane_doctor.connection.topology import topology_of
from blueplane_doctor.errors import ConfigUnusable, SettingsError
from blueplane_doctor.files.user_paths import usable_path
from blueplane_doctor.layouts import Route
from blueplane_doctor.model import Status
from blueplane_doctor.pipeline import CLAUDE_FOLDER_VARIABLE
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import Cleaned, InvalidRecord, Prepared, Secret
from blueplane_doctor.settings.files import (
    DOCTOR_FILE,
    home_folder,
    read_config_without,
    read_own_settings,
    refuse_broken_values,
)
from blueplane_doctor.settings.notification_rules import NotifyRule, rules_of
from blueplane_doctor.settings.origins import as_settings_error, claude_folder_values, environment_values, merge
from blueplane_doctor.settings.waivers import WaiverRule
from blueplane_doctor.text.times import span_seconds

_NEVER = "never"
"""The value of `fail_on` with which no finding makes the exit code 1."""
_ONLY_NEW = "new:"
"""What `fail_on` begins with where only what is new makes the exit code 1."""
_LONGEST_SINCE = 3650 * 86_400
SPLIT_SETTINGS = ("select", "ignore", "expected_hooks", "checks", "monitors")
"""Lists that may also come as words in one line, between spaces or commas."""

UserPath = Annotated[Path, Cleaned(usable_path)]
"""A path in which `~` is the user's home."""


def _split(value: Any) -> Any:
    # By comma or space, as environment variables must come.
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return value


def _a_time(value: str) -> str:
    seconds = span_seconds(value)
    if not seconds or seconds > _LONGEST_SINCE:
        raise ValueError("must be a time such as 2h or 7d, at most 3650 days")
    return value


def _checked_url(url: str, schemes: tuple[str, ...]) -> str:
    # The URL is not quoted: it may hold a password.
    expected = f"must be a URL that begins with {', '.join(scheme + '://' for scheme in schemes)}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and parts.port != 0
    except ValueError:
        raise ValueError(f"{expected}, with a number as its port") from None
    if not usable:
        raise ValueError(expected)
    return url


def _a_redis_url(value: str) -> str:
    if "+" in value.partition("://")[0] and topology_of(value):
        return value
    return _checked_url(value, ("redis", "rediss", "unix"))


def _an_http_url(value: str) -> str:
    return _checked_url(value, ("http", "https"))


def _a_secret_http_url(value: Secret) -> Secret:
    _an_http_url(value.get_secret_value())
    return value


_RedisUrl = Annotated[str, Cleaned(_a_redis_url)]
_HttpUrl = Annotated[str, Cleaned(_an_http_url)]
_Words = Annotated[list[str], Prepared(_split)]
_Paths = Annotated[list[UserPath], Prepared(_split)]


class StreamSettings(Record):
    """Names and limits of the streams; null means: find out which layout is there."""

    queue: str | None = None
    """Stream that events are added to."""
    dead_letters: list[str] | None = None
    """Streams of what the writers gave up."""
    group: str | None = None
    """Another name for the writer group `processors`."""
    max_length: Annotated[int, Meta(gt=0)] = pipeline.DEFAULT_MAX_LENGTH
    """MAXLEN of the queue stream: what is beyond it is trimmed, read or not."""
    dead_letter_max_length: Annotated[int, Meta(gt=0)] = pipeline.DEFAULT_DEAD_LETTER_MAX_LENGTH
    """MAXLEN of the dead-letter streams."""


class Settings(Record):
    """Everything a run goes by; frozen."""

    checks_defaults: ClassVar[bool] = True
    home: UserPath = Path("~/.blueplane")
    """Blueplane's home folder."""
    redis_url: _RedisUrl = f"redis://{pipeline.DEFAULT_REDIS_HOST}:{pipeline.DEFAULT_REDIS_PORT}/0"
    """The examined Redis."""
    history_url: _RedisUrl | None = None
    """The Redis that holds the history; null: the examined one."""
    database: UserPath | None = None
    """The telemetry database; default: telemetry.db in the home."""
    http_url: _HttpUrl = f"http://{pipeline.DEFAULT_HTTP_HOST}:{pipeline.DEFAULT_HTTP_PORT}"
    """Where the server answers GET /health."""
    event_buffer: UserPath | None = None
    """Database of events that could not reach Redis; default: event_buffer.db in the home."""
    cursor_hooks: UserPath = Path("~/.cursor/hooks.json")
    """Where Cursor's hooks are installed."""
    claude_projects: UserPath = Path("~/.claude/projects")
    """Where Claude Code keeps its transcripts, one folder for each project."""
    cursor_data: UserPath | None = None
    """Cursor's folder `User` with its databases `state.vscdb`; null: the usual one of this system."""
    claude_settings: UserPath = Path("~/.claude/settings.json")
    """Where Claude Code's hooks are installed."""
    streams: StreamSettings = StreamSettings()
    """Names and limits of the streams."""
    routes: list[Route] | None = None
    """Who writes what and where its rows are; null: the layout's own."""
    instrument_targets: list[pipeline.Target] = []
    """Methods that `instrument` measures beside those it knows; docs/RECORDING.md tells what each says."""
    expected_hooks: _Words = []
    """Cursor hooks that must be active, even if not installed or seen."""
    session_timeout_hours: Annotated[float, Meta(gt=0, le=876_000)] = 24
    """An IDE session without an end that began longer ago than this counts as closed."""
    thresholds: dict[str, dict[str, float | None]] = {}
    """Other numbers for a check's scale, by check id and level."""
    select: _Words = []
    """Checks to run: ids, areas, globs; empty: all."""
    ignore: _Words = []
    """Checks to leave out: ids, areas, globs."""
    checks: _Paths = []
    """Folders or files of your own checks, beside `checks` in the home."""
    monitors: _Paths = []
    """Folders or files of your own monitors, beside `monitors` in the home."""
    fail_on: Literal["yellow", "orange", "red", "never"] = "orange"
    """Colour from which on the exit code is 1, or never; `new:orange`: only what is new or worse than the baseline."""
    fail_on_new: bool = False
    """Whether only what is new or worse than the baseline makes the exit code 1."""
    waivers: list[WaiverRule] = []
    """Findings that do not count for a time: id, reason, owner, expires, when."""
    strict: bool = False
    """Whether unknown and skipped also make the run fail (exit code 3)."""
    timeout: Annotated[float, Meta(gt=0, le=86_400)] = 30
    """Seconds that the whole run may take."""
    since: Annotated[str, Cleaned(_a_time)] = "24h"
    """What editors wrote within this time is compared with what was captured: `2h`, `7d`."""
    notify: Annotated[list[NotifyRule], Prepared(rules_of)] = []
    """Whom `record` and `serve` tell of causes: targets with url or command, from, remind, quiet; docs/NOTIFY.md."""
    heartbeat_url: Annotated[Secret, Cleaned(_a_secret_http_url)] | None = None
    """URL that `record` and `serve` ask after every sample, so that a service outside notices when they stop."""
    machine_name: Annotated[str, Meta(max_length=60)] = ""
    """What messages call this machine; empty: they do not name it."""
    page_url: _HttpUrl | None = None
    """URL of the live page that messages name; default: that of `serve`, where it sends them."""

    origins: dict[str, str] | UnsetType = UNSET
    """Where what was set comes from, by dotted name; UNSET where the settings were not loaded."""
    left_out: dict[str, str] | UnsetType = UNSET
    """What was left out of Blueplane's own file, by dotted name, and why; an empty name is all of it."""

    @classmethod
    def prepared(cls, value: Any) -> Any:
        """`new:red` says two things."""
        word = value.get("fail_on") if isinstance(value, Mapping) else None
        if isinstance(word, str) and word.startswith(_ONLY_NEW):
            return {**value, "fail_on": word.removeprefix(_ONLY_NEW), "fail_on_new": True}
        return value

    def origins_of(self, name: str) -> list[str]:
        """The sources of what was set at or below this dotted name; none where the settings were not loaded."""
        origins: Mapping[str, str] = {}
        if isinstance(self.origins, dict):
            origins = self.origins
        known = set()
        for dotted, origin in origins.items():
            if f"{dotted}.".startswith(f"{name}."):
                known.add(origin)
        return sorted(known)

    @property
    def unused_config(self) -> str:
        """Why Blueplane's own file of settings, or a value in it, was left out; empty where all of it counts."""
        if isinstance(self.left_out, dict):
            return "; ".join(self.left_out.values())
        return ""

    def is_stand_in(self, name: str) -> bool:
        """Whether this setting has its default only because Blueplane's own file, or its value there, was left out."""
        if not isinstance(self.left_out, dict) or self.origins_of(name):
            return False
        return "" in self.left_out or name in self.left_out

    @property
    def failing_status(self) -> Status | None:
        """The colour from which on a finding makes the run fail; None: none does."""
        return None if self.fail_on == _NEVER else Status(self.fail_on)

    @property
    def since_seconds(self) -> float:
        """`since` in seconds."""
        return span_seconds(self.since) or 0

    @property
    def database_file(self) -> Path:
        """The telemetry database."""
        return self.database or self.home / "telemetry.db"

    @property
    def history_redis_url(self) -> str:
        """The Redis that holds the history: the examined one unless another is named."""
        return self.history_url or self.redis_url

    @property
    def buffer_file(self) -> Path:
        """The database of events that could not reach Redis."""
        return self.event_buffer or self.home / "event_buffer.db"

    @property
    def measured_targets(self) -> list[pipeline.Target]:
        """Methods that `instrument` measures: those it knows, then those named here."""
        return [*pipeline.TARGETS, *self.instrument_targets]

    @cached_property
    def check_folders(self) -> list[Path]:
        """Those of the user: `checks` in the home when it is there, then the named ones."""
        return [*_folder_in(self.home, "checks"), *self.checks]

    @cached_property
    def monitor_folders(self) -> list[Path]:
        """Those of the user: `monitors` in the home when it is there, then the named ones."""
        return [*_folder_in(self.home, "monitors"), *self.monitors]


def _folder_in(home: Path, name: str) -> list[Path]:
    """That folder, if it is there."""
    folder = home / name
    return [folder] if os.path.isdir(folder) else []


class Loaded(NamedTuple):
    """Settings with the origin of every value that is not a default, by dotted name."""

    settings: Settings
    origins: dict[str, str]


def load(flags: Mapping[str, Any] | None = None, *, file: Path | None = None, for_examination: bool = False) -> Loaded:
    """Merge all sources. `flags` holds only what was given; `file` replaces `doctor.yaml` of the home.

    `for_examination`: what cannot be used in Blueplane's own file counts as not written there, and `unused_config`
    says so: one broken line must not keep everything else from being examined.

    Raises SettingsError naming the source and the key.
    """
    without: list[ConfigUnusable] = []
    while True:
        try:
            loaded = _load(flags or {}, file, [error.name for error in without])
        except ConfigUnusable as error:
            if not for_examination:
                raise
            without.append(error)
        else:
            left_out = {error.name: error.reason for error in without}
            settings = loaded.settings.model_copy(update={"origins": loaded.origins, "left_out": left_out})
            return Loaded(settings, loaded.origins)


def _load(flags: Mapping[str, Any], file: Path | None, without: Sequence[str]) -> Loaded:
    """`without`: what is left out of Blueplane's own file, by dotted name; an empty name is all of it."""
    given = {name: value for name, value in flags.items() if value is not None}
    environment = environment_values(Settings.model_fields)
    home = home_folder(given.get("home") or environment.get("home") or Settings.model_fields["home"].default)
    own_file = file or home / DOCTOR_FILE
    if file and not os.path.lexists(file):
        raise SettingsError(f"--settings {file}: no such file", "make one with: blueplane-doctor settings --init")
    config_label, config = read_config_without(home, without)
    files = [(config_label, config), (str(own_file), read_own_settings(own_file))]
    for label, values in files:
        if "home" in values:
            raise SettingsError(f"{label}: home cannot be set in a file that is found through it", "use --home")
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    of_claude = (CLAUDE_FOLDER_VARIABLE, claude_folder_values())
    for label, values in (of_claude, *files, ("environment", environment), ("flag", given)):
        refuse_broken_values(label, values)
        merge(merged, values, label, origins)
    try:
        # Not Settings(**merged): a name may be a number there.
        return Loaded(settings=Settings.model_validate(merged), origins=origins)
    except InvalidRecord as error:
        raise as_settings_error(error, Settings, origins, config_label) from None

"""The shared options, declared once; command line, settings, pytest plugin and documents read them here.

Every pytest run of the environment loads this module, so it imports the standard library alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

ENV_PREFIX = "BLUEPLANE_DOCTOR_"


class Scope(StrEnum):
    """Where the environment variable of an option is read."""

    SETTINGS = "settings"
    """With the settings: wherever settings are loaded."""
    COMMANDS = "commands"
    """By every command that takes the option."""
    EXAMINATION = "examination"
    """By the examination alone (no subcommand)."""


class Values(StrEnum):
    """What the value of an option is, for completion in a shell."""

    TEXT = "text"
    FILE = "file"
    FOLDER = "folder"
    CHECK = "check"
    FORMAT = "format"
    COLOUR = "colour"
    NONE = "none"
    """A flag: it has no value."""


class Option(NamedTuple):
    """One shared option."""

    help: str
    metavar: str | None
    """What stands for the value in help texts; None: a flag."""
    values: Values
    scope: Scope
    short: str
    """The short form, such as `-f`; empty: none."""
    negative: bool
    """Whether `--no-NAME` exists too."""
    in_pytest: bool
    """Whether `pytest --blueplane-NAME` exists too."""
    name: str = ""
    """As an attribute of `Options`, with underscores."""
    type: Any = None
    """Type of the attribute."""

    @property
    def flag(self) -> str:
        """As it is typed: `--redis-url`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return ENV_PREFIX + self.name.upper()

    @property
    def repeatable(self) -> bool:
        """Whether it may be given several times; the values add up."""
        return "list[" in str(self.type)


def _option(
    help_text: str,
    metavar: str | None = None,
    values: Values = Values.TEXT,
    scope: Scope = Scope.SETTINGS,
    *,
    short: str = "",
    negative: bool = False,
    in_pytest: bool = True,
) -> Any:
    option = Option(help_text, metavar, values, scope, short, negative, in_pytest)
    return field(default=None, metadata={"option": option})


@dataclass(frozen=True)
class Options:
    """The values of the shared options; None: not given."""

    redis_url: str | None = _option("The Redis to examine.", "URL")
    history_url: str | None = _option("The Redis that holds the history, default: the examined one.", "URL")
    database: Path | None = _option("The telemetry database.", "FILE", Values.FILE)
    home: Path | None = _option("Blueplane's home, default ~/.blueplane.", "DIR", Values.FOLDER)
    settings: Path | None = _option(
        "The doctor's settings, default doctor.yaml in the home.", "FILE", Values.FILE, Scope.COMMANDS
    )
    checks: list[Path] | None = _option("Your own checks: a folder or file; repeatable.", "DIR", Values.FILE)
    monitors: list[Path] | None = _option("Your own monitors: a folder or file; repeatable.", "DIR", Values.FILE)
    select: list[str] | None = _option("Run only these: ids, areas, globs; repeatable.", "WORDS", Values.CHECK)
    ignore: list[str] | None = _option("Leave these out: ids, areas, globs; repeatable.", "WORDS", Values.CHECK)
    fail_on: str | None = _option(
        "Exit with 1 from here on: yellow, orange (default), red, never, new:COLOUR.", "COLOUR", Values.COLOUR
    )
    strict: bool | None = _option("Exit with 3 for unknown and skipped too.", None, Values.NONE, negative=True)
    timeout: float | None = _option("Seconds for the whole run, default 30.", "SECONDS")
    since: str | None = _option(
        "Compare what editors wrote within this time with what was captured, default 24h: 2h, 7d.", "TIME"
    )
    notify: list[str] | None = _option(
        "Tell this target of causes: a URL of apprise, see docs/NOTIFY.md; repeatable.", "URL", in_pytest=False
    )
    format: str | None = _option(
        "Format on stdout, default table.", "NAME", Values.FORMAT, Scope.EXAMINATION, short="-f", in_pytest=False
    )
    output: list[Path] | None = _option(
        "Write the report to a file as well, in the format of its suffix; repeatable.",
        "FILE",
        Values.FILE,
        Scope.EXAMINATION,
        short="-o",
        in_pytest=False,
    )
    baseline: Path | None = _option(
        "Mark what is new, worse, same, better or fixed compared with this report.",
        "REPORT.json",
        Values.FILE,
        Scope.EXAMINATION,
    )
    waivers: Path | None = _option("Waivers kept beside the code: a YAML list.", "FILE", Values.FILE, Scope.EXAMINATION)
    wait: str | None = _option(
        "Examine again until the run would not fail, at most so long: 60s, 5m.",
        "TIME",
        Values.TEXT,
        Scope.EXAMINATION,
        in_pytest=False,
    )
    every: str | None = _option(
        "Time between two examinations of --wait, default 2s.", "TIME", Values.TEXT, Scope.EXAMINATION, in_pytest=False
    )
    save_evidence: Path | None = _option(
        "Keep what was read (no payloads), to judge it again later.",
        "FILE",
        Values.FILE,
        Scope.EXAMINATION,
        in_pytest=False,
    )
    from_evidence: Path | None = _option(
        "Judge what --save-evidence kept; nothing is read but this file.", "FILE", Values.FILE, Scope.EXAMINATION
    )
    verbose: bool | None = _option(
        "Show green findings too.", None, Values.NONE, Scope.COMMANDS, short="-v", in_pytest=False
    )
    quiet: bool | None = _option(
        "Show the verdict alone.", None, Values.NONE, Scope.COMMANDS, short="-q", in_pytest=False
    )
    reveal: bool | None = _option(
        "Show, on a terminal alone, which folder each numbered project or workspace is.",
        None,
        Values.NONE,
        Scope.EXAMINATION,
        in_pytest=False,
    )

    def given(self) -> dict[str, Any]:
        """The values that were given, by name."""
        values = {}
        for name in OPTIONS:
            value = getattr(self, name)
            if value is not None:
                values[name] = value
        return values

    def settings_flags(self) -> dict[str, Any]:
        """Those that are settings, as `settings.load` takes them."""
        flags = {}
        for name, value in self.given().items():
            if OPTIONS[name].scope is Scope.SETTINGS:
                flags[name] = value
        for name in ("select", "ignore"):
            if name in flags:
                flags[name] = ",".join(flags[name])
        return flags


def _described() -> Iterator[Option]:
    for attribute in fields(Options):
        option: Option = attribute.metadata["option"]
        yield option._replace(name=attribute.name, type=attribute.type)


OPTIONS = {option.name: option for option in _described()}
"""The table, in the order of the help texts."""

COMMAND_LINE_VARIABLES = frozenset(option.variable for option in OPTIONS.values() if option.scope is not Scope.SETTINGS)
"""Variables that are no settings: only the command line reads them."""


def merged(earlier: Options, later: Options) -> Options:
    """Both together: of a value given twice the later one counts, lists add up."""
    values = earlier.given()
    for name, value in later.given().items():
        if OPTIONS[name].repeatable and name in values:
            value = [*values[name], *value]
        values[name] = value
    return Options(**values)


PIPELINE = ("redis_url", "database", "home", "settings")
"""Options that name the pipeline and its settings."""
SELECTION = ("checks", "monitors", "select", "ignore")
VERDICT = ("fail_on", "strict")
EXAMINING = (*PIPELINE, "history_url", "timeout", *SELECTION)
"""Options of a command that examines the whole pipeline."""

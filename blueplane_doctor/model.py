"""What the doctor says: Status, Finding, Report. No part of the pipeline is known here."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal

from msgspec import UNSET, UnsetType

from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import Prepared

SCHEMA_VERSION = 2


def descriptions_of(record: type) -> dict[str, str]:
    """The docstring under each attribute of a class; empty where the source was not shipped."""
    try:
        source = textwrap.dedent(inspect.getsource(record))
    except (OSError, TypeError):
        return {}
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    descriptions = {}
    for attribute, below in pairwise(body.body):
        if not isinstance(attribute, ast.AnnAssign) or not isinstance(attribute.target, ast.Name):
            continue
        text = below.value if isinstance(below, ast.Expr) else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            descriptions[attribute.target.id] = inspect.cleandoc(text.value)
    return descriptions


class Status(StrEnum):
    """A verdict. The four colours were judged; the other four say why nothing was."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    UNKNOWN = "unknown"
    """Looked, and could not tell; the finding's cause says why."""
    SKIPPED = "skipped"
    """Something that the check needs was missing; the cause says what."""
    NOT_SET_UP = "not_set_up"
    """It rests on an optional part (recorder, history) that was never set up: an offer, not a worry."""
    ERROR = "error"
    """The check itself broke."""

    @property
    def severity(self) -> int:
        """0 (green) to 3 (red); -1 for what was not judged."""
        return _COLOURS.index(self) if self in _COLOURS else -1

    @property
    def words(self) -> str:
        """The status as people read it: `not set up`."""
        return self.value.replace("_", " ")

    @property
    def display_rank(self) -> int:
        """Position when findings are listed worst first."""
        return _DISPLAY.index(self)


_COLOURS = (Status.GREEN, Status.YELLOW, Status.ORANGE, Status.RED)
_DISPLAY = tuple(map(Status, ("red", "orange", "error", "yellow", "unknown", "skipped", "not_set_up", "green")))


class Remedy(Record):
    """What to do about a finding."""

    text: str
    """One or two sentences."""
    commands: list[str] = []
    """Commands that are safe to copy: they read, or they start what should be running."""


class Waiver(Record):
    """Why a finding does not count for a time."""

    reason: str
    owner: str = ""
    expires: str = ""
    """The day from which on the finding counts again, `YYYY-MM-DD`; empty: it never does."""


class Change(StrEnum):
    """A finding beside that of the same check in an earlier report."""

    NEW = "new"
    WORSE = "worse"
    SAME = "same"
    BETTER = "better"
    FIXED = "fixed"


class Bound(Record):
    """Where a level of a scale begins."""

    value: float
    """In the scale's unit."""
    inclusive: bool
    """True: the level begins at the value itself; false: only beyond it."""


class Grading(Record):
    """The scale by which a value was graded, as numbers; `scales.scale_words` puts it into words."""

    direction: Literal["rising", "falling", "states"]
    """`rising`: more is worse; `falling`: less is worse; `states`: the value is one of `words`."""
    unit: str = ""
    """Of the bounds; empty for states."""
    bounds: dict[str, Bound] = {}
    """Where each level (`yellow`, `orange`, `red`) begins, best first; a level that is not there is never reached."""
    words: dict[str, Status] = {}
    """For states: each state, and its colour."""


_LARGEST_NUMBER = 10**300
"""What every format can show; a float holds hardly more."""


def _is_in_bounds(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_in_bounds, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_in_bounds, value))
    if isinstance(value, int):
        return -_LARGEST_NUMBER < value < _LARGEST_NUMBER
    return True


def _in_bounds(value: Any) -> Any:
    """Own checks may give any number: one of hundreds of digits breaks whoever reads it."""
    if not _is_in_bounds(value):
        raise ValueError("it holds a whole number of more than 300 digits")
    return value


def _showable(value: Any) -> Any:
    """What own checks give as evidence, with names that JSON has: they count by whatever they read, by None too."""
    if isinstance(value, Mapping):
        shown = {}
        for name, member in value.items():
            if name is None or isinstance(name, bool | tuple):
                name = str(name)
            shown[_showable(name)] = _showable(member)
        return shown
    if isinstance(value, list):
        return [_showable(member) for member in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode(errors="replace")
    return _in_bounds(value)


class Finding(Record):
    """The result of one check. A check makes it through its Scale; the engine adds id, area and duration."""

    status: Status
    summary: str
    """One sentence for a tired person: the number first, then what it means."""
    observed: Annotated[float | int | str | None, Prepared(_in_bounds)] = None
    """The value that was judged, in `unit`; null when there was none."""
    unit: str = ""
    scale: Grading | None = None
    """The scale in force, thresholds of the settings included; null when nothing was graded by one."""
    cause: str = ""
    """Yellow or worse: the id of the cause that explains it, empty where none does. Unknown, skipped, not_set_up and
    error: why nothing was judged."""
    remedy: Remedy | None = None
    part: str = ""
    """For not_set_up: the optional part that it rests on, `the recorder` or `the history`."""
    evidence: Annotated[dict[str, Any], Prepared(_showable)] = {}
    """What was read to arrive here: names, counts, times; never payload text."""
    id: str = ""
    area: str = ""
    duration_ms: float = 0.0
    """Its share, in milliseconds, of the time that reading took: what several checks need is split among them."""
    waiver: Waiver | None = None
    """Set when the finding is waived: it is shown, and does not count."""
    change: Change | None = None
    """Beside a baseline report, where there is one."""


class Stake(Record):
    """Messages that a cause concerns; null where that is not known, or does not apply."""

    at_risk: int | None = None
    """Not written yet, and lost if nothing is done."""
    lost: int | None = None
    """Gone from the pipeline: neither waiting nor written."""
    recoverable: int | None = None
    """Of the lost ones, those that a stream still holds, so that they can be saved."""
    dead_lettered: int | None = None
    """Given up to a dead-letter stream, which holds them, and not written: they can be delivered again."""


SinceBound = Literal["", "at the earliest", "at the latest"]


class Cause(Record):
    """What the user has to know: a fault of the pipeline, and the findings that follow from it.

    A cause function makes it; the engine adds id, title, status, explains and leads_to. A function may give a status of
    its own, where several causes have a part in one finding.
    """

    summary: str
    """One sentence: what is wrong, with its numbers and IDs."""
    since: str | None = None
    """ISO 8601, UTC; null where nothing tells it."""
    since_by: str = ""
    """What tells it: `the oldest message that is stuck`."""
    since_bound: SinceBound = ""
    """`at the earliest` or `at the latest` where `since` only bounds when it began; empty where it is the time."""
    certain: bool = True
    """False: it is likely, and `confirm` says what would make it certain."""
    confirm: str = ""
    at_stake: Stake = Stake()
    next_step: Remedy | None = None
    """What to do first; its first command is the one that is shown at a glance."""
    repair: str | UnsetType | None = UNSET
    """For the engine alone: what follows `blueplane-doctor repair`, where that is not what the decorator says.

    Empty: here a repair would find nothing to do."""
    id: str = ""
    title: str = ""
    """The cause in a few words: `The server does not run`. A function that tells several may give each its own."""
    status: Status = Status.UNKNOWN
    """The worst of the findings that it explains, or what the cause function gave."""
    explains: list[str] = []
    """Ids of the findings that follow from it. A function may name its own signs here, where they are not all of its
    kind's."""
    leads_to: list[str] = []
    """Ids of other causes that follow from it, and are not shown for themselves."""


class StatusChange(Record):
    """The report, a cause or a check has another status than in the sample before, as the history tells."""

    at: str
    """Time of the first sample that shows it: ISO 8601, UTC."""
    kind: str
    """`report`, `cause` or `check`."""
    id: str = ""
    """Of the cause or check; empty for the report."""
    title: str = ""
    """Of the cause or check."""
    before: Status | None
    """Green also for what was not there; null where nothing was recorded before."""
    after: Status
    """Green also for what is over."""


class Tool(Record):
    """The program that made a report."""

    name: str = "blueplane-doctor"
    version: str


class Report(Record):
    """All results of one run; every renderer shows this and counts nothing itself."""

    schema_version: int = SCHEMA_VERSION
    tool: Tool
    generated_at: str
    """When the examination began, also of a report from kept evidence: ISO 8601, UTC."""
    duration_ms: float
    """Time that reading took, in milliseconds."""
    status: Status
    """Red or orange when a finding is; else `unknown` when something vital was not judged; else the worst colour."""
    headline: str = ""
    """The verdict in one sentence; it says so when only some of the checks ran."""
    exit_code: int
    counts: dict[str, int]
    """Number of findings for each status; those that are waived are counted as `waived` alone."""
    since: str | None = None
    """Since when the worst of the causes is there: ISO 8601, UTC; null where that is not known."""
    since_bound: SinceBound = ""
    """As that of a cause: whether `since` is the time, or a bound of it."""
    causes: list[Cause] = []
    """Worst first. Each finding of yellow or worse is explained by one of them, or stands for itself."""
    known_causes: list[str] = []
    """Ids of all causes that were looked for, in order of name."""
    changes: list[StatusChange] = []
    """What changed within the last day, oldest first, as the history tells; empty without one."""
    findings: list[Finding] = []
    """Worst first, then by area and id."""
    metrics: dict[str, dict[str, Any] | None] = {}
    """Health records by name; null for one that could not be read or that no selected check needs."""
    baseline: str | None = None
    """When the report was made that the findings' `change` compares with."""
    other_thresholds: list[str] = []
    """Checks that judged kept evidence by other thresholds than those in force when it was taken."""

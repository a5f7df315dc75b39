"""Show how recorded metrics went, or when causes and checks changed their status."""

import gc
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import ExitCode, UsageError, did_you_mean
from blueplane_doctor.history import shapes
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import MINUTE, RETENTION
from blueplane_doctor.readings import shown_metric
from blueplane_doctor.sources.redis_room import NOT_READ, refuse_where_full
from blueplane_doctor.text.console import complain, show, show_json
from blueplane_doctor.text.quantities import many
from blueplane_doctor.text.times import seconds_in

if TYPE_CHECKING:
    from blueplane_doctor.settings.values import Settings

COMMAND = new_command(__doc__)
_START = "start it with blueplane-doctor record, or let cron run blueplane-doctor record --once every minute"
_POINTS = 60
"""Values that a table shows of one metric, at most, unless --step says otherwise."""
_SHAPES: Mapping[str, Callable[..., str]] = {
    "table": shapes.table,
    "json": shapes.as_json,
    "csv": shapes.as_csv,
}


@command(
    COMMAND,
    "redis_url",
    "history_url",
    "home",
    "settings",
    "timeout",
    formats=tuple(_SHAPES),
)
def history(
    given: Invocation,
    metrics: Annotated[
        list[str] | None, typer.Argument(metavar="METRIC", help="For example queue.queue_depth; globs too.")
    ] = None,
    since: Annotated[str, typer.Option("--since", help="How far back, at most 7d.", metavar="SPAN")] = "24h",
    step: Annotated[
        str | None,
        typer.Option("--step", help="Time that one value stands for; default: what fits.", metavar="SPAN"),
    ] = None,
    list_metrics: Annotated[bool, typer.Option("--list", help="List what is recorded and end.")] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Show when causes and checks changed their status, and end.")
    ] = False,
) -> int:
    """Exit code 3 when nothing was recorded."""
    gc.disable()  # a week is ten thousand replies, kept to the end of a short process: looking for garbage is wasted
    if not metrics and not list_metrics and not status:
        raise UsageError(
            "history: name at least one metric, or --status", "see the metrics: blueplane-doctor history --list"
        )
    span, width = _span(since, step)
    settings = given.load().settings
    with closing(HealthMetricsStorage(settings.history_redis_url, settings.timeout)) as storage:
        refuse_where_full(storage.connection, NOT_READ)
        known = storage.metrics()
        if not known:
            complain(f"there is no history in Redis at {storage.connection.address}", _START)
            code = ExitCode.NOT_JUDGED
        elif list_metrics:
            _list(known, given.format)
            code = ExitCode.OK
        elif status:
            code = _show_statuses(storage, settings, span, given.format)
        else:
            code = _show(storage, matching(metrics or [], known), metrics or [], span, width, given.format)
        if storage.left_out:
            count = many(storage.left_out, "entry or name", "entries or names")
            complain(f"the history holds {count} that no recorder wrote; left out")
        return code


def _list(known: list[str], form: str) -> None:
    if form == "json":
        show_json(list(map(_shown, known)))
        return
    for name in known:
        show(f"{_shown(name)}\n")


def _show(
    storage: HealthMetricsStorage, metrics: list[str], typed: list[str], span: int, step: int, form: str
) -> ExitCode:
    until = time.time()
    read = storage.read_many(metrics, until - span, until, step)
    shown = {}
    for name, points in read.items():
        shown[_shown(name, typed)] = points
    show(_SHAPES[form](shown, step))
    for points in read.values():
        if any(value is not None for _, value in points):
            return ExitCode.OK
    complain("nothing was recorded in this time", f"a longer --since; if nobody records, {_START}")
    return ExitCode.NOT_JUDGED


def _show_statuses(storage: HealthMetricsStorage, settings: "Settings", span: int, form: str) -> ExitCode:
    # With every check and cause, for their titles: the other ways of this command do without.
    from blueplane_doctor.judging.status_history import status_history

    now = time.time()
    text, is_recorded = status_history(storage, settings, now - span, now, form)
    show(text)
    if is_recorded:
        return ExitCode.OK
    complain("nothing was recorded in this time", f"a longer --since; if nobody records, {_START}")
    return ExitCode.NOT_JUDGED


def _shown(name: str, typed: Collection[str] = ()) -> str:
    """A metric's name as it may be shown: whoever may write to Redis may have made one up.

    A name that was typed, and any on a terminal, is shown as it is: monitors of one's own have metrics too.
    """
    if name in typed or sys.stdout.isatty():
        return name
    return shown_metric(name)


def _span(since: str, step: str | None) -> tuple[int, int]:
    """Seconds to look back, and of a step. Raises UsageError."""
    span = int(seconds_in(since, "--since"))
    if not MINUTE <= span <= RETENTION:
        raise UsageError(
            f"--since {since}: the history keeps one sample a minute, for seven days", "a time from 1m to 7d"
        )
    if step is None:
        minutes_a_step = -(-span // MINUTE // _POINTS)  # rounded up
        return span, max(1, minutes_a_step) * MINUTE
    width = seconds_in(step, "--step")
    if not width or width % MINUTE:
        raise UsageError(f"--step {step}: the history keeps whole minutes", "for example 1m, 5m, 1h")
    return span, int(width)


def matching(words: list[str], known: list[str]) -> list[str]:
    """The metrics that these names and globs mean, each once, in the order given. Raises UsageError."""
    chosen: dict[str, None] = {}
    for word in words:
        matches = [name for name in known if fnmatchcase(name, word)]
        if not matches:
            # `dlq_size` is nearer to `queue.dlq_size` than its letters say.
            with_area = [name for name in known if name.endswith(f".{word}")]
            likely = with_area[0] if with_area else word
            public = [name for name in known if shown_metric(name) == name]
            hint = did_you_mean(likely, public, "see: blueplane-doctor history --list", 0.5)
            raise UsageError(f"history: {word!r} is not recorded", hint)
        chosen |= dict.fromkeys(matches)
    return list(chosen)

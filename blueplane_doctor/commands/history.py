"""`history`: recorded metrics as sparklines, JSON or CSV. Imports as little as it can: it is to start at once."""

import time
from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import command, complain, invocation, show
from blueplane_doctor.errors import ExitCode, UsageError, did_you_mean
from blueplane_doctor.times import seconds_in

if TYPE_CHECKING:
    from blueplane_doctor.history.health_storage import HealthMetricsStorage

_START = "start it with `blueplane-doctor record`, or let cron run `blueplane-doctor record --once` every minute"


class Shape(StrEnum):
    """Formats of the output."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@command("history", "Show how recorded metrics went.")
def history(
    context: typer.Context,
    metrics: Annotated[
        list[str] | None, typer.Argument(metavar="METRIC…", help="For example queue.queue_depth; globs too.")
    ] = None,
    since: Annotated[str, typer.Option("--since", help="How far back, at most 7d.", metavar="SPAN")] = "24h",
    step: Annotated[
        str | None,
        typer.Option("--step", help="Time that one value stands for; default: what fits.", metavar="SPAN"),
    ] = None,
    shape: Annotated[Shape, typer.Option("--format", "-f", help="Format on stdout.")] = Shape.TABLE,
    list_metrics: Annotated[bool, typer.Option("--list", help="List what is recorded and end.")] = False,
) -> int:
    import gc

    from blueplane_doctor.history.health_storage import HealthMetricsStorage
    from blueplane_doctor.history.place import history_url

    gc.disable()  # a week is ten thousand replies, kept to the end of a short process: looking for garbage is wasted
    if not metrics and not list_metrics:
        raise UsageError("history: name at least one metric", "see: blueplane-doctor history --list")
    span, width = _span(since, step)
    with closing(HealthMetricsStorage(history_url(invocation(context)))) as storage:
        known = storage.metrics()
        if not known:
            complain(f"there is no history in Redis at {storage.link.address}", _START)
            return ExitCode.NOT_JUDGED
        if list_metrics:
            show("".join(f"{name}\n" for name in known))
            return ExitCode.OK
        return _show(storage, _meant(metrics or [], known), span, width, shape)


def _show(storage: "HealthMetricsStorage", metrics: list[str], span: int, step: int, shape: Shape) -> int:
    from blueplane_doctor.history import shapes

    until = time.time()
    read = storage.read_many(metrics, until - span, until, step)
    show({Shape.TABLE: shapes.table, Shape.JSON: shapes.as_json, Shape.CSV: shapes.as_csv}[shape](read, step))
    if all(value is None for points in read.values() for _, value in points):
        complain("nothing was recorded in this time", f"a longer --since; if nobody records, {_START}")
        return ExitCode.NOT_JUDGED
    return ExitCode.OK


def _span(since: str, step: str | None) -> tuple[int, int]:
    """Seconds to look back, and of a step."""
    from blueplane_doctor.history.samples import MINUTE, RETENTION

    span = int(seconds_in(since, "--since"))
    if not MINUTE <= span <= RETENTION:
        raise UsageError(f"--since {since}: the history holds minutes, of seven days", "from 1m to 7d")
    if step is None:
        return span, max(1, -(-span // MINUTE // 60)) * MINUTE
    width = seconds_in(step, "--step")
    if not width or width % MINUTE:
        raise UsageError(f"--step {step}: the history keeps whole minutes", "for example 1m, 5m, 1h")
    return span, int(width)


def _meant(words: list[str], known: list[str]) -> list[str]:
    """The metrics that these names and globs mean, each once, in the order given."""
    from fnmatch import fnmatchcase

    meant: dict[str, None] = {}
    for word in words:
        found = [name for name in known if fnmatchcase(name, word)]
        if not found:
            meant_by = next((name for name in known if name.endswith("." + word)), word)
            hint = did_you_mean(meant_by, known, "see: blueplane-doctor history --list", 0.5)
            raise UsageError(f"history: {word!r} is not recorded", hint)
        meant |= dict.fromkeys(found)
    return list(meant)

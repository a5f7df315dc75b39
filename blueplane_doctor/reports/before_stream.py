"""The stage before the stream: what editors hold, and what became of it, as far as it is known.

A report may have been read from a file that anybody wrote: what is no table of numbers is left out.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from blueplane_doctor.reports.custody_charts import strip_parts
from blueplane_doctor.text.quantities import many, number

_KINDS = {"written": "done", "in_stream": "open", "too_young": "open", "dead_lettered": "late", "missing": "break"}
"""What the colour of a state stands for; any other is `aside`."""
_PARTS_OF_A_BAR = {
    "written": ("written",),
    "waiting": ("in_stream", "too_young"),
    "dead_lettered": ("dead_lettered",),
    "broken": ("missing",),
}
"""Which parts of the bar chart, as the chain's is drawn, stand for which states; the rest of a bar is set aside."""


class _Source(NamedTuple):
    """Where a record stands among the metrics, and the words for what it counts."""

    record: str
    states: str
    """Its field with the numbers by state."""
    name: str
    one: str
    more: str


_SOURCES = (
    _Source("transcripts", "states", "Claude's transcripts", "line", "lines"),
    _Source("cursor", "by_outcome", "Cursor's databases", "item", "items"),
)


class SourceStage(NamedTuple):
    """What one kind of source holds."""

    record: str
    name: str
    since: str
    """The window, such as `24h`."""
    total: str
    """`5,004 lines`."""
    missing: int
    equation: str
    """`5,004 lines = 4,812 written + 192 missing`."""
    parts: list[dict[str, Any]]
    """The states as one bar, in percent."""


def before_stream(metrics: Mapping[str, Any]) -> list[SourceStage]:
    """The sources that hold anything; empty where none was looked at."""
    stages = []
    for source in _SOURCES:
        record = metrics.get(source.record)
        if not isinstance(record, Mapping):
            continue
        states = _counts(record.get(source.states))
        if states:
            stages.append(_stage(source, str(record.get("since") or ""), states))
    return stages


class LineTimes(NamedTuple):
    """Lines of Claude's transcripts by ten minutes."""

    bars: list[dict[str, Any]]
    """As the bar chart takes them."""
    rows: list[dict[str, Any]]
    """Each with its start, its lines and its states."""


def lines_by_time(metrics: Mapping[str, Any]) -> LineTimes:
    """Both are empty where no time is known."""
    times = LineTimes([], [])
    record = metrics.get("transcripts")
    if not isinstance(record, Mapping) or not isinstance(record.get("buckets"), list):
        return times
    for bucket in record["buckets"]:
        if isinstance(bucket, Mapping):
            start = str(bucket.get("start") or "")
            states = _counts(bucket.get("states"))
            times.bars.append(_bar(start, states))
            times.rows.append({"start": start, "lines": sum(states.values()), **states})
    return times


def _bar(start: str, states: dict[str, int]) -> dict[str, Any]:
    bar: dict[str, Any] = {"start": start, "enqueued": sum(states.values())}
    for part, names in _PARTS_OF_A_BAR.items():
        bar[part] = sum(states.get(name, 0) for name in names)
    return bar


def _counts(states: object) -> dict[str, int]:
    counts: dict[str, int] = {}
    if not isinstance(states, Mapping):
        return counts
    for state, count in states.items():
        if isinstance(count, int) and not isinstance(count, bool) and count > 0:
            counts[str(state)] = count
    return counts


def _stage(source: _Source, since: str, states: dict[str, int]) -> SourceStage:
    total = many(sum(states.values()), source.one, source.more)
    terms = []
    for state, count in states.items():
        terms.append(f"{number(count)} {state.replace('_', ' ')}")
    return SourceStage(
        record=source.record,
        name=source.name,
        since=since,
        total=total,
        missing=states.get("missing", 0),
        equation=f"{total} = {' + '.join(terms)}",
        parts=strip_parts(states, _KINDS),
    )

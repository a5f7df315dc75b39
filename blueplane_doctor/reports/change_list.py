"""Status changes, and what people were told of them, for `history --status`: a table, JSON, CSV."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from blueplane_doctor.model import StatusChange
from blueplane_doctor.reports import change_phrases
from blueplane_doctor.reports.told_messages import ToldLine
from blueplane_doctor.text.times import iso_of_seconds, parse_time

_Gap = tuple[int, int]
"""Seconds since 1970 of the last sample before a time without samples, and of the first one after it."""


class _Line(NamedTuple):
    moment: float
    """Seconds since 1970, by which lines are ordered."""
    what: str
    how: str


def as_table(changes: Sequence[StatusChange], gaps: Sequence[_Gap], told: Sequence[ToldLine]) -> str:
    """A line for each change, oldest first, and one for each time without samples and for each message."""
    lines = [*map(_line_of, changes), *map(_line_of_gap, gaps), *map(_line_of_message, told)]
    if not lines:
        return "No status changed in this time.\n"
    lines.sort(key=lambda one: one.moment)
    width = max(len(one.what) for one in lines)
    text = "time (UTC)\n"
    before = ""
    for one in lines:
        moment = _clock(one.moment)
        # One sample shows many changes at once: its time is told once.
        shown = "" if moment == before else moment
        text += f"{shown:16}  {one.what:{width}}  {one.how}\n"
        before = moment
    return text


def as_json(changes: Sequence[StatusChange], gaps: Sequence[_Gap], told: Sequence[ToldLine]) -> str:
    """The changes as a report has them, the times without samples, and the messages to people."""
    changed = []
    for change in changes:
        changed.append(change.model_dump())
    unrecorded = []
    for before, after in gaps:
        unrecorded.append({"from": iso_of_seconds(before), "until": iso_of_seconds(after)})
    messages = []
    for message in told:
        messages.append(message._asdict())
    content = {
        "schema_version": 1,
        "changes": changed,
        "gaps": unrecorded,
        "told": messages,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def as_csv(changes: Sequence[StatusChange], gaps: Sequence[_Gap], told: Sequence[ToldLine]) -> str:
    """A line for each change; neither times without samples nor messages are in it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", "kind", "id", "before", "after"])
    for change in changes:
        before = "" if change.before is None else change.before.value
        writer.writerow([change.at, change.kind, change.id, before, change.after.value])
    return out.getvalue()


def _line_of(change: StatusChange) -> _Line:
    return _Line(_seconds(change.at), change_phrases.what(change), change_phrases.how(change))


def _line_of_gap(gap: _Gap) -> _Line:
    before, after = gap
    return _Line(before, "nothing was recorded", f"until {_clock(after)}")


def _line_of_message(message: ToldLine) -> _Line:
    return _Line(_seconds(message.at), f"told {message.words}", message.outcome)


def _seconds(text: str) -> float:
    moment = parse_time(text)
    return moment.timestamp() if moment else 0.0


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


SHAPES: Mapping[str, Callable[[Sequence[StatusChange], Sequence[_Gap], Sequence[ToldLine]], str]] = {
    "table": as_table,
    "json": as_json,
    "csv": as_csv,
}

"""Phrases that formats share, and text of a report made fit to be shown: it is taken for hostile."""

from collections.abc import Mapping
from typing import Any

from blueplane_doctor.metrics import UNSPOKEN_UNITS
from blueplane_doctor.model import Report
from blueplane_doctor.readings import field_metric
from blueplane_doctor.text import quantities
from blueplane_doctor.text.characters import plain, without_commands
from blueplane_doctor.text.times import parse_time, span, to_milliseconds
from blueplane_doctor.verdict import HEALTH

GONE = ("trimmed_unread", "payload_gone")
"""States beside those of the messages that the stream holds."""
_SEPARATORS = str.maketrans("\u2028\u2029", "\N{REPLACEMENT CHARACTER}" * 2)
_IDENTIFIERS = ("pid", "port", "id")
"""Last words of names of fields whose numbers name something: they have no thousands commas."""
_UNITS = {
    "_events_per_sec": "events/s",
    "_events_per_min": "events/min",
    "_per_minute": "/min",
    "_ms": "ms",
    "_seconds": "s",
    "_bytes": "bytes",
    "_mb": "MB",
    "_rate": quantities.FRACTION,
    "_percent": "%",
}
"""Ends of names of fields with their units, for evidence, which is not in the catalogue of metrics."""

WHOLE_TEXT = 2_000
"""Limit of a line that is a remedy or a cause: none of this program's own is as long, and none is cut."""


def line(text: object, limit: int = 400) -> str:
    """Text as one line, without characters that control, hide or reorder it, and no command of a CI runner.

    Longer text ends in `…`.
    """
    # Cut before it is split, for a text of megabytes would take seconds; at twice the limit, for blanks fall away.
    joined = " ".join(str(text)[: limit * 2].split())
    if len(joined) > limit or not joined.isprintable():
        joined = plain(joined, limit)
    return without_commands(joined)


def block(text: str, limit: int = 4_000) -> str:
    """The same for text of several lines, which stay lines."""
    if len(text) > limit:
        text = text[:limit] + "\n…"
    lines = []
    for part in text.replace("\r\n", "\n").expandtabs(4).split("\n"):
        if not part.isprintable():
            part = plain(part, len(part)).translate(_SEPARATORS)
        lines.append(part)
    return without_commands("\n".join(lines))


def verdict(report: Report) -> str:
    """Status, since when, headline, number of causes and of findings of each status.

    `RED since 22:10 UTC (6 min): the pipeline is unhealthy, 2 causes (checks: 1 red, 12 green)`
    """
    status = f"{report.status.value.upper()} {began(report)}".rstrip()
    words = headline(report)
    if report.causes:
        words += f", {causes_count(report)}"
    return f"{status}: {words} ({tally(report)})"


def causes_count(report: Report) -> str:
    """`2 causes`."""
    return quantities.many(len(report.causes), "cause", "causes")


def gone(states: Mapping[str, Any]) -> str:
    """`12 trimmed unread, 3 payload gone`: messages that left the stream unwritten; empty where none did."""
    parts = []
    for state in GONE:
        count = states.get(state)
        if isinstance(count, int) and count > 0:
            parts.append(f"{quantities.number(count)} {state.replace('_', ' ')}")
    return ", ".join(parts)


def began(report: Report) -> str:
    """Since when the worst of the causes is there, in words; empty where that is not known."""
    return since(report.since, report.since_bound, report)


def since(moment: str | None, bound: str, report: Report) -> str:
    """`since 22:10 UTC (6 min)`, with the day where the report has another one; empty where it is not known.

    Of a time that is only a bound: `since 22:10 UTC at the latest (6 min)`.
    """
    start = parse_time(moment)
    if start is None:
        return ""
    taken = parse_time(report.generated_at)
    time = f"{start:%H:%M} UTC {bound}".rstrip()
    if taken is None:
        return f"since {start:%Y-%m-%d} {time}"
    if start.date() != taken.date():
        time = f"{start:%Y-%m-%d} {time}"
    elapsed = max(0, to_milliseconds(taken) - to_milliseconds(start))
    return f"since {time} ({span(elapsed)})"


def headline(report: Report) -> str:
    """The report's headline on one line; a report by another program may have none."""
    return line(report.headline) or HEALTH[report.status]


def tally(report: Report) -> str:
    """How many findings have which status: `checks: 1 red, 12 green`."""
    counted = []
    for status, count in report.counts.items():
        if count:
            counted.append(f"{count} {line(status.replace('_', ' '))}")
    if not counted:
        return "no check was run"
    return f"checks: {', '.join(counted)}"


def other_thresholds(report: Report) -> str:
    """Which checks judged kept evidence by other thresholds than when it was taken; empty when none did."""
    if not report.other_thresholds:
        return ""
    checks = ", ".join(map(line, report.other_thresholds))
    return f"Judged by other thresholds than those in force when the evidence was taken: {checks}"


def clock(report: Report) -> str:
    """When the pipeline was examined: `2026-03-14 09:26:53 UTC`."""
    moment = parse_time(report.generated_at)
    if moment is None:
        return line(report.generated_at) or "at an unknown time"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def quantity(value: float | None, unit: object = "") -> str:
    """A measured value with its unit, `1,204 messages`; `–` for none."""
    if value is None:
        return "–"
    return quantities.quantity(value, line(unit or ""))


def field_value(value: object, name: str) -> str:
    """A value of a record or of evidence in the unit that belongs to the field of this name."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    if name.rpartition("_")[2] in _IDENTIFIERS:
        return str(value)
    return quantities.quantity(value, _unit_of(name))


def _unit_of(name: str) -> str:
    """The unit of a field, by the catalogue of metrics or else by the end of its name; empty for a mere count."""
    name = name.replace(" ", "_")  # as evidence has it
    metric = field_metric(name)
    if metric is not None and metric.unit in UNSPOKEN_UNITS:
        return ""
    if metric is not None:
        return metric.unit
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            return unit
    return ""

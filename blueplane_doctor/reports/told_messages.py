"""What people were told, as lines of a page. A report may come from elsewhere, so nothing of it is relied on."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from blueplane_doctor.model import Report, Status

_FIELDS = {"at": str, "target": str, "status": str, "reason": str, "kinds": list, "causes": list}
"""Of a message, with the type of each."""


class ToldLine(NamedTuple):
    """One message to one target."""

    at: str
    """ISO 8601, UTC."""
    status: str
    """The worst colour that it told."""
    words: str
    """To whom, why, and of what."""
    outcome: str


def told_messages(report: Report) -> list[ToldLine]:
    """The last messages, the newest first; none where nobody was told."""
    record = report.metrics.get("notifications")
    if not isinstance(record, Mapping) or not isinstance(record.get("messages"), list):
        return []
    return lines_of(record["messages"])


def lines_of(messages: Iterable[Any]) -> list[ToldLine]:
    """Messages as a report has them, in their order; what is none is left out."""
    lines = []
    for message in messages:
        line = _line(message)
        if line is not None:
            lines.append(line)
    return lines


def _line(message: Any) -> ToldLine | None:
    """None for what is no message."""
    if not isinstance(message, Mapping):
        return None
    for name, kind in _FIELDS.items():
        if not isinstance(message.get(name), kind):
            return None
    if message["status"] not in list(Status):
        return None
    parts = [message["target"]]
    for name in ("kinds", "causes"):
        if message[name]:
            parts.append(", ".join(map(str, message[name])))
    return ToldLine(message["at"], message["status"], ": ".join(parts), message["reason"] or "delivered")

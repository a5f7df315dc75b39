"""Events that hooks could not deliver: lines of the hook's spool, in the form of stream messages.

The server would enqueue such a line through its queue writer; the fields here are those that the queue writer makes.
Only the ID differs: the server gives a random one, and here the same line gives the same ID, so that a second run
knows the message of the first one, and its row.
"""

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from blueplane_doctor.errors import FileMissing
from blueplane_doctor.files.reading import read_head, unreadable
from blueplane_hook.spool import MOST_BYTES, SPOOL_FILE, own_files

_FIRST_FIELDS = ("hook_type", "timestamp", "event_type", "payload", "metadata")
"""Of an event, in the order in which the queue writer adds them."""
_REQUIRED = ("hook_type", "timestamp")
MOST_LINES = 100_000
"""Of a spool: the shortest event has a hundred bytes. A file of others may hold millions, each of which takes time."""


class SpooledEvent(NamedTuple):
    """One event that waits in the spool."""

    id: str
    """Of the message that it becomes: the same for the same line."""
    line: bytes
    """As it stands in the spool, without the end of the line. Private."""
    fields: dict[bytes, bytes]
    """The message's fields and values; empty when it cannot be enqueued. Private."""
    reason: str
    """Why it cannot be enqueued; empty when it can."""


def spooled_lines(home: Path) -> list[bytes]:
    """The lines of a home's spool, oldest first, and what hooks kept apart. Raises FileUnreadable."""
    lines = spool_content(home / SPOOL_FILE).split(b"\n")
    for name in own_files(str(home)):
        content = spool_content(home / name)
        if content.startswith(b"{"):  # else it holds words that are counted
            lines += content.split(b"\n")
    return [line for line in lines if line]


def spool_content(file: Path) -> bytes:
    """What a file of events holds; empty where there is none. Raises FileUnreadable."""
    try:
        content = read_head(file, MOST_BYTES)
    except FileMissing:
        if os.path.exists(file.parent) and not os.path.isdir(file.parent):
            raise
        return b""
    if content.count(b"\n") > MOST_LINES:
        raise unreadable(file, f"it has more than {MOST_LINES:,} lines, which are no events of a hook")
    return content


def spooled_id(line: bytes) -> str:
    """The ID of the message that a line of the spool becomes."""
    return str(UUID(bytes=hashlib.sha256(line).digest()[:16], version=4))


def spooled_event(line: bytes, at: datetime) -> SpooledEvent:
    """What a line of the spool becomes."""
    identity = spooled_id(line)
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return SpooledEvent(identity, line, {}, "the line is not JSON")
    reason = _fault(request)
    if reason:
        return SpooledEvent(identity, line, {}, reason)
    texts = _message(request, identity, at)
    try:
        fields = {}
        for name, text in texts.items():
            fields[name.encode()] = text.encode()
    except UnicodeEncodeError:
        return SpooledEvent(identity, line, {}, "a field holds a lone surrogate")
    return SpooledEvent(identity, line, fields, "")


def _fault(request: Any) -> str:
    """Why the server would refuse the request; empty when it would not."""
    if not isinstance(request, dict):
        return "the line is no JSON object"
    for name in ("event", "platform", "session_id"):
        if not request.get(name):
            return f"{name} is missing"
    event = request["event"]
    if not isinstance(event, dict):
        return "event is no object"
    for name in _REQUIRED:
        if name not in event:
            return f"event has no {name}"
    return ""


def _message(request: dict[str, Any], identity: str, at: datetime) -> dict[str, str]:
    session = str(request["session_id"])
    fields = {
        "event_id": identity,
        "enqueued_at": at.isoformat(),
        "retry_count": "0",
        "platform": str(request["platform"]),
        "session_id": session,
        "external_session_id": session,
    }
    event: dict[str, Any] = request["event"]
    for name in _FIRST_FIELDS:
        if name in ("payload", "metadata") and name in event:
            fields[name] = json.dumps(event[name])
        elif name in event:
            fields[name] = str(event[name])
    for name, value in event.items():
        if name in _FIRST_FIELDS:
            continue
        if isinstance(value, dict | list):
            fields[name] = json.dumps(value)
        else:
            fields[name] = str(value)
    return fields

"""Events that Cursor's database monitor could not enqueue: rows of event_buffer.db, in the form of stream messages.

The monitor puts an event there when Redis does not answer, and nothing takes it out again. It is enqueued here as the
monitor itself would have done it: JSON text for an object or a list, an empty text for null, plain text for the rest.
"""

import json
import sqlite3
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from blueplane_doctor.errors import SourceMissing
from blueplane_doctor.pipeline import BUFFER_TABLE
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.trace_tables import Lookup, RowFinder

PAGE_BYTES = 8_000_000
"""Of the events that are read at once; one larger event is read alone."""
PAGE_ROWS = 1_000
CURSOR_TABLE = "cursor_raw_traces"
"""Where the events of Cursor's monitor are written."""
_MOST_LOOKED_UP = 20_000
"""Events whose rows are looked for at each run; that takes a tenth of a second."""


class BufferedEvent(NamedTuple):
    """One event that waits in the buffer."""

    row: int
    """Its `id` in the table: it grows, and SQLite never gives one again."""
    fields: dict[bytes, bytes]
    """The message's fields and values; empty when it cannot be enqueued. Private."""
    reason: str
    """Why it cannot be enqueued; empty when it can."""


_Row = tuple[int, Any]


def each_buffered_event(buffer: DatabaseSource) -> Iterator[BufferedEvent]:
    """The events of a buffer, oldest first; none where there is no buffer. Raises SourceError."""
    last = -1
    while True:
        try:
            page = buffer.read(partial(_page, after=last))
        except SourceMissing:  # no file or no table: nothing was ever buffered
            return
        if not page:
            return
        for row, text in page:
            yield _event(row, text)
        last = page[-1][0]


def buffered_event(buffer: DatabaseSource, row: int) -> BufferedEvent | None:
    """The event of that row; None where there is none. Raises SourceError."""
    try:
        rows = buffer.rows(f"SELECT id, event_data FROM {BUFFER_TABLE} WHERE id = ?", (row,))
    except SourceMissing:
        return None
    if not rows:
        return None
    number, text = rows[0]
    return _event(number, text)


def written_events(buffer: DatabaseSource, finder: RowFinder) -> int:
    """How many events have a row by now, of the oldest _MOST_LOOKED_UP. Raises SourceError."""
    # Only their IDs leave SQLite: the events themselves may have megabytes.
    query = (
        f"SELECT json_extract(event_data, '$.event_id') FROM (SELECT event_data FROM {BUFFER_TABLE} "
        f"ORDER BY id LIMIT {_MOST_LOOKED_UP}) WHERE json_valid(event_data)"
    )
    lookups = []
    for (event_id,) in buffer.rows(query):
        if isinstance(event_id, str) and event_id:
            lookups.append(Lookup(CURSOR_TABLE, ("event_id",), (event_id,)))
    written = 0
    for rows in finder.find(lookups):
        if rows:
            written += 1
    return written


def _page(connection: sqlite3.Connection, after: int) -> list[_Row]:
    rows: list[_Row] = []
    size = 0
    query = f"SELECT id, event_data FROM {BUFFER_TABLE} WHERE id > ? ORDER BY id LIMIT {PAGE_ROWS}"
    for row, text in connection.execute(query, (after,)):
        rows.append((row, text))
        if isinstance(text, str | bytes):
            size += len(text)
        if size >= PAGE_BYTES:
            break
    return rows


def _event(row: int, text: Any) -> BufferedEvent:
    try:
        event = json.loads(text)  # the json module: a lone surrogate must pass as it does in the monitor
    except (ValueError, TypeError, RecursionError):
        return BufferedEvent(row, {}, "event_data is not JSON")
    if not isinstance(event, dict) or not event:
        return BufferedEvent(row, {}, "event_data is no JSON object")
    try:
        fields = {}
        for name, value in event.items():
            fields[name.encode()] = _value(value)
    except UnicodeEncodeError:
        return BufferedEvent(row, {}, "a field holds a lone surrogate")
    return BufferedEvent(row, fields, "")


def _value(value: Any) -> bytes:
    """A field's value. Raises UnicodeEncodeError for half of a surrogate pair, which Redis' clients refuse."""
    if value is None:
        return b""
    if isinstance(value, dict | list):
        return json.dumps(value).encode()
    return str(value).encode()

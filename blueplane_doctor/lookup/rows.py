"""The rows of a message: where they would be, and what of them may be told."""

from typing import Any

from blueplane_doctor.lookup.search import Search
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.trace_tables import Lookup, sequence_of
from blueplane_doctor.text.times import parse_time

_ID_COLUMNS = {
    "cursor_raw_traces": ("event_id",),
    "claude_raw_traces": ("uuid", "event_id"),
    "raw_traces": ("event_id",),
}
"""Which columns are searched for an ID when its message has left the stream."""
# A key that is not unique, such as a session's time, may have any number.
_SHOWN_ROWS = 10


def lookups_of(search: Search, tables: tuple[str, ...]) -> list[Lookup]:
    """Where the rows of the message would be: by its route, else by the ID that was asked for."""
    if search.message:
        if search.route is None:
            return []
        return search.route.lookups(search.message)
    if search.stream_id():
        return []  # no table holds stream IDs
    lookups = []
    for table in tables:
        for column in _ID_COLUMNS.get(table, ()):
            lookups.append(Lookup(table, (column,), (search.wanted,)))
    return lookups


def read_rows(database: DatabaseSource, lookup: Lookup) -> list[tuple[int, str]]:
    """Sequence number of each row, and when it was written; empty where that is no time. Raises SourceError."""
    condition = " AND ".join(f'"{column}" = ?' for column in lookup.columns)
    sql = f'SELECT sequence, ingested_at FROM "{lookup.table}" WHERE {condition} ORDER BY sequence LIMIT {_SHOWN_ROWS}'
    rows = []
    for sequence, ingested_at in database.rows(sql, lookup.values):
        rows.append((sequence_of(sequence, lookup.table), _time_in(ingested_at)))
    return rows


def _time_in(value: Any) -> str:
    """The text of a column when it is a time; empty for what may be anything else."""
    if parse_time(value) is None:
        return ""
    return str(value)

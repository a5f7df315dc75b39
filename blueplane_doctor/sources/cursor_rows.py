"""The rows of Cursor's composers, bubbles, generations and prompts in the telemetry database."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.pipeline import TRACE_TABLES
from blueplane_doctor.sources.cursor_items import BUBBLE, COMPOSER, GENERATION, GLOBAL_TABLE, PROMPT, Item
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.trace_tables import BATCH
from blueplane_doctor.text.times import milliseconds_of

_TABLE = TRACE_TABLES[0]


class _Place(NamedTuple):
    """By which column a row is found, and what else holds for it."""

    column: str
    condition: str


_GLOBAL = _Place("item_key", f"t.storage_level = 'global' AND t.database_table = '{GLOBAL_TABLE}'")
_WORKSPACE = {
    COMPOSER: _Place("composer_id", "t.storage_level = 'workspace'"),
    BUBBLE: _Place("bubble_id", "t.storage_level = 'workspace'"),
    GENERATION: _Place("generation_uuid", "t.storage_level = 'workspace'"),
    PROMPT: _Place("unix_ms", "t.event_type = 'prompt'"),
}


def newest_rows(database: DatabaseSource, items: Iterable[Item]) -> dict[Item, int]:
    """When the server last read each item that has a row, in milliseconds since 1970. Raises SourceError."""
    by_place: dict[_Place, list[Item]] = defaultdict(list)
    for item in items:
        by_place[_GLOBAL if item.is_global else _WORKSPACE[item.kind]].append(item)
    newest: dict[Item, int] = {}
    for place, wanted in by_place.items():
        for start in range(0, len(wanted), BATCH):
            _find(database, place, wanted[start : start + BATCH], newest)
    return newest


def _find(database: DatabaseSource, place: _Place, batch: list[Item], newest: dict[Item, int]) -> None:
    wanted = ", ".join(f"({number}, ?)" for number in range(len(batch)))
    # CROSS JOIN keeps the order of the two tables: each wanted key probes the index.
    sql = (
        f"WITH w(number, key) AS (VALUES {wanted}) SELECT number, max(t.timestamp) FROM w "
        f'CROSS JOIN "{_TABLE}" AS t ON t."{place.column}" = w.key AND {place.condition} GROUP BY number'
    )
    values = [item.identity for item in batch]
    plan = database.rows(f"EXPLAIN QUERY PLAN {sql}", values)
    if any(str(step[-1]).startswith("SCAN t") for step in plan):
        raise SourceUnusable(
            f"{database.what} has no index on {_TABLE}.{place.column}: to look for rows would read the whole table",
            "restart the Blueplane server, which makes its indexes at its start",
        )
    for number, timestamp in database.rows(sql, values):
        newest[batch[number]] = milliseconds_of(str(timestamp)) or 0

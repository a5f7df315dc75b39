"""What changed lately in one of Cursor's databases `state.vscdb`: composers, bubbles, generations and prompts.

Only keys, IDs and times leave this module, never a text.

Cursor replaces a row to change it, and a row that replaces another gets the highest number of the table. So the table
is read from its end until nothing there is of the window any more, whatever its size. And whatever stands behind a row
of a certain time was written at that time or later.
"""

from collections.abc import Iterator
from contextlib import suppress
from sqlite3 import Connection, OperationalError
from typing import Any, NamedTuple

from msgspec.json import decode

from blueplane_doctor.sources import Deadline
from blueplane_doctor.text.times import milliseconds_of

COMPOSER = "composer"
BUBBLE = "bubble"
GENERATION = "generation"
PROMPT = "prompt"

GLOBAL_TABLE = "cursorDiskKV"
WORKSPACE_TABLE = "ItemTable"
COMPOSERS_KEY = "composer.composerData"
GENERATIONS_KEY = "aiService.generations"
PROMPTS_KEY = "aiService.prompts"
_KINDS_BY_PREFIX = {"composerData": COMPOSER, "bubbleId": BUBBLE}
_PARTS_OF_KEY = {COMPOSER: 2, BUBBLE: 3}
"""`composerData:<composer>` and `bubbleId:<composer>:<bubble>`."""

PAGE = 200
"""Rows of one question: their keys stand in the table itself, and no value is read for them."""
MOST_ROWS = 20_000
"""Looked at in one database: some 4 kB each at most, a page of SQLite."""
MOST_OLDER = 300
"""So many composers and bubbles from before the window, one after another, end the reading."""
MOST_BYTES = 16_000_000
"""Read of the values of one run: at some kB each, thousands of bubbles; about a tenth of a second."""
MOST_VALUE_BYTES = 4_000_000
"""A larger value is not read, so that its own time is not known."""
_AFTER_THE_LAST = (1 << 63) - 1
_FIRST_LIKELY_MS = 1_262_304_000_000
"""The year 2010: a smaller number is no time in milliseconds."""


class Item(NamedTuple):
    """One thing that the server should have captured."""

    kind: str
    is_global: bool
    """Whether it is in the global database; else in a workspace's."""
    identity: str
    """The key in the global database; in a workspace's the ID of the composer, bubble or generation."""
    changed_ms: int | None
    """When it changed, by its own account, in milliseconds since 1970; None where it does not tell."""
    written_from_ms: int | None = None
    """It was written to the database at this time or later; None where nothing tells."""
    is_malformed: bool = False
    """Whether its key or its value is not of the form that the server reads."""

    @property
    def since_ms(self) -> int:
        """By its own account or by its place in the table; 0 where neither tells."""
        return self.changed_ms or self.written_from_ms or 0


class Budget:
    """What one run may read of all databases together."""

    def __init__(self, deadline: Deadline) -> None:
        self.bytes_left = MOST_BYTES
        self.is_used_up = False
        self._deadline = deadline

    def allows(self, size: int) -> bool:
        """Whether a value of this size may be read; then it counts as read."""
        if size > self.bytes_left or self._deadline.passed:
            self.is_used_up = True
            return False
        self.bytes_left -= size
        return True


class Changed(NamedTuple):
    """The items of one database that changed in the window."""

    items: list[Item]
    is_partial: bool = False
    """Whether there may be more."""


def changed_in_global(connection: Connection, since_ms: int, budget: Budget) -> Changed:
    """Composers and bubbles of the global database that changed since then, in the order in which they were written.

    Raises sqlite3.Error.
    """
    _require_table(connection, GLOBAL_TABLE)
    items: list[Item] = []
    older = 0
    is_partial = False
    for number, (row, key) in enumerate(_rows_from_the_end(connection)):
        if number == MOST_ROWS or budget.is_used_up:
            is_partial = True
            break
        kind = _KINDS_BY_PREFIX.get(key.partition(":")[0])
        if kind is None:
            continue
        item = _global_item(connection, row, key, kind, budget)
        if item is None:
            continue
        items.append(item)
        if item.changed_ms is not None:
            older = older + 1 if item.changed_ms < since_ms else 0
        if older == MOST_OLDER:
            break
    items.reverse()
    return Changed(_in_window(items, since_ms), is_partial)


def _require_table(connection: Connection, name: str) -> None:
    """Raises OperationalError where nothing has this name, or a view or virtual table: their rows may have no end."""
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? AND sql LIKE 'CREATE TABLE %'"
    if connection.execute(sql, (name,)).fetchone() is None:
        raise OperationalError(f"no such table: {name}")


def _rows_from_the_end(connection: Connection) -> Iterator[tuple[int, str]]:
    before = _AFTER_THE_LAST
    while True:
        sql = f"SELECT rowid, key FROM {GLOBAL_TABLE} WHERE rowid < ? ORDER BY rowid DESC LIMIT {PAGE}"
        page = connection.execute(sql, (before,)).fetchall()
        for row, key in page:
            yield row, str(key)
        if len(page) < PAGE:
            return
        before = page[-1][0]


def _global_item(connection: Connection, row: int, key: str, kind: str, budget: Budget) -> Item | None:
    """None for a row without a value: Cursor empties what it deletes, and the server passes it over."""
    content = _content(connection, GLOBAL_TABLE, row, budget)
    if content == b"":
        return None
    item = Item(kind, True, key, None)
    if content is None:
        return item
    value = _json(content)
    if not isinstance(value, dict):
        return item._replace(is_malformed=True)
    is_malformed = key.count(":") + 1 != _PARTS_OF_KEY[kind]
    return item._replace(changed_ms=_time_in(value), is_malformed=is_malformed)


def _content(connection: Connection, table: str, row: int, budget: Budget) -> bytes | None:
    """The bytes of a value; empty where there is none, None where it is too large to be read.

    Raises OperationalError for a table with a column of its own that is called rowid.
    """
    if not isinstance(row, int):
        raise OperationalError("no such column: rowid")
    try:
        # Of a large value SELECT reads all pages to learn its length; this reads none before it is asked to.
        blob = connection.blobopen(table, "value", row, readonly=True)
    except OperationalError:
        return b""  # null, or a number
    with blob:
        size = len(blob)
        if size > MOST_VALUE_BYTES or not budget.allows(size):
            return None
        return blob.read()


def _in_window(items: list[Item], since_ms: int) -> list[Item]:
    """Those that changed in the window, each with the earliest time at which it can have been written."""
    within = []
    written_from_ms: int | None = None
    for item in items:
        if item.changed_ms is not None:
            written_from_ms = max(item.changed_ms, written_from_ms or 0)
        placed = item._replace(written_from_ms=written_from_ms)
        if placed.since_ms >= since_ms:
            within.append(placed)
    return within


def changed_in_workspace(connection: Connection, since_ms: int, budget: Budget) -> Changed:
    """Composers, bubbles, generations and prompts of a workspace's database. Raises sqlite3.Error."""
    _require_table(connection, WORKSPACE_TABLE)
    found: list[Item] = []
    for key, value in _workspace_values(connection, budget):
        if key == COMPOSERS_KEY:
            found += _workspace_composers(value)
        elif key == GENERATIONS_KEY:
            found += _listed(value, GENERATION, "generationUUID")
        else:
            found += _listed(value, PROMPT, "unixMs")
    items = []
    for item in found:
        if item.since_ms >= since_ms:
            items.append(item)
    return Changed(items, budget.is_used_up)


def _workspace_values(connection: Connection, budget: Budget) -> Iterator[tuple[str, Any]]:
    sql = f"SELECT rowid, key FROM {WORKSPACE_TABLE} WHERE key IN (?, ?, ?)"
    for row, key in connection.execute(sql, (COMPOSERS_KEY, GENERATIONS_KEY, PROMPTS_KEY)).fetchall():
        content = _content(connection, WORKSPACE_TABLE, row, budget)
        if content is None:
            budget.is_used_up = True  # what it holds is not known
        else:
            yield str(key), _json(content)


def _workspace_composers(value: Any) -> Iterator[Item]:
    if not isinstance(value, dict):
        return
    composers = value.get("allComposers", [value])
    if not isinstance(composers, list):
        return
    for composer in composers:
        identity = _text(composer, "composerId")
        if identity is None:
            continue
        changed_ms = _time_in(composer)
        yield Item(COMPOSER, False, identity, changed_ms)
        created_ms = _milliseconds(composer.get("createdAt"))
        bubbles = composer.get("conversation") or composer.get("fullConversationHeadersOnly")
        if not isinstance(bubbles, list):
            continue
        for bubble in bubbles:
            bubble_id = _text(bubble, "bubbleId")
            if bubble_id is not None:
                # A bubble is not older than its composer.
                yield Item(BUBBLE, False, bubble_id, _time_in(bubble), created_ms)


def _listed(value: Any, kind: str, name: str) -> Iterator[Item]:
    """The members of a list of generations or prompts; those without an identity cannot be looked for."""
    if not isinstance(value, list):
        return
    for member in value:
        identity = _text(member, name)
        if identity is not None:
            yield Item(kind, False, identity, _time_in(member))


def _text(value: Any, name: str) -> str | None:
    if not isinstance(value, dict):
        return None
    member = value.get(name)
    if isinstance(member, str | int) and member:
        return str(member)
    return None


def _time_in(value: dict[str, Any]) -> int | None:
    """The latest of the times that a composer, bubble, generation or prompt tells of itself."""
    times = [value.get("lastUpdatedAt"), value.get("createdAt"), value.get("unixMs")]
    timing = value.get("timingInfo")
    if isinstance(timing, dict):
        times += [timing.get("clientStartTime"), timing.get("clientEndTime"), timing.get("clientSettleTime")]
    latest_ms = None
    for time in map(_milliseconds, times):
        if time is not None and (latest_ms is None or time > latest_ms):
            latest_ms = time
    return latest_ms


def _milliseconds(value: Any) -> int | None:
    if isinstance(value, str):
        return milliseconds_of(value)
    # From 2^53 on, JavaScript's numbers are not exact: no clock gives such a time.
    if isinstance(value, int | float) and _FIRST_LIKELY_MS < value < 1 << 53:
        return int(value)
    return None


def _json(content: bytes) -> Any:
    with suppress(ValueError, RecursionError):
        return decode(content)
    return None

"""The rows that the pipeline's writers write, and how a message's row is found again, with sqlite3 alone."""

import json
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.truth.messages import CURSOR_SESSION, PRIVATE_TEXT, WORKSPACE, Message

_CURSOR_ROW = """
INSERT INTO cursor_raw_traces (ingested_at, event_id, external_session_id, event_type, timestamp, workspace_hash,
                               storage_level, database_table, item_key, event_data)
VALUES (?, ?, ?, ?, ?, ?, 'workspace', '', '', x'00')
"""
_CLAUDE_ROW = """
INSERT INTO claude_raw_traces (ingested_at, event_id, external_id, uuid, event_type, platform, timestamp,
                               workspace_hash, event_data)
VALUES (?, ?, ?, ?, ?, 'claude_code', ?, ?, x'00')
"""


def connect(database: Path, *, timeout: float = 10.0) -> sqlite3.Connection:
    """A connection as the pipeline's writers open it."""
    connection = sqlite3.connect(database, timeout=timeout, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def key_of(message: Message) -> tuple[str, ...] | None:
    """What a row of this message is found by; None: there is never a row."""
    fields = message.fields
    payload = json.loads(fields["payload"])
    if not isinstance(payload, dict):
        return None
    if message.owner == "cursor":
        return (fields["event_id"],)
    if message.owner == "claude":
        return (fields["session_id"], payload["entry_data"]["uuid"])
    return None


PROMPT = timedelta(seconds=1)
"""How long after its message a healthy writer has written a row."""


def write(database: Path, messages: Iterable[Message], when: datetime, *, prompt: bool = False) -> set[str]:
    """Write the rows of these messages in one transaction; the IDs of those that have one. sqlite3's errors pass.

    Their time is `when`; with `prompt` a second after their message, where that is earlier.
    """
    wrote = set()
    with closing(connect(database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for message in messages:
            key = key_of(message)
            if key is None:
                continue
            written = when.astimezone(UTC)
            if prompt:
                written = min(written, _enqueued(message) + PROMPT)
            _insert(connection, message, key, f"{written:%Y-%m-%d %H:%M:%S}")
            wrote.add(message.id)
        connection.execute("COMMIT")
    return wrote


def _enqueued(message: Message) -> datetime:
    return datetime.fromtimestamp(int(message.id.partition("-")[0]) / 1000, UTC)


def _insert(connection: sqlite3.Connection, message: Message, key: Sequence[str], ingested_at: str) -> None:
    fields = message.fields
    if message.owner == "cursor":
        cursor_values = (ingested_at, key[0], CURSOR_SESSION, fields["event_type"], fields["timestamp"], WORKSPACE)
        connection.execute(_CURSOR_ROW, cursor_values)
        return
    line = json.loads(fields["payload"])["entry_data"]
    values = (ingested_at, key[1], key[0], key[1], fields["event_type"], line["timestamp"], WORKSPACE)
    connection.execute(_CLAUDE_ROW, values)


def with_rows(connection: sqlite3.Connection, messages: Iterable[Message]) -> set[str]:
    """The IDs of the messages whose row is in the database."""
    ids_by_key: dict[tuple[str, ...], list[str]] = {}
    for message in messages:
        key = key_of(message)
        if key is not None:
            ids_by_key.setdefault(key, []).append(message.id)
    present = set()
    for table, columns in (("cursor_raw_traces", "event_id"), ("claude_raw_traces", "external_id, uuid")):
        for row in _rows_of(connection, table, columns):
            present.update(ids_by_key.get(tuple(map(str, row)), []))
    return present


def _rows_of(connection: sqlite3.Connection, table: str, columns: str) -> list[tuple[object, ...]]:
    try:
        return connection.execute(f"SELECT {columns} FROM {table}").fetchall()
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            return []
        raise


def count(connection: sqlite3.Connection) -> int:
    """Rows in both trace tables."""
    return sum(len(_rows_of(connection, table, "1")) for table in ("cursor_raw_traces", "claude_raw_traces"))


def open_session(database: Path, begin: datetime) -> None:
    """A Cursor window that is open since then."""
    with closing(connect(database)) as connection:
        connection.execute(
            "INSERT INTO cursor_sessions (id, external_session_id, workspace_hash, started_at, ended_at) "
            "VALUES (?, ?, ?, ?, NULL)",
            (str(uuid.uuid4()), CURSOR_SESSION, WORKSPACE, begin.isoformat()),
        )


def buffer_events(file: Path, amount: int) -> None:
    """Events that could not reach Redis."""
    text = json.dumps({"platform": "cursor", "payload": {"text": PRIVATE_TEXT}})
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS buffered_events (id INTEGER PRIMARY KEY AUTOINCREMENT, "
            "timestamp TEXT NOT NULL, event_data TEXT NOT NULL, retry_count INTEGER NOT NULL DEFAULT 0)"
        )
        insert = "INSERT INTO buffered_events (timestamp, event_data) VALUES (?, ?)"
        now = datetime.now(UTC).isoformat()
        connection.execute("BEGIN")
        connection.executemany(insert, [(now, text)] * amount)
        connection.execute("COMMIT")

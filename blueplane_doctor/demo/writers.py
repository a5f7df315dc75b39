"""What the pipeline's writers do with a batch of entries: whose is it, and one transaction for its rows."""

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import schema
from blueplane_doctor.demo.messages import Fields

Entry = tuple[str, Fields]
"""A stream ID and the message's fields; no fields where the entry was trimmed while it was pending."""
_Platform = Literal["cursor", "claude"]
_Row = dict[str, object]

_CLAUDE_SOURCES = ("jsonl_monitor", "transcript_monitor")


def owner(fields: Fields) -> _Platform | None:
    """Which platform's writer writes this message; None: by design no one.

    Spelt out apart from the doctor's routes, so that each can show the other wrong.
    """
    metadata = _json_object(fields, "metadata") or {}
    source = metadata.get("source")
    if fields.get("platform") == "claude_code":
        if source in _CLAUDE_SOURCES or fields.get("hook_type") == "JSONLTrace":
            return "claude"
        if fields.get("event_type") in ("session_start", "session_end"):
            return "claude"
        return None
    if source in (*_CLAUDE_SOURCES, "claude_session_monitor"):
        return None
    if fields.get("platform") == "cursor" or source in names.CURSOR_MONITOR_SOURCES:
        return "cursor"
    if metadata.get("workspace_hash") and "sessionId" not in fields:
        return "cursor"
    return None


def _json_object(fields: Fields, name: str) -> dict[str, object] | None:
    try:
        value = json.loads(fields.get(name, ""))
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return value


def moment(entry_id: str) -> datetime:
    """The time in a stream ID."""
    return datetime.fromtimestamp(int(entry_id.partition("-")[0]) / 1000, UTC)


def write(database: Path, entries: Iterable[Entry], at: datetime | None, lock_seconds: float) -> None:
    """Insert the rows of these entries in one transaction. sqlite3's errors pass through.

    An entry without a payload object gives no row and no error: that is observed failure 2.
    """
    rows: dict[str, list[_Row]] = {}
    for entry_id, fields in entries:
        placed = _row(entry_id, fields)
        if placed is None:
            continue
        table, row = placed
        written = (at or moment(entry_id)).astimezone(UTC)
        row["ingested_at"] = f"{written:%Y-%m-%d %H:%M:%S}"
        rows.setdefault(table, []).append(row)
    with contextlib.closing(schema.connect(database, timeout=lock_seconds)) as connection:
        connection.execute("BEGIN IMMEDIATE")  # what follows is undone by closing unless it is committed
        for table, own in rows.items():
            _insert(connection, table, own)
        connection.execute("COMMIT")


def _row(entry_id: str, fields: Fields) -> tuple[str, _Row] | None:
    """The table and the row of an entry; None when it gives none."""
    platform = owner(fields)
    payload = _json_object(fields, "payload")
    if platform is None or payload is None:
        return None
    session = fields.get("session_id") or fields.get("external_session_id") or ""
    row: _Row = {
        "event_id": fields.get("event_id") or entry_id,
        "event_type": fields.get("event_type", ""),
        "timestamp": fields.get("timestamp", ""),
        "workspace_hash": (_json_object(fields, "metadata") or {}).get("workspace_hash"),
        "event_data": zlib.compress(json.dumps(fields).encode(), 1),
    }
    if platform == "cursor":
        return schema.CURSOR_TRACES, row | {"external_session_id": session, "storage_level": "workspace"}
    line = payload.get("entry_data")
    if not isinstance(line, dict):
        line = {}
    return schema.CLAUDE_TRACES, row | {
        "external_id": session,
        "platform": fields.get("platform", ""),
        "uuid": line.get("uuid"),
        "timestamp": line.get("timestamp") or fields.get("timestamp", ""),
    }


def _insert(connection: sqlite3.Connection, table: str, rows: list[_Row]) -> None:
    newest = connection.execute(f"SELECT ingested_at FROM {table} ORDER BY sequence DESC LIMIT 1").fetchone()
    last = newest[0] if newest else ""
    for row in rows:  # a row that is written later is never of an earlier second
        last = max(str(row["ingested_at"]), last)
        row["ingested_at"] = last
    columns = ", ".join(rows[0])
    values = ", ".join(f":{column}" for column in rows[0])
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)

"""What the pipeline's writers do with a batch of entries: whose is it, and one transaction for its rows."""

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import schema
from blueplane_doctor.demo.messages import Fields

Entry = tuple[str, Fields]
"""A stream ID and the message's fields; no fields where the entry was trimmed while it was pending."""
Platform = Literal["cursor", "claude"]
Row = dict[str, object]

CLAUDE_SOURCES = ("jsonl_monitor", "transcript_monitor")
CLAUDE_SESSION_SOURCE = "claude_session_monitor"
CLAUDE_SESSION_EVENTS = ("session_start", "session_end")


def owner(fields: Fields) -> Platform | None:
    """Which platform's writer writes this message; None: by design no one.

    Spelt out apart from the doctor's routes, so that each can show the other wrong.
    """
    metadata = json_object(fields, "metadata") or {}
    source = metadata.get("source")
    if fields.get("platform") == "claude_code":
        by_monitor = source in CLAUDE_SOURCES or fields.get("hook_type") == "JSONLTrace"
        return "claude" if by_monitor or fields.get("event_type") in CLAUDE_SESSION_EVENTS else None
    if source in (*CLAUDE_SOURCES, CLAUDE_SESSION_SOURCE):
        return None
    by_monitor = source in names.CURSOR_MONITOR_SOURCES
    by_workspace = bool(metadata.get("workspace_hash")) and "sessionId" not in fields
    return "cursor" if fields.get("platform") == "cursor" or by_monitor or by_workspace else None


def json_object(fields: Fields, name: str) -> dict[str, object] | None:
    """The JSON object in a field; None for whatever else stands there: writers pass over it."""
    try:
        value = json.loads(fields.get(name, ""))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def moment(entry_id: str) -> datetime:
    """The time in a stream ID."""
    return datetime.fromtimestamp(int(entry_id.partition("-")[0]) / 1000, UTC)


def write(database: Path, layout: schema.DatabaseLayout, entries: Iterable[Entry], at: datetime | None) -> int:
    """Insert the rows of these entries in one transaction; how many. sqlite3's errors pass through.

    An entry without a payload object gives no row, and nobody says so: that is observed failure 2.
    """
    rows = [row for entry in entries if (row := _row(entry, layout, at))]
    with contextlib.closing(schema.connect(database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            _insert(connection, rows)
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    return len(rows)


def _row(entry: Entry, layout: schema.DatabaseLayout, at: datetime | None) -> tuple[str, Row] | None:
    entry_id, fields = entry
    platform = owner(fields)
    payload = json_object(fields, "payload")
    if platform is None or payload is None:
        return None
    session = fields.get("session_id") or fields.get("external_session_id") or ""
    written = at.astimezone(UTC) if at else moment(entry_id)
    row: Row = {
        "ingested_at": f"{written:%Y-%m-%d %H:%M:%S}",
        "event_id": fields.get("event_id") or entry_id,
        "event_type": fields.get("event_type", ""),
        "timestamp": fields.get("timestamp", ""),
        "event_data": zlib.compress(json.dumps(fields).encode(), 1),
    }
    if layout == "earlier":
        return schema.EARLIER_TRACES, row | {"session_id": session, "platform": fields.get("platform", "")}
    row["workspace_hash"] = (json_object(fields, "metadata") or {}).get("workspace_hash")
    if platform == "cursor":
        return schema.CURSOR_TRACES, row | {"external_session_id": session, "storage_level": "workspace"}
    return schema.CLAUDE_TRACES, row | _claude_columns(fields, payload, session)


def _claude_columns(fields: Fields, payload: dict[str, object], session: str) -> Row:
    entry = payload.get("entry_data")
    entry = entry if isinstance(entry, dict) else {}
    return {
        "external_id": session,
        "platform": fields.get("platform", ""),
        "uuid": entry.get("uuid"),
        "timestamp": entry.get("timestamp") or fields.get("timestamp", ""),
    }


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[str, Row]]) -> None:
    for table in {table: None for table, _ in rows}:
        newest = connection.execute(f"SELECT ingested_at FROM {table} ORDER BY sequence DESC LIMIT 1").fetchone()
        own = [row for name, row in rows if name == table]
        for row in own:  # a row written later is never of an earlier second
            newest = (max(str(row["ingested_at"]), newest[0] if newest else ""),)
            row["ingested_at"] = newest[0]
        columns = ", ".join(own[0])
        values = ", ".join(f":{column}" for column in own[0])
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", own)

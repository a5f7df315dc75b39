"""The SQLite databases of the pipeline, as far as its writers and the doctor know them."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Literal

from blueplane_doctor import pipeline as names

DatabaseLayout = Literal["current", "earlier", "mixed"]

CURSOR_TRACES, CLAUDE_TRACES, EARLIER_TRACES = names.TRACE_TABLES

_CURRENT = f"""
CREATE TABLE IF NOT EXISTS {CURSOR_TRACES} (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    ingested_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    event_id TEXT NOT NULL,
    external_session_id TEXT,
    event_type TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    workspace_hash TEXT,
    storage_level TEXT,
    database_table TEXT,
    item_key TEXT,
    event_data BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS cursor_event ON {CURSOR_TRACES} (event_id);
CREATE TABLE IF NOT EXISTS {CLAUDE_TRACES} (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    ingested_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    event_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    uuid TEXT,
    event_type TEXT NOT NULL,
    platform TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    workspace_hash TEXT,
    event_data BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS claude_entry ON {CLAUDE_TRACES} (external_id, uuid);
CREATE INDEX IF NOT EXISTS claude_time ON {CLAUDE_TRACES} (external_id, timestamp);
CREATE TABLE IF NOT EXISTS {names.OFFSETS_TABLE} (
    file_path TEXT PRIMARY KEY,
    session_id TEXT,
    last_read_time TIMESTAMP,
    updated_at TIMESTAMP
);
"""
_EARLIER = f"""
CREATE TABLE IF NOT EXISTS {EARLIER_TRACES} (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    ingested_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    event_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    platform TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    event_data BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS earlier_event ON {EARLIER_TRACES} (event_id);
"""
_SESSIONS = f"""
CREATE TABLE IF NOT EXISTS {names.SESSIONS_TABLE} (
    id TEXT PRIMARY KEY,
    external_session_id TEXT NOT NULL,
    workspace_hash TEXT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);
"""
_BUFFER = f"""
CREATE TABLE IF NOT EXISTS {names.BUFFER_TABLE} (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL,
    event_data TEXT NOT NULL,
    retry_count INTEGER NOT NULL DEFAULT 0
);
"""
_TABLES: dict[DatabaseLayout, str] = {
    "current": _CURRENT + _SESSIONS,
    "earlier": _EARLIER + _SESSIONS,
    "mixed": _CURRENT + _EARLIER + _SESSIONS,
}


def connect(path: Path, *, timeout: float = 0.0) -> sqlite3.Connection:
    """A connection as the pipeline's: every batch opens its own; here nobody waits for a lock."""
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def create_database(path: Path, *, layout: DatabaseLayout = "current") -> None:
    """Create telemetry.db; one that exists keeps its rows."""
    _create(path, _TABLES[layout])


def create_buffer(path: Path) -> None:
    """Create event_buffer.db, where events wait that could not reach Redis."""
    _create(path, _BUFFER)


def _create(path: Path, script: str) -> None:
    with contextlib.closing(connect(path)) as connection:
        connection.executescript(script)

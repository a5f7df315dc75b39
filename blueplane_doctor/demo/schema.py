"""The SQLite database of the pipeline, as far as its writers and the doctor know it."""

import contextlib
import sqlite3
from pathlib import Path

from blueplane_doctor import pipeline as names

CURSOR_TRACES, CLAUDE_TRACES, _ = names.TRACE_TABLES
LOCK_SECONDS = 5.0
"""How long a writer waits for a lock: the default of sqlite3, which Blueplane's writers do not change.

A writer that did not wait would be refused by every reader: each batch opens the database and closes it, and the
first to open it again recovers the write-ahead log under a lock that lasts for milliseconds.
"""

_TABLES = f"""
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
    generation_uuid TEXT,
    composer_id TEXT,
    bubble_id TEXT,
    unix_ms INTEGER,
    event_data BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS cursor_event ON {CURSOR_TRACES} (event_id);
CREATE INDEX IF NOT EXISTS cursor_generation ON {CURSOR_TRACES} (generation_uuid) WHERE generation_uuid IS NOT NULL;
CREATE INDEX IF NOT EXISTS cursor_composer ON {CURSOR_TRACES} (composer_id, timestamp) WHERE composer_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS cursor_bubble ON {CURSOR_TRACES} (bubble_id) WHERE bubble_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS cursor_item ON {CURSOR_TRACES} (storage_level, database_table, item_key);
CREATE INDEX IF NOT EXISTS cursor_time ON {CURSOR_TRACES} (unix_ms DESC) WHERE unix_ms IS NOT NULL;
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
CREATE INDEX IF NOT EXISTS claude_uuid ON {CLAUDE_TRACES} (uuid);
CREATE INDEX IF NOT EXISTS claude_time ON {CLAUDE_TRACES} (external_id, timestamp);
CREATE TABLE IF NOT EXISTS {names.OFFSETS_TABLE} (
    file_path TEXT PRIMARY KEY,
    session_id TEXT,
    last_read_time TIMESTAMP,
    updated_at TIMESTAMP
);
CREATE TABLE IF NOT EXISTS {names.SESSIONS_TABLE} (
    id TEXT PRIMARY KEY,
    external_session_id TEXT NOT NULL,
    workspace_hash TEXT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);
"""


def connect(path: Path, *, timeout: float = LOCK_SECONDS) -> sqlite3.Connection:
    """A connection as the pipeline's: every batch opens its own. `timeout`: seconds that it waits for a lock."""
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def create_database(path: Path) -> None:
    """Create telemetry.db; one that exists keeps its rows."""
    with contextlib.closing(connect(path)) as connection:
        connection.executescript(_TABLES)

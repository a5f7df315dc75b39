"""Cursor's databases as Cursor makes them, with made-up composers and bubbles, and rows of the telemetry database."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from blueplane_doctor.demo import schema
from blueplane_doctor.text.times import from_milliseconds

TABLE = "CREATE TABLE IF NOT EXISTS {} (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)"


def write(path: Path, table: str, values: Mapping[str, Any]) -> Path:
    """Write these values, as JSON text but for bytes and None, into a table of a database; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for name in ("ItemTable", "cursorDiskKV"):
            connection.execute(TABLE.format(name))
        for key, value in values.items():
            content = value if value is None or isinstance(value, bytes) else json.dumps(value)
            connection.execute(f"INSERT INTO {table} VALUES (?, ?)", (key, content))
        connection.commit()
    return path


def write_global(folder: Path, values: Mapping[str, Any]) -> Path:
    """The global database of Cursor's folder `User`."""
    return write(folder / "globalStorage" / "state.vscdb", "cursorDiskKV", values)


def write_workspace(folder: Path, name: str, values: Mapping[str, Any], *, workspace: str = "") -> Path:
    """The database of a workspace, whose folder may be named."""
    path = write(folder / "workspaceStorage" / name / "state.vscdb", "ItemTable", values)
    if workspace:
        path.with_name("workspace.json").write_text(json.dumps({"folder": f"file://{workspace}"}))
    return path


def composers(*members: dict[str, Any]) -> dict[str, Any]:
    """What a workspace's database holds of its composers."""
    return {"composer.composerData": {"allComposers": list(members)}}


def composer(identity: str, changed_ms: int, **more: Any) -> dict[str, Any]:
    """A composer that was made and changed at this time."""
    return {"composerId": identity, "createdAt": changed_ms, "lastUpdatedAt": changed_ms, **more}


def bubble(changed_ms: int | None, **more: Any) -> dict[str, Any]:
    """A bubble that was made at this time, or that does not tell when."""
    if changed_ms is None:
        return {"type": 1, **more}
    return {"type": 1, "createdAt": from_milliseconds(changed_ms).isoformat(), **more}


def add_row(telemetry: Path, read_ms: int, **columns: Any) -> None:
    """A row of Cursor's traces; `read_ms`: when the server read it from Cursor's database."""
    with closing(schema.connect(telemetry)) as connection:
        values = {
            "event_id": connection.execute("SELECT hex(randomblob(8))").fetchone()[0],
            "event_type": "composer",
            "timestamp": from_milliseconds(read_ms).isoformat(),
            "storage_level": "workspace",
            "database_table": "ItemTable",
            "item_key": "",
            "event_data": b"",
            **columns,
        }
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {schema.CURSOR_TRACES} ({names}) VALUES ({marks})", list(values.values()))


def add_global_row(telemetry: Path, key: str, read_ms: int) -> None:
    """The row of a composer or bubble of the global database."""
    add_row(telemetry, read_ms, storage_level="global", database_table="cursorDiskKV", item_key=key)

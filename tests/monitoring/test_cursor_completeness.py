"""Cursor's databases against the rows: planted changes of every kind, and nothing of Cursor's is touched."""

import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.capture.cursor_states import ITEM_STATES
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.cursor_completeness import CursorCompleteness
from blueplane_doctor.sources.cursor_places import WATCHED_GLOBAL
from blueplane_doctor.text.times import from_milliseconds
from tests.cursor_files import add_global_row, add_row, bubble, composer, composers, write_global, write_workspace
from tests.monitoring.support import collected

HOUR = 3_600_000
MINUTE = 60_000


@pytest.fixture
def now() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def user(guarded_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cursor's folder `User`, where the server looks on macOS."""
    monkeypatch.setattr(sys, "platform", "darwin")
    return (guarded_home / WATCHED_GLOBAL).parents[1]


@pytest.fixture
def telemetry(pipeline: Pipeline, now: int) -> Iterator[Path]:
    """A pipeline that captures Cursor since two days ago."""
    path = pipeline.home / "telemetry.db"
    add_row(path, now - 48 * HOUR, composer_id="the first")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE cursor_raw_traces SET ingested_at = datetime('now', '-2 days')")
        connection.commit()
    yield path


def announce(telemetry: Path, workspace: str, now: int) -> None:
    name = hashlib.sha256(workspace.encode()).hexdigest()[:16]
    with closing(sqlite3.connect(telemetry)) as connection:
        began = from_milliseconds(now - HOUR).isoformat()
        connection.execute("INSERT INTO cursor_sessions VALUES (?, ?, ?, ?, NULL)", (name, name, name, began))
        connection.commit()


def counts(record: CursorCompleteness) -> dict[str, int]:
    return {state: count for state, count in record.by_outcome.items() if count}


def is_sound(record: CursorCompleteness) -> bool:
    in_workspaces = sum(one.changed for one in record.workspaces)
    is_sum = sum(record.by_outcome.values()) == record.changed == in_workspaces
    return is_sum and set(record.by_outcome) == set(ITEM_STATES)


def test_without_cursor_it_is_not_set_up(pipeline: Pipeline, user: Path) -> None:
    record = collected(CursorCompleteness, pipeline)
    assert (record.is_there, record.is_set_up) == (False, False)


def test_where_cursor_is_there_and_was_never_captured_it_is_not_set_up(
    pipeline: Pipeline, user: Path, now: int
) -> None:
    write_global(user, {"composerData:a": composer("a", now - HOUR)})
    record = collected(CursorCompleteness, pipeline)
    assert (record.is_there, record.is_set_up) == (True, False)


def test_what_changed_before_the_extension_was_installed_is_not_missing(
    pipeline: Pipeline, user: Path, guarded_home: Path, now: int
) -> None:
    write_global(user, {"composerData:a": composer("a", now - HOUR)})
    extension = guarded_home / ".cursor" / "extensions" / "blueplane.blueplane-cursor-telemetry-0.1.0"
    extension.mkdir(parents=True)
    assert counts(collected(CursorCompleteness, pipeline)) == {"before_capture": 1}
    os.utime(extension, (now / 1000 - 7200, now / 1000 - 7200))
    assert counts(collected(CursorCompleteness, pipeline)) == {"missing": 1}


def test_what_was_withheld_is_found_and_nothing_else(pipeline: Pipeline, telemetry: Path, user: Path, now: int) -> None:
    values = {f"composerData:c{number}": composer(f"c{number}", now - 2 * HOUR) for number in range(20)}
    values |= {f"bubbleId:c1:b{number}": bubble(now - HOUR + number) for number in range(100)}
    values["bubbleId:c1:untimed"] = bubble(None)
    values["bubbleId:c1:last"] = bubble(now - 40 * MINUTE)
    withheld = {"composerData:c7", "bubbleId:c1:b3", "bubbleId:c1:untimed"}
    write_global(user, values)
    for key in values.keys() - withheld:
        add_global_row(telemetry, key, now - 30 * MINUTE)
    record = collected(CursorCompleteness, pipeline)
    assert counts(record) == {"written": len(values) - 3, "missing": 3}
    assert record.missing_items == 3
    assert record.first_missing is not None
    assert not record.partial and not record.unread and not record.cause
    assert is_sound(record)


def test_each_workspace_is_told_with_what_may_be_the_reason(
    pipeline: Pipeline, telemetry: Path, user: Path, now: int
) -> None:
    for number, name in enumerate(("one", "two", "three"), start=1):
        members = [composer(f"{name}-{place}", now - HOUR) for place in range(number)]
        write_workspace(user, name, composers(*members), workspace="" if number == 3 else f"/home/me/{name}")
    write_workspace(user, "zzz", composers(composer("old", now - 30 * HOUR)))
    announce(telemetry, "/home/me/one", now)
    add_row(telemetry, now - HOUR, composer_id="one-0")
    taken = {hashlib.sha256(b"/home/me/two").hexdigest()[:16]: str(user / "elsewhere")}
    (pipeline.home / "workspace_db_cache.json").write_text(json.dumps(taken))
    record = collected(CursorCompleteness, pipeline)
    places = {one.workspace: (one.changed, one.missing, one.announced, one.watched) for one in record.workspaces}
    # In the order of Cursor's folders: one, three, two, zzz.
    assert places == {1: (1, 0, True, True), 2: (3, 3, None, True), 3: (2, 2, False, False)}
    assert is_sound(record)


def test_what_the_server_never_sends_is_counted_by_kind(
    pipeline: Pipeline, telemetry: Path, user: Path, guarded_home: Path, now: int
) -> None:
    values = {
        "aiService.generations": [{"generationUUID": f"g{number}", "unixMs": now - HOUR} for number in range(5)],
        "aiService.prompts": [{"unixMs": now - number} for number in range(4)],
    }
    write_workspace(user, "one", values)
    elsewhere = guarded_home / "mine"
    write_global(elsewhere, {"composerData:a": composer("a", now - HOUR), "bubbleId:a:1": bubble(now - HOUR)})
    record = collected(CursorCompleteness, pipeline)
    assert record.never_captured == {"generation": 5, "prompt": 4}
    record = collected(CursorCompleteness, pipeline, cursor_data=elsewhere)
    assert record.never_captured == {"bubble": 1, "composer": 1}
    assert record.missing_items == 0
    assert is_sound(record)


def test_what_waits_in_the_stream_is_on_its_way(pipeline: Pipeline, telemetry: Path, user: Path, now: int) -> None:
    write_global(user, {"composerData:a": composer("a", now - HOUR), "composerData:b": composer("b", now - HOUR)})
    metadata = {"source": "user_level_listener", "storage_level": "global", "item_key": "composerData:a"}
    pipeline.client.xadd(
        "telemetry:message_queue",
        {"event_id": "e", "platform": "cursor", "metadata": json.dumps(metadata), "payload": "{}"},
    )
    assert counts(collected(CursorCompleteness, pipeline)) == {"in_stream": 1, "missing": 1}


def test_without_redis_what_has_no_row_is_not_known(pipeline: Pipeline, telemetry: Path, user: Path, now: int) -> None:
    write_global(user, {"composerData:a": composer("a", now - HOUR)})
    record = collected(CursorCompleteness, pipeline, redis_url="redis://localhost:1/0")
    assert record.missing_items is None
    assert "Redis" in record.cause


def test_a_database_that_cannot_be_read_is_counted(pipeline: Pipeline, telemetry: Path, user: Path, now: int) -> None:
    write_global(user, {"composerData:a": composer("a", now - HOUR)}).write_bytes(b"no database" * 100)
    record = collected(CursorCompleteness, pipeline)
    assert (record.unread, record.databases, record.missing_items) == (1, 0, 0)
    assert "is not a SQLite database" in record.cause


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_nothing_of_cursors_is_changed_locked_or_left_behind(
    pipeline: Pipeline, telemetry: Path, user: Path, now: int, mode: str
) -> None:
    path = write_global(user, {"composerData:a": composer("a", now - HOUR)})
    with closing(sqlite3.connect(path, isolation_level=None)) as cursor:
        cursor.execute(f"PRAGMA journal_mode = {mode}")
        cursor.execute("INSERT INTO cursorDiskKV VALUES ('composerData:b', ?)", (json.dumps(composer("b", now)),))
        before = {file: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
        assert collected(CursorCompleteness, pipeline).changed == 2
        after = {file: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
        assert after == before
        cursor.execute("PRAGMA busy_timeout = 0")
        cursor.execute("DELETE FROM cursorDiskKV")
    assert [file.name for file in path.parent.iterdir()] == ["state.vscdb"]
    assert collected(CursorCompleteness, pipeline).changed == 0
    assert [file.name for file in path.parent.iterdir()] == ["state.vscdb"]

"""What the simulated writers do with a batch: whose each message is, and one transaction for its rows."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blueplane_doctor.demo import schema, writers
from blueplane_doctor.demo.messages import MessageMaker
from blueplane_doctor.demo.writers import owner
from tests.demo.observe import count_rows, query


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"platform": "cursor"}, "cursor"),
        ({"metadata": '{"source": "bubble_extractor"}'}, "cursor"),
        ({"metadata": '{"workspace_hash": "x"}'}, "cursor"),
        ({"metadata": '{"workspace_hash": "x"}', "sessionId": "s"}, None),
        ({"platform": "cursor", "metadata": '{"source": "jsonl_monitor"}'}, None),
        ({"platform": "claude_code", "hook_type": "JSONLTrace"}, "claude"),
        ({"platform": "claude_code", "event_type": "session_end"}, "claude"),
        ({"platform": "claude_code", "metadata": '{"source": "transcript_monitor"}'}, "claude"),
        (
            {"platform": "claude_code", "hook_type": "PostToolUse", "metadata": '{"workspace_hash": "x"}'},
            None,
        ),
        ({"metadata": "no json"}, None),
        ({}, None),
    ],
)
def test_owner(fields: dict[str, str], expected: str | None) -> None:
    assert owner(fields) == expected


def test_a_batch_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    database = tmp_path / "telemetry.db"
    schema.create_database(database)
    now = datetime.now(UTC)
    messages = MessageMaker(1)
    first = messages.from_hook(now, "cursor", "stop", "agent_stop", event_id="a")
    second = messages.from_hook(now, "cursor", "stop", "agent_stop", event_id="b")
    with pytest.raises(sqlite3.IntegrityError):
        writers.write(database, [("1-1", first), ("1-2", second), ("1-3", first)], now, 0.0)
    assert count_rows(database, "cursor_raw_traces") == 0
    writers.write(database, [("1-1", first), ("1-2", second)], now, 0.0)
    assert query(database, "SELECT event_id FROM cursor_raw_traces ORDER BY sequence") == [("a",), ("b",)]


def test_a_message_without_a_payload_object_gives_no_row(tmp_path: Path) -> None:
    database = tmp_path / "telemetry.db"
    schema.create_database(database)
    writers.write(database, [("1-1", {"platform": "cursor", "payload": "text"}), ("1-2", {})], None, 0.0)
    assert count_rows(database, "cursor_raw_traces") == 0

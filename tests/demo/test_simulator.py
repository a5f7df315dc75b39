"""The simulated pipeline adds, writes and fails as the real one was observed to."""

import contextlib
import json
import sqlite3
import threading
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import schema
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from tests.demo.observe import QUEUE, count_rows, query
from tests.helpers import enqueue_raw
from tests.simulator import EarlierPipeline

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
NOW_MILLISECONDS = int(NOW.timestamp() * 1_000)
CURSOR, CLAUDE = "processors", "claude_processors"


def fields_of(pipeline: Pipeline) -> list[dict[str, str]]:
    return [
        {str(name): str(value) for name, value in fields.items()}
        for _, fields in pipeline.client.xrange(pipeline.queue) or []
        if fields
    ]


def pending(pipeline: Pipeline, group: str) -> int:
    return int(pipeline.client.xpending(pipeline.queue, group)["pending"])


# Producers


def test_a_cursor_message_has_the_fields_of_the_queue_writer(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(6)
    messages = fields_of(pipeline)
    assert [message["hook_type"] for message in messages] == list(names.CURSOR_HOOKS)
    assert set(messages[0]) == {
        "event_id",
        "enqueued_at",
        "platform",
        "session_id",
        "external_session_id",
        "hook_type",
        "event_type",
        "timestamp",
        "metadata",
        "payload",
    }
    assert datetime.fromisoformat(messages[0]["enqueued_at"]).tzinfo is not None
    assert PRIVATE_TEXT in messages[0]["payload"]


def test_a_transcript_line_has_no_event_id_and_no_enqueued_at(pipeline: Pipeline) -> None:
    pipeline.enqueue_claude(2, uuids=["one", None], session="s")
    with_uuid, without = fields_of(pipeline)
    assert not {"event_id", "enqueued_at"} & set(with_uuid)
    assert (with_uuid["session_id"], with_uuid["hook_type"]) == ("s", "JSONLTrace")
    assert json.loads(with_uuid["metadata"])["source"] == "jsonl_monitor"
    assert json.loads(with_uuid["payload"])["entry_data"]["uuid"] == "one"
    entry = json.loads(without["payload"])["entry_data"]
    assert "uuid" not in entry and entry["timestamp"].endswith("Z")


def test_the_same_seed_gives_the_same_stream(pipeline: Pipeline, tmp_path: Path) -> None:
    streams = []
    for name in ("one", "other"):
        pipeline.client.delete(QUEUE)
        with Pipeline(pipeline.redis_url, tmp_path / name, seed=3) as again:
            again.enqueue_cursor(3, at=NOW)
            again.enqueue_claude(3, at=NOW)
            streams.append(again.client.xrange(QUEUE))
    assert streams[0] == streams[1]


def test_faked_time_is_in_ids_fields_and_rows(pipeline: Pipeline) -> None:
    ids = pipeline.enqueue_cursor(2, at=NOW, spread=timedelta(seconds=10))
    assert ids == [f"{NOW_MILLISECONDS}-0", f"{NOW_MILLISECONDS + 5_000}-0"]
    assert fields_of(pipeline)[1]["enqueued_at"] == "2025-06-01T12:00:05+00:00"
    pipeline.drain()
    rows = query(pipeline.database, "SELECT ingested_at FROM cursor_raw_traces")
    assert rows == [("2025-06-01 12:00:00",), ("2025-06-01 12:00:05",)]


def test_ids_never_run_backwards(pipeline: Pipeline) -> None:
    (newest,) = pipeline.enqueue_cursor(1, at=NOW)
    older = pipeline.enqueue_cursor(2, at=NOW - timedelta(hours=1))
    assert [newest, *older] == [f"{NOW_MILLISECONDS}-{sequence}" for sequence in range(3)]
    pipeline.drain()
    assert count_rows(pipeline.database, "cursor_raw_traces") == 3


def test_without_a_time_the_server_makes_the_ids(pipeline: Pipeline) -> None:
    (entry_id,) = pipeline.enqueue_cursor(1)
    seconds = int(entry_id.partition("-")[0]) / 1_000
    assert abs(datetime.now(UTC).timestamp() - seconds) < 60


@pytest.mark.parametrize("size", [200, 5_000])
def test_payloads_of_a_given_size(size: int, pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1, payload_bytes=size)
    pipeline.enqueue_claude(1, payload_bytes=size)
    assert [len(message["payload"]) for message in fields_of(pipeline)] == [size, size]


def test_fields_can_be_changed_and_left_out(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1, event_ids=["mine"], event_type="other", metadata=None)
    (message,) = fields_of(pipeline)
    assert (message["event_id"], message["event_type"]) == ("mine", "other")
    assert "metadata" not in message


def test_raw_messages_may_hold_anything(pipeline: Pipeline) -> None:
    enqueue_raw(pipeline, {b"payload": b"\xff\xfe", "platform": "cursor"})
    pipeline.drain()
    assert pending(pipeline, CURSOR) == 0
    assert count_rows(pipeline.database, "cursor_raw_traces") == 0


# Consumers


def test_everything_is_written_once_and_what_nobody_owns_is_acknowledged(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(150)
    pipeline.enqueue_cursor(10, source="unified_monitor")
    pipeline.enqueue_claude(120)
    pipeline.enqueue_claude_hook(2)
    pipeline.enqueue_skipped(20)
    pipeline.drain()
    assert count_rows(pipeline.database, "cursor_raw_traces") == 160
    assert count_rows(pipeline.database, "claude_raw_traces") == 122
    for group in pipeline.client.xinfo_groups(QUEUE):
        assert (group["pending"], group["lag"]) == (0, 0)


def test_rows_can_be_found_again(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1, event_ids=["e"])
    pipeline.enqueue_claude(1, session="s", uuids=["u"])
    (no_uuid,) = pipeline.enqueue_claude(1, session="s", uuids=[None])
    pipeline.drain()
    assert query(pipeline.database, "SELECT event_id FROM cursor_raw_traces") == [("e",)]
    rows = query(pipeline.database, "SELECT external_id, uuid, timestamp FROM claude_raw_traces ORDER BY sequence")
    assert [row[:2] for row in rows] == [("s", "u"), ("s", None)]
    assert rows[1][2] == json.loads(fields_of(pipeline)[2]["payload"])["entry_data"]["timestamp"]
    ((event_id, event_data),) = query(
        pipeline.database, "SELECT event_id, event_data FROM claude_raw_traces WHERE uuid IS NULL"
    )
    assert event_id == no_uuid
    assert json.loads(zlib.decompress(event_data))["session_id"] == "s"


def test_cursors_writer_tries_once_and_claudes_for_ever(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3, event_ids=["same", "same", "other"])
    pipeline.enqueue_claude(3, session="s", uuids=["same", "same", "other"])
    for _ in range(5):
        pipeline.step(CURSOR)
        pipeline.step(CLAUDE)
    deliveries = [
        {entry["times_delivered"] for entry in pipeline.client.xpending_range(QUEUE, group, "-", "+", 10)}
        for group in (CURSOR, CLAUDE)
    ]
    assert deliveries == [{1}, {5}]
    assert (pending(pipeline, CURSOR), pending(pipeline, CLAUDE)) == (3, 3)
    assert (pipeline.home / "server.log").read_text().count("IntegrityError") == 6


def test_a_payload_that_is_no_object_is_acknowledged_unwritten(pipeline: Pipeline) -> None:
    for payload in ("text", ["list"], 5):
        pipeline.enqueue_cursor(1, payload=payload)
    enqueue_raw(pipeline, {"platform": "cursor", "event_id": "x", "payload": "{broken"})
    pipeline.enqueue_cursor(1, payload={})
    pipeline.drain()
    assert pending(pipeline, CURSOR) == 0
    assert count_rows(pipeline.database, "cursor_raw_traces") == 1


def test_a_failed_batch_leaves_no_row_of_it(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1, event_ids=["a"])
    pipeline.drain()
    pipeline.enqueue_cursor(2, event_ids=["b", "a"])
    with pytest.raises(sqlite3.IntegrityError):
        pipeline.write(pipeline.deliver(CURSOR))
    assert count_rows(pipeline.database, "cursor_raw_traces") == 1


def test_rows_written_later_are_never_of_an_earlier_second(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(2, at=NOW, spread=timedelta(minutes=2))
    early, late = pipeline.deliver(CURSOR)
    pipeline.write([late])
    pipeline.write([early])
    pipeline.enqueue_cursor(1, at=NOW + timedelta(minutes=5))
    pipeline.write(pipeline.deliver(CURSOR), at=NOW + timedelta(hours=1))
    times = [time for (time,) in query(pipeline.database, "SELECT ingested_at FROM cursor_raw_traces")]
    assert times == ["2025-06-01 12:01:00", "2025-06-01 12:01:00", "2025-06-01 13:00:00"]


def test_pending_entries_can_be_aged(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(1_200)
    pipeline.deliver(CURSOR)
    assert pipeline.age_pending(CURSOR, milliseconds=90_000, deliveries=4) == 1_200
    assert pipeline.age_pending(CLAUDE, milliseconds=90_000) == 0
    entries = pipeline.client.xpending_range(QUEUE, CURSOR, "-", "+", 2_000)
    assert len(entries) == 1_200
    assert all(int(entry["time_since_delivered"]) >= 90_000 for entry in entries)
    assert {entry["times_delivered"] for entry in entries} == {4}


def test_a_pending_entry_that_was_trimmed_stays_pending(pipeline: Pipeline) -> None:
    pipeline.enqueue_claude(2)
    pipeline.deliver(CLAUDE)
    pipeline.client.xtrim(QUEUE, maxlen=0, approximate=False)
    pipeline.step(CLAUDE)
    assert pending(pipeline, CLAUDE) == 2
    assert count_rows(pipeline.database, "claude_raw_traces") == 0


@pytest.mark.parametrize(
    ("shape", "stream", "fields"),
    [
        ("claude", "telemetry:dlq", {"message_id", "retry_count", "event"}),
        (
            "cursor",
            "telemetry:message_queue:dlq",
            {"original_entry_id", "moved_to_dlq_at", "stream", "consumer_group", "event_id", "payload"},
        ),
        (
            "queue_writer",
            "telemetry:dlq",
            {
                "original_event_id",
                "original_data",
                "error_type",
                "error_message",
                "retry_count",
                "dlq_queued_at",
                "can_retry",
            },
        ),
    ],
)
def test_dead_letters(shape: str, stream: str, fields: set[str], pipeline: Pipeline) -> None:
    (entry_id,) = pipeline.enqueue_cursor(1)
    pipeline.deliver(CURSOR)
    added = pipeline.dead_letter(entry_id, shape, at=NOW, error=ValueError("why"))  # type: ignore[arg-type]
    assert added == f"{NOW_MILLISECONDS}-0"
    ((_, found),) = pipeline.client.xrange(stream) or []
    assert found and fields <= set(found)
    assert found.get("error_message", "why") == "why"
    assert pending(pipeline, CURSOR) == 0


def test_a_dead_letter_needs_its_message(pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="not enough values"):
        pipeline.dead_letter("1-1")


# Files and the database


def test_a_locked_database_refuses_writers_only_while_it_is_locked(pipeline: Pipeline) -> None:
    pipeline.enqueue_claude(1)
    with contextlib.suppress(KeyError), pipeline.lock_database():
        pipeline.step(CLAUDE)
        assert pending(pipeline, CLAUDE) == 1
        raise KeyError  # also unlocked by an error
    pipeline.step(CLAUDE)
    assert pending(pipeline, CLAUDE) == 0
    assert count_rows(pipeline.database, "claude_raw_traces") == 1


def test_a_writer_waits_for_a_lock_of_somebody_else(pipeline: Pipeline) -> None:
    """As Blueplane's does, for sqlite3's 5 s: one that gave up at once would leave its batch stuck."""
    pipeline.enqueue_cursor(1)
    with contextlib.closing(schema.connect(pipeline.database)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        writer = threading.Thread(target=pipeline.step, args=(CURSOR,))
        writer.start()
        writer.join(0.3)
        holder.execute("ROLLBACK")
        writer.join()
    assert pending(pipeline, CURSOR) == 0
    assert count_rows(pipeline.database, "cursor_raw_traces") == 1


def test_settings_of_the_earlier_layout(pipeline: Pipeline, tmp_path: Path) -> None:
    with EarlierPipeline(pipeline.redis_url, tmp_path / "earlier") as earlier:
        settings = yaml.safe_load((earlier.home / "redis.yaml").read_text())
        assert settings["streams"]["message_queue"]["name"] == "telemetry:events"
        earlier.enqueue_cursor(1)
        earlier.enqueue_claude(1)
        earlier.enqueue_skipped(1)
        enqueue_raw(earlier, {"event_id": "nobody's", "payload": "{}"})
        earlier.drain()
        assert count_rows(earlier.database, "raw_traces") == 4, "its one writer wrote whatever came"


def test_a_pipeline_can_be_opened_again(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(2, at=NOW)
    with Pipeline(pipeline.redis_url, pipeline.home, seed=8) as again:
        again.enqueue_cursor(1)
        again.drain()
    assert count_rows(pipeline.database, "cursor_raw_traces") == 3

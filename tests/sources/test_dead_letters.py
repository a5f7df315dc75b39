"""Dead-letter entries of all shapes: when, and which message they name."""

import json
from datetime import UTC, datetime

import pytest

from blueplane_doctor.demo.messages import SHAPES
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.dead_letters import DeadLetterIndex, DeadLetterReader, parse_dead_letter_entry
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.text.times import to_milliseconds

ID = b"1795358495737-0"
STREAM = "telemetry:dlq"
WHEN = datetime(2026, 11, 22, 14, 42, 6, 213_000, tzinfo=UTC)


def entry(**fields: str | bytes) -> tuple[bytes, list[bytes]]:
    flat = [part if isinstance(part, bytes) else part.encode() for pair in fields.items() for part in pair]
    return b"1795358500000-3", flat


@pytest.mark.parametrize(
    ("raw", "shape", "message_id", "event_id"),
    [
        (entry(message_id=ID, retry_count="3", event="null"), "claude_consumer", ID, None),
        (entry(message_id=ID, event='{"event_id": "e-1"}'), "claude_consumer", ID, b"e-1"),
        (entry(message_id=ID, event='{"event_id": 7}'), "claude_consumer", ID, b"7"),
        (entry(message_id=ID, event="no json"), "claude_consumer", ID, None),
        (entry(message_id=ID, event="[" * 50_000), "claude_consumer", ID, None),
        (entry(message_id=ID, event="[1]"), "claude_consumer", ID, None),
        (entry(message_id=ID), "claude_consumer", ID, None),
        (entry(original_event_id="e-2", original_data="{}"), "queue_writer", None, b"e-2"),
        (entry(original_event_id="unknown"), "queue_writer", None, None),
        (entry(event_id="e-3", original_entry_id=ID, stream="s"), "cursor_consumer", ID, b"e-3"),
        (entry(original_entry_id=ID), "cursor_consumer", ID, None),
        (entry(event_id="e-4", payload="{}"), "unknown", None, b"e-4"),
        (entry(x="y"), "unknown", None, None),
        (entry(), "unknown", None, None),
    ],
)
def test_each_shape_names_its_message(
    raw: tuple[bytes, list[bytes]], shape: str, message_id: bytes | None, event_id: bytes | None
) -> None:
    letter = parse_dead_letter_entry(STREAM, raw)
    assert (letter.shape, letter.message_id, letter.event_id) == (shape, message_id, event_id)
    assert letter.queued_ms == 1_795_358_500_000
    assert letter.id == (1_795_358_500_000, 3)


@pytest.mark.parametrize("field", ["moved_to_dlq_at", "dlq_queued_at"])
@pytest.mark.parametrize(
    "text", ["2026-11-22T14:42:06.213278+00:00", "2026-11-22T14:42:06.213278Z", "2026-11-22 14:42:06.213278"]
)
def test_the_time_in_the_entry_counts(field: str, text: str) -> None:
    shape = {"moved_to_dlq_at": "original_entry_id", "dlq_queued_at": "original_event_id"}[field]
    letter = parse_dead_letter_entry(STREAM, entry(**{shape: "x", field: text}))
    assert abs(letter.queued_ms - to_milliseconds(WHEN)) <= 1


@pytest.mark.parametrize("text", ["", "soon", "\xff", "99999-01-01"])
def test_without_a_time_that_can_be_read_the_id_tells(text: str) -> None:
    letter = parse_dead_letter_entry(STREAM, entry(original_entry_id=ID, moved_to_dlq_at=text))
    assert letter.queued_ms == 1_795_358_500_000


def test_private_text_is_not_in_its_representation() -> None:
    assert "geheim" not in repr(
        parse_dead_letter_entry(STREAM, entry(message_id=ID, event=json.dumps({"text": "geheim"})))
    )


def test_hours_are_counted_by_age() -> None:
    now = 1_795_358_500_000
    found = DeadLetterIndex()
    for minutes in (0, 59, 60, 119, 120, 500):
        raw = (f"{now - minutes * 60_000}-0".encode(), [b"message_id", ID])
        found.add(parse_dead_letter_entry(STREAM, raw), now)
    assert (found.last_hour, found.hour_before) == (2, 2)
    assert found.oldest_ms == now - 500 * 60_000


def test_names_by_either_id() -> None:
    found = DeadLetterIndex(message_ids={ID}, event_ids={b"e-1"})
    assert found.names(ID, None) and found.names(b"1-1", b"e-1")
    assert not found.names(b"1-1", b"e-2") and not found.names(b"1-1", None)


@pytest.mark.server
def test_the_reader_reads_on_and_counts_nothing_twice(pipeline: Pipeline, valkey: RunningServer) -> None:
    source = RedisSource(valkey.url, Deadline(10))
    reader = DeadLetterReader(source, pipeline.layout.dead_letters, to_milliseconds(datetime.now(UTC)), None)
    try:
        assert reader.catch_up().total == 0
        messages = [*pipeline.enqueue_cursor(7), *pipeline.enqueue_claude(2)]
        for index, message in enumerate(messages[:5]):
            pipeline.dead_letter(message, SHAPES[index % 3])
        assert reader.catch_up().total == 5
        assert reader.catch_up().total == 5
        for message in messages[5:]:
            pipeline.dead_letter(message, "cursor")
        assert reader.catch_up().sizes == {"telemetry:dlq": 3, "telemetry:message_queue:dlq": 6}
        assert reader.index.last_hour == 9
        assert sum(reader.index.names(m.encode(), None) for m in messages) == 8, "one is named by its event_id alone"
    finally:
        source.close()

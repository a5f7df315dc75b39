"""Large pipelines to measure on: a stream and a database of any size, made quickly and alike."""

import json
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import redis

from blueplane_doctor.demo.schema import connect, create_database

QUEUE = "telemetry:message_queue"
GROUPS = ("processors", "claude_processors")
PAYLOAD_BYTES = 1_000


def message_uuid(number: int) -> str:
    """The key of message `number`: random to look at, always the same."""
    return str(uuid.UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % (1 << 128)))


def is_claude(number: int) -> bool:
    """Every third message is of Claude Code."""
    return number % 3 == 2


def fields(number: int, payload_bytes: int = PAYLOAD_BYTES) -> dict[str, str]:
    """One message as the real producers write it."""
    filler = "x" * payload_bytes
    common = {"session_id": "session-1", "external_session_id": "session-1", "timestamp": "2026-01-01T12:00:00.000Z"}
    if is_claude(number):
        entry = {
            "uuid": message_uuid(number),
            "type": "assistant",
            "timestamp": "2026-01-01T12:00:00.000Z",
            "text": filler,
        }
        return common | {
            "platform": "claude_code",
            "hook_type": "JSONLTrace",
            "event_type": "assistant",
            "metadata": json.dumps({"source": "jsonl_monitor", "workspace_hash": "abc", "project_name": "p"}),
            "payload": json.dumps({"entry_data": entry}),
        }
    return common | {
        "event_id": message_uuid(number),
        "enqueued_at": "2026-01-01T12:00:00.000000+00:00",
        "platform": "cursor",
        "hook_type": "afterAgentResponse",
        "event_type": "assistant_response",
        "metadata": json.dumps({"workspace_hash": "abc"}),
        "payload": json.dumps({"text": filler}),
    }


def make_stream(
    url: str, messages: int, *, heavy_every: int = 0, heavy_bytes: int = 0, acknowledged: bool = True
) -> None:
    """A stream of that many messages, read and acknowledged by both writer groups."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
        for group in GROUPS:
            client.xgroup_create(QUEUE, group, id="0", mkstream=True)
        pipeline = client.pipeline(transaction=False)
        for number in range(messages):
            heavy = heavy_every and number % heavy_every == heavy_every - 1
            pipeline.xadd(QUEUE, fields(number, heavy_bytes if heavy else PAYLOAD_BYTES))
            if number % (10 if heavy_every else 1000) == 0:
                pipeline.execute()
        pipeline.execute()
        for group in GROUPS if acknowledged else ():
            while entries := client.xreadgroup(group, "consumer-1", {QUEUE: ">"}, count=50 if heavy_every else 1000):
                client.xack(QUEUE, group, *[identity for identity, _ in entries[0][1]])


def make_database(path: Path, rows: int, messages: int) -> None:
    """A database of that many rows; the last `messages` of them are the rows of the stream's messages."""
    create_database(path)
    with closing(connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        cursor = []
        claude = []
        for number in range(messages - rows, messages):
            key = message_uuid(number)
            if is_claude(number):
                claude.append(
                    (key, "session-1", "assistant", "claude_code", "2026-01-01T12:00:00.000Z", key, b"x" * 200)
                )
            else:
                cursor.append(
                    (key, "assistant_response", "2026-01-01T12:00:00+00:00", "w", "abc", "T", "k", b"x" * 200)
                )
        database.executemany(
            "INSERT INTO cursor_raw_traces (event_id, event_type, timestamp, storage_level, workspace_hash, "
            "database_table, item_key, event_data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            cursor,
        )
        database.executemany(
            "INSERT INTO claude_raw_traces (event_id, external_id, event_type, platform, timestamp, uuid, event_data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            claude,
        )
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def make(url: str, database: Path | None, messages: int, rows: int, heavy_every: int = 0, heavy_bytes: int = 0) -> None:
    """Make both in a process of their own: what a parent once used counts as the peak of its children."""
    words = [url, str(database or ""), str(messages), str(rows), str(heavy_every), str(heavy_bytes)]
    subprocess.run([sys.executable, "-m", "benchmarks.scene", *words], check=True)


if __name__ == "__main__":
    where, file, *numbers = sys.argv[1:]
    many, in_table, every, size = map(int, numbers)
    make_stream(where, many, heavy_every=every, heavy_bytes=size)
    if file:
        make_database(Path(file), in_table, many)

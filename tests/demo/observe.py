"""What plain redis-py and sqlite3 see of a pipeline: no code of the doctor, none of the simulator's own."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple

import redis

QUEUE = "telemetry:message_queue"
DEAD_LETTERS = ("telemetry:dlq", "telemetry:message_queue:dlq")


class Seen(NamedTuple):
    """Pending and lag of each group, rows of each trace table, length of each dead-letter stream."""

    pending: dict[str, int]
    lag: dict[str, int | None]
    rows: dict[str, int]
    dead_letters: list[int]


def lag_after_trimming(client: redis.Redis, unread: int, waits: int) -> int:
    """What XINFO GROUPS says of trimmed messages: Redis 8 counts only what waits, all others what was ever unread."""
    server = client.info("server")
    is_redis_8 = "valkey_version" not in server and int(server["redis_version"].split(".")[0]) >= 8
    return waits if is_redis_8 else unread


def count_rows(database: Path, table: str) -> int:
    return int(query(database, f"SELECT count(*) FROM {table}")[0][0])


def query(database: Path, statement: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


def see(url: str, database: Path) -> Seen:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        groups = client.xinfo_groups(QUEUE)
        dead_letters = [client.xlen(stream) for stream in DEAD_LETTERS]
    return Seen(
        pending={group["name"]: group["pending"] for group in groups if group["pending"]},
        lag={group["name"]: group["lag"] for group in groups if group["lag"] != 0},
        rows={
            table: count
            for table in ("cursor_raw_traces", "claude_raw_traces")
            if (count := count_rows(database, table))
        },
        dead_letters=dead_letters,
    )

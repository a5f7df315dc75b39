"""The floor: a bare script that makes the same raw reads and look-ups, and drops the results.

Stands alone on purpose: redis and sqlite3 are all that it imports. Called with a Redis URL, a database, and the
number of messages a page.
"""

import json
import sqlite3
import sys

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

QUEUE = "telemetry:message_queue"
BATCH = 200


def look_up(database: sqlite3.Connection, table: str, columns: tuple[str, ...], keys: list[tuple[str, ...]]) -> None:
    """The same query as the doctor's."""
    names = ", ".join(f"k{i}" for i in range(len(columns)))
    match = " AND ".join(f't."{c}" = w.k{i}' for i, c in enumerate(columns))
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        groups = ", ".join(["(" + ", ".join("?" * len(columns)) + ")"] * len(batch))
        sql = (
            f"WITH w({names}) AS (VALUES {groups}) SELECT {names}, t.sequence FROM w CROSS JOIN "
            f'"{table}" AS t ON {match} ORDER BY t.sequence'
        )
        values: list[object] = []
        for key in batch:
            values += key
        database.execute(sql, values).fetchall()


def main() -> None:
    """Read everything once."""
    url = sys.argv[1]
    path = sys.argv[2]
    count = int(sys.argv[3])
    client = redis.Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0), driver_info=None)
    connection = client.connection_pool.get_connection()

    def ask(*commands: tuple[str | bytes | int, ...]) -> list:  # type: ignore[type-arg]
        connection.send_packed_command(connection.pack_commands(commands))
        return [connection.read_response(disable_decoding=True) for _ in commands]

    ask(("XINFO", "STREAM", QUEUE), ("XINFO", "GROUPS", QUEUE), ("INFO",))
    ask(*[("XINFO", "CONSUMERS", QUEUE, g) for g in ("processors", "claude_processors")])
    ask(*[("XPENDING", QUEUE, g, "-", "+", 1000) for g in ("processors", "claude_processors")])
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    start = "-"
    while True:
        (page,) = ask(("XRANGE", QUEUE, start, "+", "COUNT", count))
        if not page:
            break
        cursor = []
        claude = []
        for _, flat in page:  # finding the keys is part of the look-up
            values = dict(zip(flat[::2], flat[1::2], strict=True))
            if b"event_id" in values:
                cursor.append((values[b"event_id"].decode(),))
            else:
                uuid = json.loads(values[b"payload"])["entry_data"]["uuid"]
                claude.append((values[b"session_id"].decode(), uuid))
        look_up(database, "cursor_raw_traces", ("event_id",), cursor)
        look_up(database, "claude_raw_traces", ("external_id", "uuid"), claude)
        start = "(" + page[-1][0].decode()
    database.close()


if __name__ == "__main__":
    main()

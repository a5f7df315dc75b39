"""A Blueplane pipeline made by hand on a real server: what producers, writers and people do to it, step by step.

    with Situation("redis-7.0", folder) as situation:
        ids = situation.add_cursor(60)
        situation.deliver("processors")
        situation.write(ids[:48])
        situation.acknowledge("processors", ids)
        examination = situation.doctor()

Ages are set with explicit IDs and XCLAIM … IDLE, nothing sleeps. A ledger keeps what was done, apart from Redis and
SQLite, so that a test can say what is true without asking the doctor.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from blueplane_doctor.demo.schema import create_database
from tests.servers import require_server
from tests.truth import messages, rows
from tests.truth.examination import Examination, examine, run_doctor
from tests.truth.home import Home
from tests.truth.live_server import LiveServer, running_live_server
from tests.truth.messages import QUEUE, READER_GROUPS, WRITER_GROUPS, Fields, Message, Shape
from tests.truth.redis_process import RedisProcess, running_redis
from tests.truth.truth import Truth

_CLAIM_AT_ONCE = 1_000


class Situation(Home):
    """One pipeline: its Redis, its home, its database, and the ledger of what happened to each message."""

    def __init__(self, server: str, folder: Path, *, groups: Sequence[str] = (), **options: str) -> None:
        """`options` are lines of redis.conf with `_` for `-`; `groups` are made at ID 0, by default all five."""
        super().__init__(folder)
        self.server_name = server
        self.program = require_server(server)
        self.truth = Truth()
        self.messages: dict[str, Message] = {}
        self.delivered: dict[str, set[str]] = {}
        self.acknowledged: dict[str, set[str]] = {}
        self.written: set[str] = set()
        self.letters: dict[str, str] = {}
        """Of each dead letter's `STREAM ID` the message's ID."""
        self._resources = contextlib.ExitStack()
        self._groups = groups or (*WRITER_GROUPS, *READER_GROUPS)
        self._options = options

    def __enter__(self) -> Self:
        try:
            self.redis = self.another_redis(**self._options)
            self.client = self.open_client(self.redis)
            self.home.mkdir(parents=True)
            create_database(self.database)
            for group in self._groups:
                self.make_group(group)
            self.write_settings()
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    # Servers

    def another_redis(self, **options: str) -> RedisProcess:
        """One more server of the same program, ended with the situation."""
        number = sum(1 for _ in self.folder.glob("redis-*")) + 1
        lines = {name.replace("_", "-"): value for name, value in options.items()}
        return self._resources.enter_context(running_redis(self.program, self.folder / f"redis-{number}", lines))

    def open_client(self, process: RedisProcess) -> Any:
        """A client of that server, closed with the situation."""
        return self._resources.enter_context(process.client())

    def hold(self, resource: contextlib.AbstractContextManager[Any]) -> Any:
        """Keep something open until the situation ends."""
        return self._resources.enter_context(resource)

    def at_end(self, undo: Callable[[], object]) -> None:
        """Call this when the situation ends."""
        self._resources.callback(undo)

    def live_server(self, *, redis_port: int | None = None, settings: bool = True) -> LiveServer:
        """Run a stand-in for Blueplane's server: it answers, its pid file and its log are there.

        Consumers are named after it from here on. `redis_port`: the Redis it is connected to, if another.
        """
        port = self.redis.port if redis_port is None else redis_port
        server: LiveServer = self.hold(running_live_server(self.folder / "checkout", self.user_home, redis_port=port))
        self.pid = server.pid
        self.write_pid_file(server.pid)
        self.log("INFO", f"Successfully connected to Redis at 127.0.0.1:{port}")
        self.log("INFO", "started")
        if settings:
            self.write_settings(http_port=server.port)
        return server

    # Producers

    def add(self, entries: Sequence[Fields], *, ids: Sequence[str] = (), max_length: int | None = None) -> list[str]:
        """Add messages of exactly these fields. Their IDs are the server's unless `ids` are given."""
        with self.client.pipeline(transaction=False) as commands:
            for index, fields in enumerate(entries):
                entry_id = ids[index] if ids else "*"
                commands.xadd(QUEUE, fields, id=entry_id, maxlen=max_length, approximate=True)
            added: list[str] = commands.execute()
        for entry_id, fields in zip(added, entries, strict=True):
            self.messages[entry_id] = Message(entry_id, fields, messages.owner_of(fields))
        return added

    def add_at(
        self, make: Callable[[datetime], Fields], count: int, *, ago_s: float | None = None, spread_s: float = 0
    ) -> list[str]:
        """Add messages that `make` makes. With `ago_s` the first is that old, and the others follow over `spread_s`."""
        start = messages.now() - timedelta(seconds=ago_s or 0)
        # Without a spread a microsecond apart: no two lines of a transcript have the same time.
        step = timedelta(seconds=spread_s) / max(count, 1) or timedelta(microseconds=1)
        times = [start + index * step for index in range(count)]
        entries = [make(when) for when in times]
        if ago_s is None:
            return self.add(entries)
        return self.add(entries, ids=self._ids(times))

    def _ids(self, times: Iterable[datetime]) -> list[str]:
        newest = "0-0"
        if self.client.exists(QUEUE):
            newest = self.client.xinfo_stream(QUEUE)["last-generated-id"]
        last, sequence = map(int, newest.split("-"))
        made = []
        for when in times:
            millisecond = max(int(when.timestamp() * 1000), last)  # an ID never goes back, the server refuses it
            sequence = sequence + 1 if millisecond == last else 0
            last = millisecond
            made.append(f"{millisecond}-{sequence}")
        return made

    def add_cursor(
        self, count: int, *, ago_s: float | None = None, spread_s: float = 0, source: str = "", event_ids: Any = ()
    ) -> list[str]:
        """Add messages of Cursor's hooks, or of its database monitor where a `source` is named."""
        given = iter(event_ids)

        def make(when: datetime) -> Fields:
            if source:
                return messages.cursor_monitor(when, source)
            return messages.cursor_hook(when, event_id=next(given, ""))

        return self.add_at(make, count, ago_s=ago_s, spread_s=spread_s)

    def add_claude(
        self, count: int, *, ago_s: float | None = None, spread_s: float = 0, uuids: Any = (), size: int = 0
    ) -> list[str]:
        """Add lines of a Claude transcript, each with `size` bytes of text more."""
        given = iter(uuids)
        return self.add_at(
            lambda when: messages.claude_line(when, entry_uuid=next(given, ""), size=size),
            count,
            ago_s=ago_s,
            spread_s=spread_s,
        )

    def add_unwritten(self, count: int, *, ago_s: float | None = None) -> list[str]:
        """Add messages of Claude's that by design nobody writes."""
        return self.add_at(messages.claude_tool_use, count, ago_s=ago_s)

    def add_malformed(self, count: int, payload: object = ("a", "list"), *, ago_s: float | None = None) -> list[str]:
        """Add Cursor messages whose payload is no object: their writer acknowledges them and writes nothing."""
        return self.add_at(lambda when: messages.cursor_hook(when, payload=payload), count, ago_s=ago_s)

    # Groups

    def make_group(self, group: str, start: str = "0") -> None:
        """Make a consumer group; the stream with it where there is none."""
        self.client.xgroup_create(QUEUE, group, id=start, mkstream=True)

    def make_groups_anew(self, *groups: str, start: str = "0") -> None:
        """Destroy groups and make them again, by default the two writer groups."""
        for group in groups or WRITER_GROUPS:
            self.client.xgroup_destroy(QUEUE, group)
            self.make_group(group, start)

    def rewind(self, start: str, *groups: str) -> None:
        """XGROUP SETID, by default of the two writer groups."""
        for group in groups or WRITER_GROUPS:
            self.client.xgroup_setid(QUEUE, group, start)

    # Writers and readers

    def deliver(self, group: str, count: int = 1_000_000, *, consumer: str = "") -> list[str]:
        """Give the group its next entries: delivered, not acknowledged."""
        reply = self.client.xreadgroup(group, consumer or self.consumer(group), {QUEUE: ">"}, count=count)
        entries = _first_stream(reply)
        ids = [entry_id for entry_id, _ in entries]
        self.delivered.setdefault(group, set()).update(ids)
        return ids

    def acknowledge(self, group: str, ids: Sequence[str]) -> None:
        """XACK these entries."""
        self.acknowledged.setdefault(group, set()).update(ids)
        for start in range(0, len(ids), _CLAIM_AT_ONCE):
            self.client.xack(QUEUE, group, *ids[start : start + _CLAIM_AT_ONCE])

    def write(
        self, ids: Iterable[str], *, ago_s: float = 0, database: Path | None = None, prompt: bool = False
    ) -> None:
        """Write the rows of these messages; those of no one, and those with a malformed payload, have none.

        `prompt`: a second after each message, where that is longer ago than `ago_s`.
        """
        chosen = [self.messages[entry_id] for entry_id in ids]
        when = messages.now() - timedelta(seconds=ago_s)
        wrote = rows.write(database or self.database, chosen, when, prompt=prompt)
        if database is None:
            self.written.update(wrote)

    def work(self, *groups: str, ago_s: float = 0) -> None:
        """Let groups, by default all, do all their work: take what is new, write what is theirs, acknowledge.

        With `ago_s` it is long done: every row was written when its message came.
        """
        existing = [info["name"] for info in self.client.xinfo_groups(QUEUE)]
        for group in groups or existing:
            ids = self.deliver(group)
            own = [entry_id for entry_id in ids if self.messages[entry_id].group == group]
            self.write(own, ago_s=ago_s, prompt=ago_s > 0)
            self.acknowledge(group, ids)

    def pass_over(self, *groups: str) -> None:
        """Let groups take all that is new and acknowledge it unwritten."""
        for group in groups:
            self.acknowledge(group, self.deliver(group))

    def healthy_work(self, cursor: int = 60, claude: int = 16, unwritten: int = 4, *, ago_s: float = 60) -> list[str]:
        """Some busy, healthy time: all kinds of messages, all handled. Its messages' IDs."""
        ids = self.add_cursor(cursor, ago_s=ago_s, spread_s=ago_s / 4)
        ids += self.add_claude(claude, ago_s=ago_s * 0.7, spread_s=ago_s / 4)
        ids += self.add_unwritten(unwritten, ago_s=ago_s * 0.4)
        self.work(ago_s=ago_s * 0.3)
        return ids

    def age(
        self, group: str, ids: Sequence[str], *, idle_ms: int, deliveries: int = 1, consumer: str | None = None
    ) -> None:
        """Make pending entries that long unacknowledged, delivered that often, held by that consumer.

        XCLAIM drops pending entries that were trimmed from the stream: age first, trim afterwards.
        """
        holder = consumer or self.consumer(group)
        for start in range(0, len(ids), _CLAIM_AT_ONCE):
            some = ids[start : start + _CLAIM_AT_ONCE]
            self.client.xclaim(QUEUE, group, holder, 0, some, idle=idle_ms, retrycount=deliveries, justid=True)

    def dead_letter(self, ids: Iterable[str], shape: Shape, *, max_length: int | None = None) -> list[str]:
        """Give messages up: add their dead letters. Acknowledging is a step of its own."""
        made = []
        for entry_id in ids:
            stream, fields = messages.dead_letter(shape, self.messages[entry_id], messages.now())
            letter_id = self.client.xadd(stream, fields, maxlen=max_length, approximate=False)
            self.letters[f"{stream} {letter_id}"] = entry_id
            made.append(letter_id)
        return made

    def trim(self, keep: int) -> int:
        """Trim the stream to exactly so many entries; how many went."""
        removed: int = self.client.xtrim(QUEUE, maxlen=keep, approximate=False)
        return removed

    # The doctor

    def doctor(self, *arguments: str, redis_url: str | None = None, timeout: float = 60, **more: str) -> "Examination":
        """Examine this pipeline; `more` is added to the doctor's environment. With arguments it is run as a process.

        An empty `redis_url` leaves that option out, so that the settings decide.
        """
        url = self.redis.url if redis_url is None else redis_url
        if not arguments:
            return examine({"home": self.home, "redis_url": url or None}, self.environment(**more))
        where = ["--home", str(self.home)]
        if url:
            where += ["--redis-url", url]
        return run_doctor([*where, *arguments], self.environment(**more), timeout)


def _first_stream(reply: Any) -> list[tuple[str, Mapping[str, str] | None]]:
    """The entries of the one stream in an XREADGROUP reply, which redis-py shapes by the protocol's version."""
    if not reply:
        return []
    if isinstance(reply, dict):
        streams = list(reply.values())
        return streams[0][0] if isinstance(streams[0][0], list) else streams[0]
    entries: list[tuple[str, Mapping[str, str] | None]] = reply[0][1]
    return entries

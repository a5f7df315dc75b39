"""One examination of one pipeline: every source opened at most once, every shared reading made at most once."""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from functools import wraps
from threading import RLock
from typing import Any, NamedTuple, TypeVar

from blueplane_doctor.custody.judge import CustodyJudge, JudgedPage
from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.ledger_builder import LedgerBuilder
from blueplane_doctor.custody.losses import count_short_queues
from blueplane_doctor.custody.routing import Router, routes_in_force
from blueplane_doctor.custody.shared_groups import SharedGroup, known_servers, may_be_shared, shared_group
from blueplane_doctor.errors import SourceError, SourceMissing, SourceTooFull
from blueplane_doctor.layouts import Route
from blueplane_doctor.pipeline import READER_GROUPS, TRACE_TABLES
from blueplane_doctor.recording.reading import Recorded, read_recorded
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.claimed_consumers import read_claims, without_claims
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.dead_letters import DeadLetterEntry, DeadLetterReader, each_dead_letter_entry
from blueplane_doctor.sources.deleted_rows import DeletedRows, TableBeginning, read_beginnings
from blueplane_doctor.sources.redis_host import serves_this_host_alone
from blueplane_doctor.sources.redis_info import dataset_bytes, integer
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.sources.server_log import LogTail, read_log
from blueplane_doctor.sources.server_process import process_state, server_process
from blueplane_doctor.sources.streams import StreamState, read_stream
from blueplane_doctor.sources.throttle import Throttle
from blueplane_doctor.sources.trace_tables import RowFinder, Written, read_written
from blueplane_doctor.text.times import to_milliseconds

Answer = TypeVar("Answer")

RECORDED_MINUTES = 60
"""What recorders counted is added up over so many minutes."""


def once(read: Callable[["Examination"], Answer]) -> Callable[["Examination"], Answer]:
    """Make a method read at most once an examination; a failure is remembered as well."""

    @wraps(read)
    def remembered(self: "Examination") -> Answer:
        name = read.__name__
        # Monitors run in threads side by side: the second one to ask waits for the answer of the first.
        with self.locks.setdefault(name, RLock()):
            if name not in self.answers:
                try:
                    self.answers[name] = read(self)
                except SourceError as error:
                    self.answers[name] = error
            answer = self.answers[name]
        if isinstance(answer, SourceError):
            raise answer
        return answer  # type: ignore[no-any-return]  # stored by this very function, under this name

    return remembered


class ServerInfo(NamedTuple):
    """INFO of the Redis server, with the host's own time in the middle of the round trip."""

    fields: dict[str, str]
    host_ms: float

    @property
    def now_ms(self) -> int:
        """The server's time, milliseconds since 1970: what ages of stream entries are measured against."""
        microseconds = integer(self.fields.get("server_time_usec"))
        if not microseconds:
            return int(self.host_ms)
        return microseconds // 1000

    @property
    def commands_per_second(self) -> float:
        """What the server was doing lately, by its own mean."""
        return float(integer(self.fields.get("instantaneous_ops_per_sec")) or 0)

    @property
    def dataset_bytes(self) -> int | None:
        """Bytes that all keys together take."""
        return dataset_bytes(self.fields)


class Examination:
    """What the monitors read from: sources, shared readings, and the time at which it began."""

    def __init__(
        self,
        settings: Settings,
        progress: Callable[[int, int], None] | None = None,
        known_ids: Collection[str] = (),
        observe: Callable[[JudgedPage], None] | None = None,
    ) -> None:
        """`progress` is called with the messages read and all there are, page by page; `observe` with judged pages.

        `known_ids`: of the built-in checks and causes, which may be shown wherever they were read.
        """
        self.settings = settings
        self.known_ids = known_ids
        self._progress = progress
        self._observe = observe
        self.now = datetime.now(UTC)
        self.deadline = Deadline(settings.timeout)
        self.redis = RedisSource(settings.redis_url, self.deadline)
        self.database = DatabaseSource(settings.database_file, self.deadline)
        self.answers: dict[str, Any] = {}
        self.locks: dict[str, RLock] = {}

    def is_asked_for(self, reading: str) -> bool:
        """Whether somebody asked for a shared reading in this run, such as `ledger`: then to ask costs nothing more."""
        return reading in self.locks

    def close(self) -> None:
        """Close the sources."""
        self.redis.close()
        self.database.close()

    @once
    def server_info(self) -> ServerInfo:
        """INFO. Raises SourceError."""
        before = datetime.now(UTC).timestamp()
        fields = self.redis.info()
        after = datetime.now(UTC).timestamp()
        # The server answered somewhere between the two; the middle is wrong by half a round trip at most.
        return ServerInfo(fields, host_ms=1000 * (before + after) / 2)

    @once
    def server_config(self) -> dict[str, str]:
        """The settings of Redis that this user may ask for, without the others. Raises SourceError."""
        names = ("save", "stop-writes-on-bgsave-error", "min-replicas-to-write", "dir", "unixsocket", "bind")
        settings = {}
        # Redis before 7.0 takes one name at a time.
        for reply in self.redis.ask(*[("CONFIG", "GET", name) for name in names]):
            if isinstance(reply, list) and len(reply) == 2:
                name, value = (str(part, "utf-8", "replace") for part in reply)
                settings[name] = value
        return settings

    @once
    def stream(self) -> StreamState:
        """The queue stream and its groups. Raises SourceError."""
        state = read_stream(self.redis, self.settings.streams)
        try:
            return count_short_queues(self.redis, state)
        except SourceTooFull:
            return state  # all that needs no messages is known all the same

    @once
    def tables(self) -> frozenset[str]:
        """Tables of the telemetry database, of which a small one is looked through for damage. Raises SourceError."""
        self.database.look_for_damage()
        tables = self.database.tables()
        if tables.isdisjoint(TRACE_TABLES):
            self.database.look_for_another_log(TRACE_TABLES)
        return tables

    @once
    def trace_tables(self) -> tuple[str, ...]:
        """The tables that traces are written to, of those that exist. Raises SourceError."""
        return tuple(table for table in TRACE_TABLES if table in self.tables())

    @once
    def routes(self) -> tuple[Route, ...]:
        """The routes in force. Raises SourceError when the stream cannot be read."""
        return routes_in_force(self.stream().layout, self._known_tables(), self.settings)

    @once
    def writer_groups(self) -> tuple[str, ...]:
        """Names of the groups that write traces. Raises SourceError."""
        return tuple(dict.fromkeys(route.group for route in self.routes()))

    @once
    def written(self) -> Written:
        """What was written lately. Raises SourceError."""
        tables = self.trace_tables()
        if not tables:
            raise SourceMissing(
                f"{self.database.what} holds none of the tables {', '.join(TRACE_TABLES)}",
                "start the Blueplane server (restart it where it runs), or name the right file with --database",
            )
        return read_written(self.database, tables, self.now)

    @once
    def log(self) -> LogTail:
        """The tail of the server's log; empty when there is none."""
        return read_log(self.settings.home / "server.log", self.now)

    @once
    def dead_letters(self) -> DeadLetterReader:
        """The dead letters, read at least once. Raises SourceError."""
        info = self.server_info()
        reader = DeadLetterReader(self.redis, self.stream().dead_letters, info.now_ms, info.dataset_bytes)
        reader.catch_up()
        return reader

    def each_dead_letter(self, *, unreadable: type[SourceError] = SourceMissing) -> Iterator[DeadLetterEntry]:
        """The dead letters as they are, oldest first within a stream.

        Streams whose state raises `unreadable` are passed over. Raises SourceError.
        """
        size = self.server_info().dataset_bytes
        for stream in self.stream().dead_letters:
            try:
                state = pairs(self.redis.ask_one("XINFO", "STREAM", stream))
            except unreadable:
                continue
            yield from each_dead_letter_entry(self.redis, stream, state, size)

    def new_judge(self) -> CustodyJudge:
        """What judges the messages of the stream, for one walk. Raises SourceError when Redis cannot be read."""
        tables = self._known_tables() or None
        rows = None
        deleted = None
        if tables:
            rows = RowFinder(self.database)
            deleted = DeletedRows(self.database)
        router = Router(self.routes(), tables, self.columns())
        return CustodyJudge(
            self.redis,
            self.stream(),
            router,
            rows,
            self.dead_letters(),
            self._beginnings(tables),
            self.shared_groups(),
            deleted,
            has_unknown_group=self.has_unknown_group(),
        )

    def has_unknown_group(self) -> bool:
        """Whether a group reads the stream of which nobody knows what it is for. Raises SourceError."""
        known = {name.encode() for name in (*self.writer_groups(), *READER_GROUPS)}
        return any(group.name not in known for group in self.stream().groups)

    @once
    def shared_groups(self) -> dict[str, SharedGroup]:
        """The writer groups that more than one server reads. Raises SourceError when the stream cannot be read."""
        server = server_process(self.settings.home)
        now_ms = self.server_info().now_ms
        groups = []
        for name in self.writer_groups():
            if group := self.stream().group(name):
                groups.append(group)
        if not any(may_be_shared(group, server) for group in groups):
            return {}
        are_all_here = serves_this_host_alone(self.server_info().fields, self.server_config())
        known = known_servers(groups, server, self.log(), are_all_here=are_all_here)
        shared = {}
        for group in groups:
            found = shared_group(group, server, now_ms, process_state, known)
            if found:
                # Asked only now: hardly ever does anybody share a group.
                claims = read_claims(self.redis, self.stream().queue)
                found = shared_group(without_claims(group, claims, now_ms), server, now_ms, process_state, known)
            if found:
                shared[group.text] = found
        return shared

    def _beginnings(self, tables: tuple[str, ...] | None) -> dict[str, TableBeginning]:
        try:
            return read_beginnings(self.database, tables or ())
        except SourceError:
            return {}  # the judge meets the same error, and tells it

    @once
    def ledger(self) -> Ledger:
        """Every message of the stream, accounted for. Raises SourceError when the stream cannot be read."""
        info = self.server_info()
        builder = LedgerBuilder(
            self.redis,
            self.stream(),
            self.new_judge(),
            self.dead_letters(),
            now_ms=info.now_ms,
            dataset_bytes=info.dataset_bytes,
            deadline=self.deadline,
            throttle=Throttle(self.redis, info.commands_per_second),
            progress=self._progress,
            observe=self._observe,
        )
        return builder.build()

    @once
    def columns(self) -> dict[str, frozenset[str]]:
        """The columns of the tables that traces are written to; of other branches some have other names."""
        try:
            return {table: self.database.columns(table) for table in self.trace_tables()}
        except SourceError:
            return {}

    def _known_tables(self) -> tuple[str, ...] | None:
        try:
            return self.trace_tables()
        except SourceError:
            return None

    @once
    def recorded(self) -> Recorded:
        """What recorders counted in the last hour. Never raises: its cause says why there is nothing."""
        try:
            now = self.server_info().now_ms
        except SourceError:
            now = self.now_ms()
        return read_recorded(self.redis, now, RECORDED_MINUTES)

    def now_ms(self) -> int:
        """The host's time when the examination began, milliseconds since 1970."""
        return to_milliseconds(self.now)

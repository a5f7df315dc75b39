"""What every part of the simulated pipeline stands on: connection, home, clock, and adding to a stream."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo import home_folder, schema
from blueplane_doctor.demo.messages import MessageMaker, milliseconds

NO_TIME = timedelta()
_ADDED_AT_ONCE = 1_000


class Foundation:
    """A server, a home folder, and the names, groups and files in them."""

    def __init__(
        self,
        redis_url: str,
        home: Path,
        *,
        layout: names.Layout = names.CURRENT,
        database_layout: schema.DatabaseLayout | None = None,
        seed: int = 7,
        now: datetime | None = None,
        max_length: int = names.DEFAULT_MAX_LENGTH,
        pid: int | None = None,
    ) -> None:
        self.redis_url = redis_url
        self.home = home
        self.layout = layout
        self.database_layout = database_layout or ("earlier" if layout is names.EARLIER else "current")
        self.now = now
        self.max_length = max_length
        self.pid = os.getpid() if pid is None else pid
        self.queue = layout.queue
        self.database = home / home_folder.DATABASE_FILE
        self.messages = MessageMaker(seed)
        self.random = self.messages.random
        self.client = redis.Redis.from_url(redis_url, decode_responses=True, encoding_errors="replace")
        self.writer_groups = tuple(dict.fromkeys(route.group for route in layout.routes))
        self.groups = (*self.writer_groups, *names.READER_GROUPS)
        self.consumers = {group: consumer_name(group, self.pid) for group in self.groups}
        home.mkdir(parents=True, exist_ok=True)
        self.configure()
        schema.create_database(self.database, layout=self.database_layout)
        self._create_groups()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was made stays."""
        self.client.close()

    def clock(self) -> datetime:
        """The simulation's time: `now` where it was given, else the clock."""
        return self.now or datetime.now(UTC)

    def ago(self, **duration: float) -> datetime:
        """The time that long ago: `ago(minutes=5)`."""
        return self.clock() - timedelta(**duration)

    def configure(self, *, http_port: int = home_folder.NOBODY_LISTENS) -> None:
        """Write Blueplane's settings into the home."""
        home_folder.write_config(
            self.home, self.redis_url, self.layout, max_length=self.max_length, http_port=http_port
        )

    def _create_groups(self) -> None:
        for group in self.groups:
            with contextlib.suppress(redis.ResponseError):  # there already
                self.client.xgroup_create(self.queue, group, "0", mkstream=True)
            self.client.xgroup_createconsumer(self.queue, group, self.consumers[group])

    def _times(self, count: int, at: datetime | None, spread: timedelta) -> Iterator[datetime]:
        start = at or self.clock()
        # Without a spread a microsecond apart, for no two lines of a transcript have the same time.
        step = spread / count if spread and count else timedelta(microseconds=1)
        return (start + index * step for index in range(count))

    def _add(
        self,
        messages: Sequence[tuple[datetime, Mapping[Any, Any]]],
        at: datetime | None,
        stream: str | None = None,
    ) -> list[str]:
        """Add to the queue, or to another stream, which then is one of dead letters."""
        limit = names.DEFAULT_DEAD_LETTER_MAX_LENGTH if stream else self.max_length
        stream = stream or self.queue
        faked = at is not None or self.now is not None
        ids = self._ids([when for when, _ in messages], stream) if faked else itertools.repeat("*")
        added: list[str] = []
        numbered = zip(ids, (fields for _, fields in messages), strict=False)
        while chunk := list(itertools.islice(numbered, _ADDED_AT_ONCE)):
            with self.client.pipeline(transaction=False) as commands:
                for entry_id, fields in chunk:
                    commands.xadd(stream, dict(fields), id=entry_id, maxlen=limit, approximate=True)
                added += commands.execute()
        return added

    def _ids(self, times: Iterable[datetime], stream: str) -> Iterator[str]:
        newest = "0-0"
        with contextlib.suppress(redis.ResponseError):  # a dead-letter stream begins with its first entry
            newest = str(self.client.xinfo_stream(stream)["last-generated-id"])
        last, sequence = map(int, newest.split("-"))
        for when in times:
            moment = max(milliseconds(when), last)
            sequence = sequence + 1 if moment == last else 0
            last = moment
            yield f"{moment}-{sequence}"


def consumer_name(group: str, pid: int) -> str:
    """The name under which a process of the pipeline reads for this group."""
    stems = {"processors": "consumer", "claude_processors": "claude-consumer"}
    return f"{stems.get(group, group)}-{pid}"

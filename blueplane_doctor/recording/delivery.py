"""Sending minutes to Redis: one transaction a flush, exactly once, whatever happens to the connection or the server."""

import os
from collections.abc import Mapping
from enum import Enum

from blueplane_doctor.connection.base import Command, Limits
from blueplane_doctor.connection.failures import Endpoint
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.connection.topology import CLUSTER, check_url, topology_of
from blueplane_doctor.errors import DoctorError, SourceProtocolError, SourceTimeout, SourceUnreachable
from blueplane_doctor.recording.minutes import EXPIRY_SECONDS, MinuteBucket, key_of
from blueplane_doctor.sources.redis_room import refuse_where_full

_LIMITS = Limits(connect_seconds=0.5, reply_seconds=1.0)
"""Short: the next flush is the retry, and the end of a process waits for the last one."""
NO_CLUSTER = "what is measured is kept in one Redis, not in a cluster"


class Outcome(Enum):
    """What became of a batch."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """Redis answered, and nothing of it was stored: full, read only, no permission."""
    UNKNOWN = "unknown"
    """No answer: it may or may not be stored."""


class Delivery:
    """One process's connection for what it recorded; used by one thread at a time."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for what is no URL of one Redis."""
        check_url(url)
        if is_cluster(url):
            raise ValueError(NO_CLUSTER)
        # Other processes write to the same keys: this field of them tells what this one delivered last.
        self._field = f"p|{os.urandom(4).hex()}"
        self._number = 0
        self._connection = Connection(Endpoint(url), _LIMITS)

    def send(self, batch: Mapping[int, MinuteBucket], again: bool = False) -> tuple[Outcome, int]:
        """Store a batch; also the number of events that could not be, because something else lies under a key.

        `again` says that the last call's outcome is unknown and this is the same batch: then it is first asked for.
        """
        # A server that was restarted since the last flush must not cost this one: it may be the process's last.
        self._connection.close_if_gone()
        try:
            if again and self._was_stored(batch):
                return Outcome.DELIVERED, 0
            if not again:
                self._number += 1
            refuse_where_full(self._connection)
            return Outcome.DELIVERED, self._store(batch)
        except (SourceUnreachable, SourceTimeout, SourceProtocolError):
            return Outcome.UNKNOWN, 0
        except DoctorError:
            return Outcome.REFUSED, 0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _store(self, batch: Mapping[int, MinuteBucket]) -> int:
        """In one transaction, so that it is all there, with its number, or nothing is."""
        commands: list[Command] = []
        minutes: list[int] = []
        for minute, content in batch.items():
            of_this_minute = self._commands(minute, content)
            commands += of_this_minute
            minutes += [minute] * len(of_this_minute)
        replies = self._connection.transaction(*commands) or []
        refused = set()
        for minute, reply in zip(minutes, replies, strict=True):
            if isinstance(reply, Exception):
                refused.add(minute)
        return sum(batch[minute].events for minute in refused)

    def _commands(self, minute: int, content: MinuteBucket) -> list[Command]:
        added, newest = content.fields()
        commands: list[Command] = [_hset(key_of(minute), {**newest, self._field: self._number})]
        for table, fields in ((None, added), *content.sketches().items()):
            key = key_of(minute, table)
            for field, count in fields.items():
                commands.append(("HINCRBY", key, field, count))
            commands.append(("EXPIRE", key, EXPIRY_SECONDS))
        return commands

    def _was_stored(self, batch: Mapping[int, MinuteBucket]) -> bool:
        # It was stored in one transaction, so any one of its minutes tells of all.
        first_minute = next(iter(batch))
        number = self._connection.ask_one("HGET", key_of(first_minute), self._field)
        return number is not None and int(number) == self._number


def _hset(key: str, fields: Mapping[str, int]) -> Command:
    words: list[str | int] = ["HSET", key]
    for field, value in fields.items():
        words += [field, value]
    return tuple(words)


def is_cluster(url: str) -> bool:
    """Whether it names a cluster, where nothing can be recorded."""
    topology = topology_of(url)
    return topology is not None and topology.kind == CLUSTER

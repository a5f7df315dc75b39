"""Sending minutes to Redis: one transaction a flush, exactly once, whatever happens to the connection or the server."""

import os
from collections.abc import Mapping
from enum import Enum
from typing import Any

from blueplane_doctor.connection.topology import CLUSTER, topology_of
from blueplane_doctor.recording.minutes import EXPIRY_SECONDS, MinuteBucket, key_of
from blueplane_doctor.sources.wire import open_client

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 1.0
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
        if is_cluster(url):
            raise ValueError(NO_CLUSTER)
        self._field = f"p|{os.urandom(4).hex()}"
        self._number = 0
        # the next flush is the retry
        self._client = open_client(url, ANSWER_SECONDS, socket_connect_timeout=CONNECT_SECONDS)

    def send(self, batch: Mapping[int, MinuteBucket], again: bool = False) -> tuple[Outcome, int]:
        """Store a batch; also the number of events that could not be, because something else lies under a key.

        `again` says that the last call's outcome is unknown and this is the same batch: then it is first asked for.
        """
        import redis

        try:
            if again and self._was_stored(batch):
                return Outcome.DELIVERED, 0
            self._number += 0 if again else 1
            return Outcome.DELIVERED, self._store(batch)
        except redis.AuthenticationError:
            return Outcome.REFUSED, 0
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            return Outcome.UNKNOWN, 0
        except redis.RedisError:
            return Outcome.REFUSED, 0

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _store(self, batch: Mapping[int, MinuteBucket]) -> int:
        """In one transaction, so that it is all there, with its number, or nothing is."""
        owners: list[int] = []
        with self._client.pipeline(transaction=True) as pipe:
            for minute, content in batch.items():
                before = len(pipe)
                self._queue(pipe, minute, content)
                owners += [minute] * (len(pipe) - before)
            replies = pipe.execute(raise_on_error=False)
        broken = {minute for minute, reply in zip(owners, replies, strict=True) if isinstance(reply, Exception)}
        return sum(batch[minute].events for minute in broken)

    def _queue(self, pipe: Any, minute: int, content: MinuteBucket) -> None:
        added, newest = content.fields()
        pipe.hset(key_of(minute), mapping={**newest, self._field: self._number})
        for table, fields in ((None, added), *content.sketches().items()):
            key = key_of(minute, table)
            for field, count in fields.items():
                pipe.hincrby(key, field, count)
            pipe.expire(key, EXPIRY_SECONDS)

    def _was_stored(self, batch: Mapping[int, MinuteBucket]) -> bool:
        found = self._client.hget(key_of(next(iter(batch))), self._field)
        return found is not None and int(found) == self._number


def is_cluster(url: str) -> bool:
    """Whether it names a cluster, where nothing can be recorded."""
    places = topology_of(url)
    return places is not None and places.kind == CLUSTER

"""How much memory Redis has left, and how large a reply may be: reading must never make a full Redis delete keys."""

from collections.abc import Mapping
from typing import NamedTuple

from blueplane_doctor.connection.base import ProtocolError
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import SourceTooFull
from blueplane_doctor.sources.redis_info import databases, dataset_bytes, integer, parse_info

LARGEST_REPLY = 32_000_000
"""Bytes of one reply where there is room: the server builds it whole before it sends any of it.

Half of what a connection takes (connection/base.py), for messages may be larger than any before them.
"""
_SHARE_OF_FREE = 20
"""A reply takes at most this part of what is free: the buffers of all other clients count against the limit too."""
_LEAST_REPLY = 256 * 1024
"""Where nothing can be evicted, a smaller reply would only take longer."""

_NOT_KEPT = "writing to it could make it delete the queue, so nothing is kept"
NOT_READ = "reading from it could make it delete the queue, so nothing is read"
"""What is not done with a server that is too full, and why."""
_MESSAGES_NOT_READ = "reading its messages could make it delete the queue, so they were not read"
_FEW_CLIENTS_BYTES = 1_000_000
"""What some clients' buffers may take: 40 kB each (measured on Redis 7.0), and their replies."""
_TWO_HEAVY_MESSAGES = 5_000_000
"""Bytes that XINFO STREAM's reply may take: it holds the first and the last message, which may have 2 MB each."""


class Room(NamedTuple):
    """Memory of the server, in bytes."""

    used: int
    """What counts against the limit."""
    limit: int | None
    """`maxmemory`; None where there is none."""
    policy: str
    """`maxmemory-policy`."""
    expiring_keys: int
    """Keys with an expiry: all that a `volatile` policy may evict."""
    dataset: int | None = None
    """What the keys themselves take; None where it is not told."""

    @property
    def free(self) -> int | None:
        """Below the limit; None where there is none."""
        if self.limit is None:
            return None
        return max(0, self.limit - self.used)

    @property
    def may_evict_queue(self) -> bool:
        """Whether a full memory makes the server delete keys without an expiry, such as the streams."""
        return self.limit is not None and self.policy.startswith("allkeys")

    @property
    def is_too_full(self) -> bool:
        """Whether even connections and short replies could make the server delete the queue."""
        return self.may_evict_queue and self.free is not None and self.free < _FEW_CLIENTS_BYTES

    @property
    def is_too_full_for_messages(self) -> bool:
        """Whether a reply that holds messages of the stream could make the server delete the queue."""
        if not self.may_evict_queue or self.free is None:
            return False
        messages = _TWO_HEAVY_MESSAGES
        if self.dataset is not None:
            messages = min(messages, 2 * self.dataset)
        return self.free < _FEW_CLIENTS_BYTES + messages

    @property
    def can_evict(self) -> bool:
        """Whether there is anything that it may delete to make room."""
        if self.policy.startswith("volatile"):
            return self.expiring_keys > 0
        return self.policy.startswith("allkeys")

    @property
    def share_of_free(self) -> int | None:
        """Bytes of which it does not matter whether a reply takes them; None where there is no limit."""
        if self.free is None:
            return None
        return self.free // _SHARE_OF_FREE

    @property
    def reply_limit(self) -> int:
        """Bytes that one reply may take."""
        if self.share_of_free is None:
            return LARGEST_REPLY
        share = min(LARGEST_REPLY, self.share_of_free)
        if self.may_evict_queue:
            return share
        return max(_LEAST_REPLY, share)


def room_of(fields: Mapping[str, str]) -> Room:
    """The memory as INFO tells it."""
    used = integer(fields.get("used_memory")) or 0
    # Buffers of replicas and of the append-only file do not count against the limit.
    not_counted = integer(fields.get("mem_not_counted_for_evict")) or 0
    return Room(
        used=used - not_counted,
        limit=integer(fields.get("maxmemory")) or None,  # 0 is no limit
        policy=fields.get("maxmemory_policy", ""),
        expiring_keys=_expiring_keys(fields),
        dataset=dataset_bytes(fields),
    )


def refuse_where_full(connection: Connection, why: str = _NOT_KEPT) -> None:
    """Raise SourceTooFull where what the doctor keeps, or a long reply, could make the server delete the queue.

    A server that does not tell its memory, as to a user without INFO, is believed. Raises SourceError.
    """
    (reply,) = connection.ask(("INFO", "memory"))
    if isinstance(reply, Exception):
        return
    try:
        room = room_of(parse_info(reply))
    except ProtocolError:
        return
    if room.is_too_full:
        raise too_full(connection.address, room, why)


def too_full(address: str, room: Room, why: str = _MESSAGES_NOT_READ) -> SourceTooFull:
    """The error for a server that could delete the queue. `why`: what could make it do so, and is not done."""
    free = (room.free or 0) / 1_000_000
    return SourceTooFull(
        f"Redis at {address} has {free:,.3g} MB left below maxmemory and may evict any key ({room.policy}): {why}",
        "give it more memory, or a policy that evicts nothing: see redis-durability",
    )


def _expiring_keys(fields: Mapping[str, str]) -> int:
    """Of all databases."""
    count = 0
    for value in databases(fields).values():
        for part in value.split(","):
            key, _, number = part.partition("=")
            if key == "expires":
                count += integer(number) or 0
    return count

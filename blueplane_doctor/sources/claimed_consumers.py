"""Consumers for which `repair --undo` claimed messages back: that alone makes Redis say that they asked a moment ago.

A repair notes beside the queue when it did so, and when each was heard of before. So a consumer that is gone is not
taken for another server that reads.
"""

from collections.abc import Mapping
from typing import NamedTuple

from blueplane_doctor.errors import SourceError
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import Group

_SLACK_MS = 2_000
"""The clocks of two readings may differ by a round trip."""


class Claim(NamedTuple):
    """What a repair noted of one consumer; milliseconds since 1970, by the server's clock."""

    at_ms: int
    """When messages were claimed for it last."""
    heard_ms: int
    """When it was heard of last before that."""


def claims_key(queue: str) -> str:
    """The key of the notes, a hash; in a cluster on the node of the queue."""
    hashed = queue
    if "{" not in queue:
        hashed = f"{{{queue}}}"
    return f"telemetry:blueplane_doctor_claimed:{hashed}"


def read_claims(redis: RedisSource, queue: str) -> dict[tuple[bytes, bytes], Claim]:
    """The notes, by group and consumer; none where this user may not read them."""
    try:
        reply = redis.ask_one("HGETALL", claims_key(queue))
    except SourceError:
        return {}
    claims = {}
    for name, value in zip(reply[::2], reply[1::2], strict=True):
        group, _, consumer = name.partition(b"\n")
        times = value.split()
        if len(times) == len(Claim._fields) and all(map(bytes.isdigit, times)):
            claims[group, consumer] = Claim(int(times[0]), int(times[1]))
    return claims


def without_claims(group: Group, claims: Mapping[tuple[bytes, bytes], Claim], now_ms: int) -> Group:
    """The group, whose consumers are silent for as long as they are by themselves. `now_ms`: when it was read."""
    consumers = []
    for consumer in group.consumers:
        claim = claims.get((group.name, consumer.name))
        heard_ms = now_ms - consumer.idle_ms
        # Heard of later than the claim, it has asked by itself since then.
        if claim is not None and heard_ms <= claim.at_ms + _SLACK_MS:
            consumer = consumer._replace(idle_ms=max(consumer.idle_ms, now_ms - claim.heard_ms))
        consumers.append(consumer)
    return group._replace(consumers=tuple(consumers))

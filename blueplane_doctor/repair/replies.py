"""What Redis answers to a step of a repair: what the script did, or that the repair must not go on."""

import re
from typing import Any

from blueplane_doctor.errors import RepairRefused, SourceProtocolError
from blueplane_doctor.repair import scripts

_RESULT = re.compile(rb"[0-9]{1,20}-[0-9]{1,20}|0|-3")
"""Of one message that was moved: the ID of what was added, that nothing had to be, or that it was left alone."""


def checked(reply: Any) -> int:
    """The reply of a step: a number that scripts.py explains.

    Raises RepairRefused when the lock was lost, for another repair may be at work; SourceProtocolError for another
    reply.
    """
    if reply == scripts.LOCK_LOST:
        raise RepairRefused(
            "this repair was held up for so long that another one could begin; it stops here",
            "run it again: it goes on where it stopped",
        )
    if isinstance(reply, int) and reply in scripts.ANSWERS:
        return reply
    raise _another_reply()


def checked_moves(reply: Any, count: int) -> int | list[str | None]:
    """What a step did with so many messages, or the number that says why it did nothing; raises as `checked`.

    For each message the ID of what was added, empty where nothing had to be; None for one that was left alone, because
    its pending entries are not those of the plan.
    """
    if not isinstance(reply, bytes):
        return checked(reply)
    words = reply.split(b" ")
    if len(words) != count or not all(map(_RESULT.fullmatch, words)):
        raise _another_reply()
    results: list[str | None] = []
    for word in words:
        if word == str(scripts.MOVED).encode():
            results.append(None)
        else:
            results.append("" if word == b"0" else word.decode())
    return results


def _another_reply() -> SourceProtocolError:
    return SourceProtocolError(
        "the Redis that is repaired does not answer as Redis does: its reply to EVAL is not one that the script gives",
        "see what answers there, then run it again: it goes on where it stopped",
    )

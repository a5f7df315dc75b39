"""What is written already, and whose acknowledgement is missing."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check
from blueplane_doctor.checkapi import many, trace_commands

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.queue_health import QueueHealth

_IDS_PER_COMMAND = 100
"""A command line of about 2 KB."""
_NAMED = 3
"""Messages of each group that a command follows."""
_SET_ASIDE = (
    "Where another message wrote the row, acknowledge nothing by hand: the content of the one that is held is written "
    "nowhere, and would be gone. blueplane-doctor repair acknowledged sets it aside, and keeps it."
)


# Nothing is lost. But delivered again, each of them makes its whole batch fail.
@check(area="queue", scale=Scale.rising(orange=1, unit="messages"))
def check_written_not_acknowledged(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages that are written already, and that their writer holds as long or as often as a stuck one.

    Their rows were looked up and are there; only the acknowledgement is missing. Nothing is lost. Delivered again
    (by XCLAIM, or by a writer that reads its own list) they make their whole batch fail, for the database refuses a
    second row of the same key. A row may be that of another message, sent with the same key at another time: then the
    message that is held is not written, and never will be.

    Causes:
    - the server was killed between writing a batch and acknowledging it
    - a producer sent two messages with the same key, one after the other
    - a failover of Redis lost the acknowledgements, or a group was moved back (XGROUP SETID)
    """
    count = sum(group.written_not_acknowledged or 0 for group in queue.writers)
    if not count:
        return scale.grade(
            0, "No message that is written waits for its acknowledgement", evidence=queue.pending_by_writer
        )
    others = sum(group.written_by_others or 0 for group in queue.writers)
    named = 0
    first: list[str] = []
    commands: list[str] = []
    for group in queue.writers:
        ids = group.to_acknowledge
        named += len(ids)
        first += ids[:_NAMED] + group.others_ids
        for start in range(0, len(ids), _IDS_PER_COMMAND):
            some = " ".join(ids[start : start + _IDS_PER_COMMAND])
            commands.append(f"{locations.redis_cli} XACK {queue.queue} {group.name} {some}")
    text = ""
    if count > others:
        text = (
            "Acknowledge exactly these: the row of each was seen. Do not use XCLAIM for them, which makes the writer "
            "fail at them again and again."
        )
    if count - others > named:
        text += f" The commands name {named:,} of them; run the doctor again for the others."
    if others:
        text += f" {_SET_ASIDE}"
    first = list(dict.fromkeys(first))  # both groups may hold the same message
    commands = [*trace_commands(locations.doctor, first), *commands]
    evidence = {"first": first, **queue.pending_by_writer}
    remedy = Remedy(text=text.strip(), commands=commands)
    return scale.grade(count, _sentence(count - others, others), remedy=remedy, evidence=evidence)


def _sentence(own: int, others: int) -> str:
    """How many have their own row, and how many the row of another message."""
    written = f"{many(own, 'message is', 'messages are')} written already and not acknowledged"
    if not others:
        return written
    held = many(others, "message has", "messages have") + " a key with which another message is written"
    if not own:
        return held
    return f"{written}, and {held}"

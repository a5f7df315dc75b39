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


# Nothing is lost. But delivered again, each of them makes its whole batch fail.
@check(area="queue", scale=Scale.rising(orange=1, unit="messages"))
def check_written_not_acknowledged(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages that are written already, and that their writer holds as long or as often as a stuck one.

    Their rows were looked up and are there; only the acknowledgement is missing. Nothing is lost. Delivered again
    (by XCLAIM, or by a writer that reads its own list) they make their whole batch fail, for the database refuses a
    second row of the same key.

    Causes:
    - the server was killed between writing a batch and acknowledging it
    - a failover of Redis lost the acknowledgements, or a group was moved back (XGROUP SETID)
    """
    count = sum(group.written_not_acknowledged or 0 for group in queue.writers)
    if not count:
        return scale.grade(
            0, "No message that is written waits for its acknowledgement", evidence=queue.pending_by_writer
        )
    named = 0
    first: list[str] = []
    commands: list[str] = []
    for group in queue.writers:
        ids = group.to_acknowledge
        named += len(ids)
        first += ids[:_NAMED]
        for start in range(0, len(ids), _IDS_PER_COMMAND):
            some = " ".join(ids[start : start + _IDS_PER_COMMAND])
            commands.append(f"{locations.redis_cli} XACK {queue.queue} {group.name} {some}")
    text = (
        "Acknowledge exactly these: the row of each was seen. Do not use XCLAIM for them, which makes the writer fail "
        "at them again and again."
    )
    if count > named:
        text += f" The commands name {named:,} of them; run the doctor again for the others."
    sentence = f"{many(count, 'message is', 'messages are')} written already and not acknowledged"
    first = list(dict.fromkeys(first))  # both groups may hold the same message
    commands = [*trace_commands(locations.doctor, first), *commands]
    evidence = {"first": first, **queue.pending_by_writer}
    return scale.grade(count, sentence, remedy=Remedy(text=text, commands=commands), evidence=evidence)

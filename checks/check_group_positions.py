"""Where the writer groups stand: would any of them be given again what is written already."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, check
from blueplane_doctor.checkapi import many, trace_commands

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.group_health import GroupHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_SHOWN_IDS = 3
"""Messages that a command names."""
_ACTIVE_MS = 60_000
"""A consumer that was heard of so lately may still read."""


# Nothing is lost. But delivered again, each of them makes its whole batch fail.
@check(area="queue", scale=Scale.rising(orange=1, unit="messages"))
def check_written_not_delivered(
    queue: "QueueHealth", server: "ServerHealth", locations: "Locations", scale: Scale
) -> Finding:
    """Messages that are written already, and that their writer group is still to be given, by its position.

    Their rows were looked up and are there. Nothing is lost, and nobody has to write them: they are no backlog. But
    once they are delivered they make their whole batch fail, for the database refuses a second row of the same key.

    Causes:
    - the group was moved back (XGROUP SETID), or was destroyed and made anew at the beginning of the stream
    - Redis was restarted from an old snapshot, or a replica was promoted that had not got the last reads
    - the same events were enqueued once more, as after a session is resumed
    """
    groups = []
    names = []
    count = 0
    ids: list[str] = []
    evidence = {}
    for group in queue.writers:
        evidence[group.name] = _position(group)
        if group.written_not_delivered:
            groups.append(group)
            names.append(group.name)
            count += group.written_not_delivered
            ids += group.written_not_delivered_ids
    if not groups:
        return scale.grade(0, "No message that is written waits to be delivered again", evidence=evidence)
    sentence = f"{many(count, 'message is', 'messages are')} written already and not yet given to {' and '.join(names)}"
    sentence += f": delivered, {'it makes its batch' if count == 1 else 'they make their batches'} fail"
    commands = trace_commands(locations.doctor, ids[:_SHOWN_IDS])
    is_read = server.is_alive or any(_is_read(group) for group in groups)
    for group in groups:
        command = f"XGROUP {'SETID' if group.exists else 'CREATE'} {queue.queue} {group.name} {group.written_up_to}"
        # Redis refuses to create a group that exists; but one that is read meanwhile could be moved back.
        if group.written_up_to and not (group.exists and is_read):
            commands.append(f"{locations.redis_cli} {command}")
    text = _move_on(groups, is_read=is_read)
    return scale.grade(count, sentence, remedy=Remedy(text=text, commands=commands), evidence=evidence)


def _position(group: "GroupHealth") -> dict[str, Any]:
    return {
        "exists": group.exists,
        "last delivered": group.last_delivered_id,
        "written, not delivered": group.written_not_delivered,
        "first of them": group.written_not_delivered_ids,
        "all written up to": group.written_up_to,
        "behind a message that waits": group.written_later,
        "waiting": group.waiting,
    }


def _move_on(groups: list["GroupHealth"], *, is_read: bool) -> str:
    """How the groups get past what is written, in words."""
    steps = ["Nothing is lost: the row of each was seen."]
    absent = []
    behind = []
    for group in groups:
        if group.written_up_to and group.exists:
            behind.append(f"{group.name} to {group.written_up_to}")
        elif group.written_up_to:
            absent.append(f"{group.name} at {group.written_up_to}")
    if absent:
        steps.append(
            f"Make {' and '.join(absent)}, up to which every message that is its to write has its row: a server that "
            "runs then reads on by itself. Where the group is there by then, Redis refuses the command. A restart "
            "without it makes the group at the beginning of the stream."
        )
    if behind and is_read:
        steps.append(
            f"Stop the Blueplane server, and run the doctor again: it then names the command that moves "
            f"{' and '.join(behind)}, up to which every message that is its to write has its row. While a server "
            "reads, no command is safe: one that comes after its next read would move the group back. What it was "
            "given of them already stays pending: see written-not-acknowledged."
        )
    elif behind:
        steps.append(
            f"Move {' and '.join(behind)}, up to which every message that is its to write has its row, while no "
            "Blueplane server runs; then start it."
        )
    later = sum(group.written_later or 0 for group in groups)
    if later:
        steps.append(
            f"{many(later, 'of them lies', 'of them lie')} behind a message that is still to be written, which the "
            "group must not be moved past. Once they are delivered, acknowledge them: see written-not-acknowledged."
        )
    return " ".join(steps)


def _is_read(group: "GroupHealth") -> bool:
    """Whether somebody read for it lately: perhaps a server that nothing else tells of."""
    return any(consumer.idle_ms < _ACTIVE_MS for consumer in group.consumers)

"""A cause that lies in somebody's own program: it reads for a writer's group, and keeps what it is given."""

from typing import TYPE_CHECKING

from blueplane_doctor import Cause, Remedy, Stake, cause
from blueplane_doctor.causeapi import stream_time
from blueplane_doctor.checkapi import many, trace_commands

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.queue_health import QueueHealth


@cause(
    repair="stuck",
    stage="messages",
    shown_by=["stuck-consumers"],
    brings=["pending-messages", "queue-depth", "consumer-lag", "backlog-trend", "write-throughput"],
    follows=["another-redis"],
)
def cause_another_program_reads(queue: "QueueHealth", locations: "Locations") -> Cause | None:
    """A consumer that is not the server's keeps the messages that it is given."""
    count = 0
    ids: list[str] = []
    holders = []
    commands = []
    for group in queue.writers:
        for one in group.other_programs:
            count += one.stuck
            ids += one.stuck_ids
            holders.append(f"{one.name} in the group {group.name} ({one.stuck:,})")
        if group.other_programs:
            commands.append(f"{locations.redis_cli} XINFO CONSUMERS {queue.queue} {group.name}")
    if not count:
        return None
    stuck = many(count, "message is", "messages are")
    return Cause(
        summary=f"{stuck} stuck with {', '.join(holders)}: no server of the pipeline has such a name. What is given "
        "to another consumer of its group, the server is not given.",
        since=stream_time(min(ids, default="")),
        since_by="the time in the message's stream ID, of the oldest",
        since_bound="at the latest",
        at_stake=Stake(at_risk=count),
        next_step=Remedy(
            text="End the program that reads with it first, or let it read for a group of its own; then repair "
            "delivers the messages again. XINFO CONSUMERS shows its name.",
            commands=[*trace_commands(locations.doctor, [min(ids)] if ids else []), *commands],
        ),
        explains=["stuck-consumers"],
    )

"""Causes that lie in the messages: one that cannot be written, payloads of another shape, what nobody holds."""

from typing import TYPE_CHECKING

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.causeapi import stream_time
from blueplane_doctor.checkapi import many, sentence, trace_commands

if TYPE_CHECKING:
    from blueplane_doctor.custody.blockers import ChainBlocker
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.queue_health import GroupHealth, QueueHealth

PENDING = ("pending-messages", "queue-depth", "consumer-lag", "backlog-trend", "write-success", "server-errors")
STORM = 10
"""Deliveries of one message from which on it is a storm, as the check retry-storm has it."""
STREAM_ID = "the time in the message's stream ID"
MALFORMED = "payload"
"""How the reasons begin of messages whose payload a writer cannot read."""


def _first_blocker(chain: "ChainHealth", group: "GroupHealth") -> "ChainBlocker | None":
    return next((blocker for blocker in chain.blockers if blocker.group == group.name), None)


def _held_up(group: "GroupHealth", blocker: "ChainBlocker") -> str:
    stuck = many(group.stuck or 0, "message is", "messages are")
    return f"{stuck} stuck in {group.name} behind {blocker.id}: {blocker.reason}."


@cause(
    stage="messages",
    shown_by=["stuck-consumers", "retry-storm"],
    brings=PENDING,
)
def cause_poison_message(queue: "QueueHealth", chain: "ChainHealth", locations: "Locations") -> list[Cause]:
    """A message that cannot be written holds up its batch."""
    causes = []
    for group in queue.writers:
        blocker = _first_blocker(chain, group)
        if blocker is None or not group.stuck or (group.most_deliveries or 0) >= STORM:
            continue
        causes.append(
            Cause(
                summary=f"{_held_up(group, blocker)} Nothing is lost yet.",
                since=stream_time(blocker.id),
                since_by=STREAM_ID,
                at_stake=Stake(at_risk=group.stuck),
                next_step=Remedy(
                    text="Save the stuck messages before you restart anything (-v shows how).",
                    commands=trace_commands(locations.doctor, [blocker.id]),
                ),
            )
        )
    return causes


@cause(stage="messages", shown_by=["retry-storm"], brings=["stuck-consumers", *PENDING])
def cause_retry_storm(queue: "QueueHealth", chain: "ChainHealth", locations: "Locations") -> list[Cause]:
    """A batch is delivered again and again, and fails each time."""
    causes = []
    for group in queue.writers:
        deliveries = group.most_deliveries or 0
        if deliveries < STORM:
            continue
        next_step = "Save the stuck messages before you restart anything (-v shows how)."
        if not group.stuck and group.written_not_acknowledged:
            next_step = "All that it holds is written already: acknowledge it, see written-not-acknowledged."
        blocker = _first_blocker(chain, group)
        summary = f"{group.name} was given the same message {deliveries:,} times."
        ids = group.stuck_ids[:1]
        if blocker is not None:
            summary += f" {_held_up(group, blocker)}"
            ids = [blocker.id]
        causes.append(
            Cause(
                summary=f"{summary} Nothing is lost yet.",
                since=stream_time(ids[0]) if ids else None,
                since_by=STREAM_ID if ids else "",
                at_stake=Stake(at_risk=group.stuck),
                next_step=Remedy(text=next_step, commands=trace_commands(locations.doctor, ids)),
            )
        )
    return causes


@cause(
    stage="messages",
    shown_by=["written-not-delivered"],
    brings=["written-not-acknowledged", "retry-storm", "server-errors", "pending-messages", "lost-before-delivery"],
    follows=["redis-lost-its-data"],
)
def cause_rewound_group(queue: "QueueHealth", findings: Findings) -> Cause | None:
    """A group stands before messages that are written, and is given them again."""
    finding = findings.get("written-not-delivered")
    if finding is None or not findings.bad("written-not-delivered"):
        return None
    ids: list[str] = []
    for group in queue.writers:
        ids += group.written_not_delivered_ids[:1]
    return Cause(
        summary=f"{sentence(finding.summary)} Nothing is lost.",
        since=stream_time(min(ids)) if ids else None,
        since_by=f"{STREAM_ID}, of the first of them: at the earliest" if ids else "",
        at_stake=Stake(at_risk=sum(group.waiting or 0 for group in queue.writers)),
        next_step=finding.remedy,
    )


@cause(stage="messages", shown_by=["orphaned-messages"], brings=["stuck-consumers", *PENDING])
def cause_orphans(queue: "QueueHealth", locations: "Locations", findings: Findings) -> Cause | None:
    """A consumer that is gone holds messages that nobody will take over."""
    finding = findings.get("orphaned-messages")
    count = sum(group.orphaned or 0 for group in queue.writers)
    if finding is None or not count:
        return None
    trimmed = sum(group.orphaned_gone or 0 for group in queue.writers)
    ids: list[str] = []
    for group in queue.writers:
        ids += group.orphaned_ids
    return Cause(
        summary=f"{sentence(finding.summary)} They wait for ever.",
        since=stream_time(min(ids)) if ids else None,
        since_by=STREAM_ID if ids else "",
        at_stake=Stake(at_risk=count - trimmed, lost=trimmed, recoverable=0 if trimmed else None),
        next_step=Remedy(
            text="Save them before you do anything else with them (-v shows how).",
            commands=trace_commands(locations.doctor, ids[:1]),
        ),
    )


@cause(stage="messages", shown_by=["chain-breaks"])
def cause_malformed_payloads(chain: "ChainHealth", locations: "Locations") -> Cause | None:
    """A producer sends payloads that the writer passes over."""
    malformed = [broken for broken in chain.breaks if broken.kind == "lost" and broken.reason.startswith(MALFORMED)]
    if not malformed:
        return None
    reasons = sorted({broken.reason for broken in malformed})
    lost = chain.states.get("lost") or 0
    return Cause(
        summary=f"{many(len(malformed), 'message is', 'messages are')} acknowledged and not written: "
        f"{'; '.join(reasons)}. The stream still holds them.",
        since=stream_time(malformed[0].id),
        since_by=STREAM_ID,
        at_stake=Stake(lost=len(malformed), recoverable=len(malformed) if lost else None),
        next_step=Remedy(
            text="Mend the producer; save the messages before the stream trims them.",
            commands=trace_commands(locations.doctor, [malformed[0].id]),
        ),
    )


@cause(
    stage="messages",
    shown_by=["lost-before-delivery", "loss-between-samples", "queue-headroom", "time-to-loss"],
    brings=["chain-breaks", "queue-depth", "consumer-lag", "write-throughput", "backlog-trend"],
    follows=[
        *("server-down", "server-hangs", "writer-stopped", "redis-lost-its-data", "another-redis"),
        *("poison-message", "retry-storm", "database-locked", "database-not-writable", "disk-full"),
    ],
)
def cause_backlog_outgrew_stream(queue: "QueueHealth", chain: "ChainHealth", findings: Findings) -> Cause | None:
    """More came in than the stream keeps, and messages were trimmed unread."""
    names = ("lost-before-delivery", "loss-between-samples", "queue-headroom", "time-to-loss")
    finding = next((findings.get(name) for name in names if findings.bad(name)), None)
    if finding is None:
        return None
    after = next((loss.after_id for loss in chain.losses if loss.most and loss.after_id), "")
    return Cause(
        summary=sentence(finding.summary),
        since=stream_time(after) if after else None,
        since_by="the last message before the first that was trimmed" if after else "",
        at_stake=Stake(
            at_risk=queue.queue_depth,
            lost=chain.trimmed.at_least,
            recoverable=0 if chain.trimmed.at_least else None,
        ),
        next_step=finding.remedy,
    )


@cause(stage="messages", shown_by=["dead-letter-growth", "dead-letters"])
def cause_dead_letters(queue: "QueueHealth", locations: "Locations") -> Cause | None:
    """A writer gives messages up, to the dead letters."""
    if not queue.dlq_size:
        return None
    summary = f"{many(queue.dlq_size, 'dead letter', 'dead letters')}, {queue.dlq_recent_entries:,} in the last hour."
    ids = queue.dlq_newest_ids
    return Cause(
        summary=summary,
        since=stream_time(ids[-1]) if ids else None,
        since_by="the third newest dead letter: at the latest" if len(ids) > 2 else "the oldest dead letter",
        at_stake=Stake(lost=queue.dlq_size, recoverable=queue.dlq_size),
        next_step=Remedy(text="See what they have in common.", commands=[f"{locations.doctor} dlq stats"]),
    )

"""The consumer groups: is every writer there, and does every message it holds move."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown
from blueplane_doctor.checkapi import many
from blueplane_doctor.times import span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth

NEVER = "0-0"
"""What a group says of its last message before it was given one."""


# Healthy batches are acknowledged within a second, and Redis calls nothing idle before that. Thirty also survive a
# slow disk; five minutes are the pipeline's own retry time.
@check(area="queue", scale=Scale.rising(orange_above=30, red_above=300, unit="s"))
def check_stuck_consumers(queue: "QueueHealth", chain: "ChainHealth", locations: "Locations", scale: Scale) -> Finding:
    """How long a writer has held a message without acknowledging it.

    The longest time since the last delivery in the pending entries lists of all writer groups. Being idle is not
    being stuck: before Redis 7.2 a healthy consumer looks idle on an empty stream.

    Causes:
    - two messages of a batch have the same key, so that no insert of the batch succeeds
    - a message is malformed in a way that the writer does not expect
    - the database was locked for longer than the writer tries
    """
    evidence = _pending(queue)
    holders = [group for group in queue.writers if group.longest_unacknowledged_ms is not None]
    if not holders:
        return scale.grade(0, "No writer holds a message", evidence=evidence)
    worst = max(holders, key=lambda group: group.longest_unacknowledged_ms or 0)
    waited_ms = worst.longest_unacknowledged_ms or 0
    sentence = f"{worst.name} has held a message for {span(waited_ms)} without acknowledging it"
    sentence += _stuck(sum(group.stuck or 0 for group in holders), chain)
    evidence["blocked by"] = [f"{b.id} ({b.group}): {b.reason}" for b in chain.blockers[:10]]
    return scale.grade(round(waited_ms / 1000, 3), sentence, remedy=_poison(locations), evidence=evidence)


# A restart leaves a few behind for a moment; a hundred is a whole batch that nobody will ever claim.
@check(area="queue", scale=Scale.rising(orange=1, red=100, unit="messages"))
def check_orphaned_messages(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages held by a consumer that is not there any more.

    A consumer counts as gone when it holds messages and has been silent for 30 s longer than another consumer of its
    group. The pipeline names its consumers by process and never claims what a dead one held, so these wait for ever.

    Causes:
    - the server was killed, or crashed, in the middle of a batch
    """
    count = sum(group.orphaned or 0 for group in queue.writers)
    gone: list[tuple[str, str]] = []
    for group in queue.writers:
        gone += [(group.name, consumer.name) for consumer in group.consumers if consumer.gone]
    commands = [
        f"{locations.redis_cli} XPENDING {queue.queue} {group} - + 10 {consumer}" for group, consumer in gone[:3]
    ]
    return scale.grade(
        count,
        _orphaned_sentence(count, [consumer for _, consumer in gone]),
        remedy=Remedy(
            text="Look at them, then hand them to the consumer that lives (XCLAIM or XAUTOCLAIM); the pipeline then "
            "writes them.",
            commands=commands,
        ),
        evidence={"gone": [consumer for _, consumer in gone[:20]], **_pending(queue)},
    )


def _orphaned_sentence(count: int, gone: list[str]) -> str:
    if not count:
        return "No message is held by a consumer that is gone"
    holders = f"{len(gone)} consumers"
    if len(gone) == 1:
        holders = gone[0]
    return f"{many(count, 'message is', 'messages are')} held by {holders}, gone while others work"


# Two deliveries happen on a healthy system (a restart, a direct read); a hundred is one a second for minutes.
@check(area="queue", scale=Scale.rising(yellow=3, orange=10, red=100, unit="deliveries"))
def check_retry_storm(queue: "QueueHealth", chain: "ChainHealth", locations: "Locations", scale: Scale) -> Finding:
    """Deliveries of the message that was delivered most often.

    A batch that fails is delivered again, about once a second, for ever: one poison message keeps the writer busy
    and everything that was read with it unwritten.

    Causes:
    - two messages of the batch have the same key, or one is malformed
    """
    most = 0
    sentence = "No message is being delivered again and again"
    worst = max(queue.writers, key=lambda group: group.most_deliveries or 0, default=None)
    if worst:
        most = worst.most_deliveries or 0
        if scale.status(most) is not Status.GREEN:
            sentence = f"{worst.name} was given the same message {most:,} times{_stuck(worst.stuck or 0, chain)}"
    return scale.grade(most, sentence, remedy=_poison(locations), evidence=_pending(queue))


@check(
    area="queue",
    scale=Scale.states(green="all there", orange="missing, nothing waits", red="missing, messages wait"),
)
def check_writer_missing(queue: "QueueHealth", scale: Scale) -> Finding:
    """Every writer group exists and has a consumer.

    A group without a consumer is harmless only as long as nothing waits for it.

    Causes:
    - the Blueplane server was never started on this Redis, or does not run now
    - Redis was restarted without persistence, and the groups are gone with the stream
    """
    absent = [group.name for group in queue.writers if not group.exists]
    empty = [group for group in queue.writers if group.exists and not group.consumers]
    evidence = {"missing groups": absent, "groups without a consumer": [group.name for group in empty]}
    if not absent and not empty:
        return scale.grade("all there", "Every writer group exists and has a consumer", evidence=evidence)
    waits = any(group.pending or group.undelivered for group in empty) or bool(absent and queue.queue_depth)
    never_used = all(group.last_delivered_id == NEVER for group in empty)
    if not absent and not waits and never_used:
        return unknown(
            "No writer was ever given a message",
            "nothing was enqueued yet, and Redis before 7.2 does not list a consumer before its first message",
            evidence=evidence,
        )
    return scale.grade(
        "missing, messages wait" if waits else "missing, nothing waits",
        _missing_sentence(absent, [group.name for group in empty], waits),
        remedy=Remedy(text="The Blueplane server makes its groups and consumers when it starts: start it."),
        evidence=evidence,
    )


def _missing_sentence(absent: list[str], empty: list[str], waits: bool) -> str:
    parts = [f"the group {name} does not exist" for name in absent]
    parts += [f"the group {name} has no consumer" for name in empty]
    sentence = " and ".join(parts)
    sentence = sentence[0].upper() + sentence[1:]
    if waits:
        return f"{sentence} while messages wait"
    return f"{sentence}; no message waits"


def _stuck(count: int, chain: "ChainHealth") -> str:
    if not count:
        return ""
    text = f"; {many(count, 'message is', 'messages are')} stuck"
    if not chain.blockers:
        return text
    first = chain.blockers[0]
    text += f" behind {first.id} ({first.reason})"
    if len(chain.blockers) > 1:
        text += f" and {len(chain.blockers) - 1} more"
    return text


def _pending(queue: "QueueHealth") -> dict[str, Any]:
    evidence = {}
    for group in queue.writers:
        evidence[group.name] = {
            "pending": group.pending,
            "stuck": group.stuck,
            "longest unacknowledged ms": group.longest_unacknowledged_ms,
            "most deliveries": group.most_deliveries,
        }
    return evidence


def _poison(locations: "Locations") -> Remedy:
    return Remedy(
        text="One message that cannot be written holds up its whole batch: two with the same event_id, or one whose "
        "payload is malformed. The log names the error; the batch moves again when that message is acknowledged.",
        commands=[f"grep -E 'ERROR|IntegrityError' {locations.log} | tail"],
    )

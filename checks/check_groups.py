"""The consumer groups: is every writer there, and is every group known."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.pipeline import READER_GROUPS

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.queue_health import QueueHealth

NEVER = "0-0"
"""What a group says of its last message before it was given one."""


# Mild: whether anything is wrong with it cannot be judged.
@check(area="queue", scale=Scale.states(green="all known", yellow="not all known"))
def check_unknown_groups(queue: "QueueHealth", scale: Scale) -> Finding:
    """Every consumer group of the stream is one that the doctor knows.

    What a group that it does not know is meant to write cannot be judged; all else is. Settings can name its route.

    Causes:
    - another version of the pipeline has one more writer
    - another program reads the stream
    """
    names = [group.name for group in queue.groups if group.role != "writer" and group.name not in READER_GROUPS]
    if not names:
        return scale.grade("all known", "Every consumer group of the stream is known")
    word = "group" if len(names) == 1 else "groups"
    behind = {group.name: {"pending": group.pending, "undelivered": group.undelivered} for group in queue.groups}
    return scale.grade(
        "not all known",
        f"The stream has {len(names)} {word} that this doctor does not know: {', '.join(names)}",
        remedy=Remedy(
            text="Whether messages that only such a group writes arrive is not judged, all else is. If it writes "
            "traces, name its route in the settings."
        ),
        evidence={name: behind[name] for name in names},
    )


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

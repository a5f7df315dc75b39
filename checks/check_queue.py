"""The queue: how much waits, how long, and how near the stream is to losing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.times import span

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.queue_health import QueueHealth

START_SERVER = Remedy(
    text="The writers are slower than the producers, or not running. Look at server-alive and stuck-consumers "
    "first; if neither speaks, restart the Blueplane server and watch this number fall.",
    commands=["tail -n 50 ~/.blueplane/server.log"],
)


@check(area="queue", scale=Scale.rising(yellow=1_000, orange=10_000, red_above=50_000, unit="messages"))
def check_queue_depth(queue: QueueHealth, scale: Scale) -> Finding:
    """Messages that no writer has finished with.

    Counts every message of the stream that some writer group was not given yet, or was given and has not
    acknowledged; each message once. XLEN is not the backlog: acknowledged messages stay in the stream until
    they are trimmed. Deep means that the writers are slower than the producers, or gone.

    Causes:
    - the Blueplane server does not run, or its writers hang (see server-alive)
    - one message that cannot be written holds up a writer (see stuck-consumers, retry-storm)
    - the disk is slow or the database is locked, and the producers are faster (see write-throughput)
    """
    evidence = {"stream": queue.queue, "stream_length": queue.stream_length}
    if queue.queue_depth is None:
        return unknown(
            "The backlog could not be counted to its end",
            "the time was up; give more with --timeout",
            evidence=evidence,
        )
    depth = queue.queue_depth
    said = f"{depth:,} {_messages(depth)} for a writer" if depth else "No message waits for a writer"
    return scale.grade(depth, said, remedy=START_SERVER, evidence=evidence)


@check(area="queue", scale=Scale.rising(yellow=100, orange=1_000, red_above=5_000, unit="messages"))
def check_pending_messages(queue: QueueHealth, scale: Scale) -> Finding:
    """Messages that were delivered to a writer and not acknowledged.

    The length of the pending entries lists of all writer groups. A batch in flight is normal; many are a writer
    that cannot write, or one that died with its messages.

    Causes:
    - the writer fails at one message and tries its batch again and again (see retry-storm)
    - a writer died with its messages, and nobody claims them (see orphaned-messages)
    - the database is locked by another process
    """
    groups = {g.name: g.pending for g in queue.groups if g.role == "writer"}
    count = queue.pending_messages
    said = "Every delivered message is acknowledged"
    if count:
        said = f"{count:,} {'message is' if count == 1 else 'messages are'} delivered and not acknowledged"
    if count and queue.oldest_pending_age_ms is not None:
        said += f", {'' if count == 1 else 'the oldest '}enqueued {span(queue.oldest_pending_age_ms)} ago"
    return scale.grade(
        count,
        said,
        remedy=Remedy(
            text="Find out what the writer stumbles over: its errors are in the server's log.",
            commands=["grep ERROR ~/.blueplane/server.log | tail"],
        ),
        evidence={"pending by group": groups, "read with": "XPENDING"},
    )


@check(area="queue", scale=Scale.rising(yellow=5, orange=30, red_above=60, unit="s"))
def check_consumer_lag(queue: QueueHealth, scale: Scale) -> Finding:
    """Age of the oldest message that a writer has not finished with.

    From the stream ID, which is the Redis server's clock at the time of adding. This is the delay that a user
    sees. Zero when nothing waits, however long ago the last message came.

    Causes:
    - the same as of a deep queue; a single stuck message is enough (see stuck-consumers)
    """
    seconds = queue.consumer_lag_ms / 1000
    said = (
        f"The oldest unfinished message was enqueued {span(queue.consumer_lag_ms)} ago"
        if queue.consumer_lag_ms or queue.queue_depth or queue.pending_messages
        else "No message is waiting"
    )
    return scale.grade(
        round(seconds, 3),
        said,
        remedy=START_SERVER,
        evidence={"stream": queue.queue, "depth": queue.queue_depth},
    )


@check(area="queue", scale=Scale.rising(yellow=50, orange=80, red=100, unit="%"))
def check_queue_headroom(queue: QueueHealth, scale: Scale) -> Finding:
    """How much of the stream the unfinished backlog fills.

    Producers keep only about `max_length` entries (XADD … MAXLEN ~). A backlog of that size is at the point where
    every new message pushes out one that nobody has read. Half full is time to look; at 80 % an hour may be left,
    or a minute.

    Causes:
    - the writers stand still while the producers go on (see server-alive, stuck-consumers)
    - `max_length` is small for what comes in during an outage
    """
    if queue.queue_depth is None:
        return unknown("The backlog could not be counted to its end", "the time was up; give more with --timeout")
    share = round(100 * queue.queue_depth / queue.max_length, 4)  # one message below an edge is below it
    said = f"The backlog fills {share:g} % of the {queue.max_length:,} messages that the stream keeps"
    if share >= 100:
        said += ": messages are being lost"
    elif share >= 50 and queue.minutes_to_loss is not None:
        said += f"; at the present rate the first message is lost in {span(queue.minutes_to_loss * 60_000)}"
    return scale.grade(
        share,
        said,
        remedy=START_SERVER,
        evidence={
            "queue_depth": queue.queue_depth,
            "max_length": queue.max_length,
            "minutes_to_loss": queue.minutes_to_loss,
        },
    )


def _messages(count: int) -> str:
    return "message waits" if count == 1 else "messages wait"

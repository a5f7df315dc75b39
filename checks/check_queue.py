"""The queue: how much waits, how long, and how near the stream is to losing it."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many
from blueplane_doctor.times import span

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.queue_health import QueueHealth

START_SERVER = Remedy(
    text="The writers are slower than the producers, or not running. Look at server-alive and stuck-consumers "
    "first; if both are green, restart the Blueplane server and watch this number fall.",
    commands=["tail -n 50 ~/.blueplane/server.log"],
)
NOT_COUNTED = ("The backlog could not be counted to its end", "the time was up; give more with --timeout")


@check(area="queue", scale=Scale.rising(yellow=1_000, orange=10_000, red_above=50_000, unit="messages"))
def check_queue_depth(queue: "QueueHealth", scale: Scale) -> Finding:
    """Messages that no writer has finished with.

    Every message of the stream that some writer group was not given yet, or has not acknowledged; each counts once.
    XLEN is not the backlog: acknowledged messages stay in the stream until they are trimmed.

    Causes:
    - the Blueplane server does not run, or its writers hang (see server-alive)
    - one message that cannot be written holds up a writer (see stuck-consumers, retry-storm)
    - the disk is slow or the database is locked, and the producers are faster (see write-throughput)
    """
    evidence = {"stream": queue.queue, "stream_length": queue.stream_length}
    depth = queue.queue_depth
    if depth is None:
        return unknown(*NOT_COUNTED, evidence=evidence)
    sentence = "No message waits for a writer"
    if depth:
        sentence = many(depth, "message waits for a writer", "messages wait for a writer")
    return scale.grade(depth, sentence, remedy=START_SERVER, evidence=evidence)


@check(area="queue", scale=Scale.rising(yellow=100, orange=1_000, red_above=5_000, unit="messages"))
def check_pending_messages(queue: "QueueHealth", scale: Scale) -> Finding:
    """Messages that were delivered to a writer and not acknowledged.

    The length of all writer groups' pending entries lists. A batch in flight is normal; many are a writer that cannot
    write, or one that died.

    Causes:
    - the writer fails at one message and tries its batch again and again (see retry-storm)
    - a writer died with its messages, and nobody claims them (see orphaned-messages)
    - the database is locked by another process
    """
    count = queue.pending_messages
    by_group = {group.name: group.pending for group in queue.writers}
    return scale.grade(
        count,
        _pending_sentence(count, queue.oldest_pending_age_ms),
        remedy=Remedy(
            text="Find out which error stops the writer: its errors are in the server's log.",
            commands=["grep ERROR ~/.blueplane/server.log | tail"],
        ),
        evidence={"pending by group": by_group, "read with": "XPENDING"},
    )


def _pending_sentence(count: int, oldest_age_ms: int | None) -> str:
    if not count:
        return "Every delivered message is acknowledged"
    sentence = f"{many(count, 'message is', 'messages are')} delivered and not acknowledged"
    if oldest_age_ms is None:
        return sentence
    oldest = "" if count == 1 else "the oldest "
    return f"{sentence}, {oldest}enqueued {span(oldest_age_ms)} ago"


@check(area="queue", scale=Scale.rising(yellow=5, orange=30, red_above=60, unit="s"))
def check_consumer_lag(queue: "QueueHealth", scale: Scale) -> Finding:
    """Age of the oldest message that a writer has not finished with.

    By the Redis server's clock, which is in the stream ID. This is the delay that a user sees; zero when nothing
    waits, however long ago the last message came.

    Causes:
    - the same as of a deep queue; a single stuck message is enough (see stuck-consumers)
    """
    age_ms = queue.consumer_lag_ms
    sentence = "No message is waiting"
    if age_ms or queue.queue_depth or queue.pending_messages:
        sentence = f"The oldest unfinished message was enqueued {span(age_ms)} ago"
    evidence = {"stream": queue.queue, "depth": queue.queue_depth}
    return scale.grade(round(age_ms / 1000, 3), sentence, remedy=START_SERVER, evidence=evidence)


@check(area="queue", scale=Scale.rising(yellow=50, orange=80, red=100, unit="%"))
def check_queue_headroom(queue: "QueueHealth", scale: Scale) -> Finding:
    """How much of the stream the unfinished backlog fills.

    Producers keep only about `max_length` entries (XADD … MAXLEN ~). With a backlog of that size every new message
    pushes out one that nobody has read. Half full is time to look; at 80 % an hour may be left, or a minute.

    Causes:
    - the writers stand still while the producers go on (see server-alive, stuck-consumers)
    - `max_length` is small for what comes in during an outage
    """
    depth = queue.queue_depth
    limit = queue.max_length
    left = queue.minutes_to_loss
    if depth is None:
        return unknown(*NOT_COUNTED)
    share = round(100 * depth / limit, 4)  # one message below an edge is below it
    sentence = f"The backlog fills {share:g} % of the {limit:,} messages that the stream keeps"
    if share >= 100:
        sentence += ": messages are being lost"
    elif share >= 50 and left is not None:
        sentence += f"; at the present rate the first message is lost in {span(left * 60_000)}"
    evidence = {"queue_depth": depth, "max_length": limit, "minutes_to_loss": left}
    return scale.grade(share, sentence, remedy=START_SERVER, evidence=evidence)

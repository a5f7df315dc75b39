"""The consumer groups: is every writer there, is every group known, and does each stand where it left off."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown
from blueplane_doctor.checkapi import many, not_graded
from blueplane_doctor.pipeline import READER_GROUPS
from blueplane_doctor.text.times import MINUTE_MS, span

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.group_health import GroupHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_NEVER = "0-0"
"""What a group says of its last message before it was given one."""
_NO_GROUP = "NOGROUP"
"""The kind of the error with which Redis answers who reads for a group that is not there."""
_TIME_WAS_UP = "the time was up before all were counted; give more with --timeout"
_LATELY_MS = 10 * MINUTE_MS
"""A second server that was given a message so lately counts as there, unless it is seen that it reads no more."""
_KEEP_ITS_DATABASE = "is not lost: it is in the database of its home. Keep that database."
_END_ALL_BUT_ONE = (
    "The number at the end of a consumer's name is the process that reads. See which ones are Blueplane servers, from "
    f"which folder and home, and end all but one. What another one wrote {_KEEP_ITS_DATABASE} Once it reads no more "
    "this is yellow, while the stream still holds messages that it was given. That is seen a minute after its "
    "end; in a Redis before 7.2 that takes connections of other machines too, ten minutes after."
)
_IT_ENDED = (
    f"Nothing has to be ended: it reads no more. What it wrote {_KEEP_ITS_DATABASE} This stays yellow while the stream "
    "still holds messages that it was given."
)


# Mild: whether anything is wrong with it cannot be judged.
@check(area="queue", scale=Scale.states(green="all known", yellow="not all known"))
def check_unknown_groups(queue: "QueueHealth", scale: Scale) -> Finding:
    """Every consumer group of the stream is one that the doctor knows.

    What a group that it does not know is meant to write cannot be judged; all else is. Settings can name its route.

    Causes:
    - another version of the pipeline has one more writer
    - another program reads the stream
    """
    evidence = {}
    for group in queue.groups:
        if group.role != "writer" and group.name not in READER_GROUPS:
            evidence[group.name] = _left_to_do(group)
    if not evidence:
        return scale.grade("all known", "Every consumer group of the stream is known")
    count = many(len(evidence), "group", "groups")
    return scale.grade(
        "not all known",
        f"The stream has {count} that this doctor does not know: {', '.join(evidence)}",
        remedy=Remedy(
            text="Whether messages that only such a group writes arrive is not judged, all else is. If it writes "
            "traces, name its route in the settings."
        ),
        evidence=evidence,
    )


# No trace is lost by it: what these groups miss is the state of sessions. A thousand messages is where queue-depth
# leaves green for the writers; more than yellow it never is.
@check(area="queue", scale=Scale.rising(yellow=1_000, unit="messages"))
def check_reader_lag(queue: "QueueHealth", scale: Scale) -> Finding:
    """How many messages the reader group that is furthest behind has not finished.

    Reader groups are those that write no traces: they follow sessions and transcripts. Messages that they were not
    given, and those that they have not acknowledged, are no part of the backlog and no break of custody.

    Causes:
    - the part of the server that reads for the group stands still, while the writers go on
    - the group is left over from an earlier version, and nobody reads for it any more
    """
    readers = [group for group in queue.groups if group.role == "reader"]
    if not readers:
        return scale.grade(0, "The stream has no reader groups")
    evidence = {}
    is_counted = True
    for group in readers:
        evidence[group.name] = _left_to_do(group)
        is_counted = is_counted and group.undelivered is not None
    worst = max(readers, key=_behind)
    count = _behind(worst)
    if scale.status(count) is Status.GREEN and not is_counted:
        return unknown("How far behind the reader groups are is not known", _TIME_WAS_UP, evidence=evidence)
    sentence = f"The reader group {worst.name} is {many(count, 'message', 'messages')} behind; it writes no traces"
    if not count:
        sentence = "No reader group is behind"
    if count and count <= (queue.queue_depth or 0):
        # What stops the writers stops these too: that is one fault, and others tell it.
        summary = f"The reader group {worst.name} is behind, and so are the writers"
        return not_graded(count, summary, unit=scale.unit, evidence=evidence)
    remedy = Remedy(
        text="No trace is lost by this. If the group is in use, restart the Blueplane server, which reads for it; one "
        "that is left over from an earlier version does no harm."
    )
    return scale.grade(count, sentence, remedy=remedy, evidence=evidence)


def _left_to_do(group: "GroupHealth") -> dict[str, int | None]:
    return {"pending": group.pending, "undelivered": group.undelivered}


def _behind(group: "GroupHealth") -> int:
    """Messages it has not finished, at least."""
    return (group.undelivered or 0) + group.pending


@check(
    area="queue",
    scale=Scale.states(green="all there", orange="missing, nothing waits", red="missing, messages wait"),
)
def check_writer_missing(queue: "QueueHealth", server: "ServerHealth", scale: Scale) -> Finding:
    """Every writer group exists and has a consumer.

    A group without a consumer is harmless only as long as nothing waits for it.

    Causes:
    - the Blueplane server was never started on this Redis, or does not run now
    - Redis was restarted without persistence, and the groups are gone with the stream
    - XGROUP DESTROY, by a person or by a test of another program on the same Redis
    """
    absent = []
    empty = []
    for group in queue.writers:
        if not group.exists:
            absent.append(group.name)
        elif not group.consumers:
            empty.append(group)
    without_consumer = [group.name for group in empty]
    no_group = 0
    for error in server.errors:
        if error.kind == _NO_GROUP:
            no_group += error.count
    evidence = {
        "missing groups": absent,
        "groups without a consumer": without_consumer,
        "server runs": server.is_alive,
        "NOGROUP in the server's log": no_group,
    }
    if not absent and not empty:
        return scale.grade("all there", "Every writer group exists and has a consumer", evidence=evidence)
    waits = any(group.pending or _waiting(group) for group in empty) or bool(absent and queue.queue_depth)
    # A group that was never given a message, while its messages are written, was made anew: then others were in use.
    never_used = all(group.last_delivered_id == _NEVER and not group.written_not_delivered for group in empty)
    if not absent and not waits and never_used:
        return unknown(
            "No writer was ever given a message",
            "nothing was enqueued yet, and Redis before 7.2 does not list a consumer before its first message",
            evidence=evidence,
        )
    summary = _missing_sentence(absent, without_consumer, waits)
    if no_group:
        summary += f"; the server's log says NOGROUP ({many(no_group, 'line', 'lines')} of the part that was read)"
    return scale.grade(
        "missing, messages wait" if waits else "missing, nothing waits",
        summary,
        remedy=Remedy(text=_missing_remedy(queue, server)),
        evidence=evidence,
    )


def _waiting(group: "GroupHealth") -> int | None:
    """Messages that the group has to write and was not given; of all messages where that is not known."""
    return group.undelivered if group.waiting is None else group.waiting


def _missing_remedy(queue: "QueueHealth", server: "ServerHealth") -> str:
    text = "The Blueplane server makes its groups and consumers when it starts: "
    if server.is_alive:
        text += "it runs, and does not make them while it runs, so restart it."
    else:
        text += "start it."
    count = 0
    for group in queue.writers:
        if not group.exists:
            count += group.written_not_delivered or 0
    if count:
        written = many(count, "message that is", "messages that are")
        text += (
            f" But first see written-not-delivered: it makes them at the beginning of the stream, and {written} "
            "written already would be delivered again."
        )
    return text


# Two servers lose nothing by themselves, but each of them hides a part of the traces from whoever looks at the other.
@check(
    area="queue",
    scale=Scale.states(green="one server", yellow="two servers before|perhaps two servers", orange="two servers"),
)
def check_second_server(
    queue: "QueueHealth", server: "ServerHealth", scale: Scale, chain: "ChainHealth | None" = None
) -> Finding:
    """Only one server reads for the writer groups.

    Of two servers that read for one group each is given a part of the messages, and writes it to the database of its
    own home. The pipeline names its consumers after their process. A server that was restarted is none: the consumer
    of the one before has been silent since the new one started. What reads is a server where its process is one, or
    where it reads for every writer group; of a consumer in one group alone, nothing but its name says so. It reads no
    more where it has not asked for a minute, which Redis tells from 7.2 on. Before, it has been given nothing for a
    minute, no process has its number, and Redis takes connections of this machine alone; or nothing for ten minutes.

    Causes:
    - a second user, container or checkout of Blueplane uses the same Redis
    - an old server was not ended before a new one was started
    """
    sharing: dict[str, list[str]] = {}
    idle_ms: list[int] = []
    is_certain = False
    is_over = True
    for group in queue.writers:
        own = []
        others = []
        for consumer in group.consumers:
            if not consumer.shares_group:
                continue
            is_certain = is_certain or not consumer.is_perhaps_a_server
            if consumer.name.endswith(f"-{server.pid}"):
                own.append(consumer.name)
            else:
                others.append(consumer.name)
                idle_ms.append(consumer.idle_ms)
                is_over = is_over and consumer.reads_no_more
        if own or others:
            sharing[group.name] = own + others
    elsewhere = chain.written_elsewhere if chain else None
    evidence = {"consumers": sharing, "process of server.pid": server.pid, "without a row here": elsewhere}
    if not sharing:
        return scale.grade("one server", "Only one server reads for the writer groups", evidence=evidence)
    readers = "; ".join(f"{' and '.join(names)} for {group}" for group, names in sharing.items())
    silent_ms = min(idle_ms)
    is_over = is_over or silent_ms > _LATELY_MS
    # Of a server that ended, the one that runs now may have been given nothing yet, and is not named.
    are_several = any(len(names) > 1 for names in sharing.values())
    if not is_certain:
        state = "perhaps two servers"
        summary = f"A second server may have read {span(silent_ms)} ago, or somebody by hand: {readers}"
    elif not is_over:
        state = "two servers"
        summary = f"A second server read {span(silent_ms)} ago: {readers}"
        if are_several:
            summary = f"Two servers or more read at once: {readers}"
    elif not elsewhere:
        summary = f"Only one server reads for the writer groups; another one did until {span(silent_ms)} ago"
        return scale.grade("one server", summary, evidence=evidence)
    else:
        state = "two servers before"
        summary = f"A second server read until {span(silent_ms)} ago: {readers}"
        if are_several:
            summary = f"Two servers or more read at once until {span(silent_ms)} ago: {readers}"
    if elsewhere:
        has = many(elsewhere, "message has", "messages have")
        summary += f"; {has} no row here, and another server may have written {'it' if elsewhere == 1 else 'them'}"
    text = _END_ALL_BUT_ONE
    if state == "two servers before":
        text = _IT_ENDED
    return scale.grade(state, summary, remedy=Remedy(text=text), evidence=evidence)


def _missing_sentence(absent: list[str], empty: list[str], waits: bool) -> str:
    parts = [f"the group {name} does not exist" for name in absent]
    for name in empty:
        parts.append(f"the group {name} has no consumer")
    sentence = " and ".join(parts)
    sentence = sentence[0].upper() + sentence[1:]
    if waits:
        return f"{sentence} while messages wait"
    return f"{sentence}; no message waits"

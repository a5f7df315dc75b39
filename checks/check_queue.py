"""The queue: how much waits, how long, and how near the stream is to losing it."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown
from blueplane_doctor.checkapi import many, trace_commands
from blueplane_doctor.layouts import LAYOUTS
from blueplane_doctor.text.times import HOUR_MS, span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.history_health import HistoryHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth
    from blueplane_doctor.monitoring.server_uses import ServerUses
    from blueplane_doctor.monitoring.stream_presence import StreamPresence

_RESTART_SERVER = Remedy(
    text="Restart the Blueplane server, or let repair make the groups: a server makes stream and groups when it "
    "starts, and not while it runs (its log repeats NOGROUP). Before a restart do what written-not-delivered says, "
    "where it reports messages: groups that are made at a start are given all that the stream holds. Then see "
    "redis-durability: it says whether Redis keeps the queue through a restart.",
)
_FREE_THE_NAME = Remedy(
    text="Another program on the same Redis uses the stream's name: see of which type its value is (TYPE), and give it "
    "another name there (RENAME keeps the value). Until then Redis refuses every event. Then restart the Blueplane "
    "server: it makes the stream and its groups when it starts. What was in the stream before is gone.",
)
_KEEP_THE_QUEUE = Remedy(
    text="What was in the stream before is gone. See redis-durability: it says whether Redis keeps the queue through a "
    "restart.",
)
_SHOWN_DATABASES = 3
"""That the remedy names."""
_LIVING_MS = 24 * HOUR_MS
"""A row of this age shows that the pipeline is in use: a working day has at least one event."""
_NOT_COUNTED = ("The backlog could not be counted to its end", "the time was up; give more with --timeout")


@check(area="queue", scale=Scale.states(green="there", yellow="made anew", red="lost|groups lost"))
def check_stream_lost(
    presence: "StreamPresence",
    server: "ServerHealth",
    locations: "Locations",
    scale: Scale,
    history: "HistoryHealth | None" = None,
    server_uses: "ServerUses | None" = None,
) -> Finding:
    """The queue stream and its writer groups are where the pipeline left them.

    A stream does not go away by itself: it stays when it is empty. Where there is none, and rows, samples or a running
    server show that the pipeline is in use, the stream was lost, and with it all that waited. After that the producers
    make it anew without groups, which only a restart of the server makes. How many messages were lost with it is known
    only as far as recorded samples tell.

    Causes:
    - FLUSHALL, FLUSHDB or DEL, by a person or by a test of another program on the same Redis
    - Redis evicted the stream when its memory was full (see redis-durability)
    - Redis was restarted without persistence, or from an old snapshot
    - another program keeps a value under the same name
    - the server uses another Redis, another database of it, or another name for its queue, than those examined
    """
    is_running = server.is_alive
    evidence: dict[str, Any] = presence.model_dump()
    evidence["server runs"] = is_running
    evidence["samples of the last hour"] = history.samples if history else None
    if server_uses is not None and not server_uses.is_redis_known:
        cause = "the address of its Redis is not known: see redis-reachable"
        return unknown("Whether the queue stream is there is not known", cause, evidence=evidence)
    if not presence.exists:
        finding = _without_stream(presence, history, is_running, evidence, scale)
        if not presence.other_databases:
            return finding
        return finding.model_copy(update={"remedy": _look_elsewhere(presence, locations, finding.remedy)})
    signs = _signs_of_life(presence, history, is_running)
    if presence.missing_groups and is_running:
        names = " and ".join(presence.missing_groups)
        if len(presence.missing_groups) == 1:
            summary = f"The group {names} is gone while the server runs, so the server reads nothing for it"
        else:
            summary = f"The groups {names} are gone while the server runs, so the server reads nothing for them"
        return scale.grade("groups lost", summary + _unaccounted(presence), remedy=_RESTART_SERVER, evidence=evidence)
    if presence.rows_without_message and signs:
        summary = "The stream was made anew, or from an older copy, within the last hour" + _unaccounted(presence)
        return scale.grade("made anew", summary, remedy=_KEEP_THE_QUEUE, evidence=evidence)
    return scale.grade("there", "The queue stream is there", evidence=evidence)


def _without_stream(
    presence: "StreamPresence",
    history: "HistoryHealth | None",
    is_running: bool,
    evidence: dict[str, Any],
    scale: Scale,
) -> Finding:
    signs = _signs_of_life(presence, history, is_running)
    if not signs:
        summary = "There is no queue stream, and nothing shows that one was ever in use here"
        if presence.rows:
            summary = "There is no queue stream; the database holds rows, the newest more than a day old"
        return unknown(summary, presence.cause, evidence=evidence)
    waiting = []
    for group in history.groups if history else []:
        if group.backlog is not None:
            waiting.append(group.backlog)
    if waiting:
        known = f"the last sample saw {many(max(waiting), 'unfinished message', 'unfinished messages')}"
    else:
        known = "how many messages went with it is not known"
    if presence.wrong_type:
        summary = f"Another value is stored under the queue stream's name, while {' and '.join(signs)}; {known}"
        return scale.grade("lost", summary, remedy=_FREE_THE_NAME, evidence=evidence)
    summary = f"The queue stream is gone, while {' and '.join(signs)}; {known}"
    return scale.grade("lost", summary, remedy=_RESTART_SERVER, evidence=evidence)


def _look_elsewhere(presence: "StreamPresence", locations: "Locations", remedy: Remedy | None) -> Remedy:
    """First see whether the stream stands in another database of the same Redis, for a restart makes an empty one."""
    numbers = presence.other_databases[:_SHOWN_DATABASES]
    text = (
        "First see whether the stream is in another database of this Redis, as after MOVE or SWAPDB, or where the "
        "server uses another number: if it is, examine that one, or move it back before anything makes a new stream."
    )
    commands = [f"{locations.redis_cli} -n {number} TYPE {LAYOUTS[0].queue}" for number in numbers]
    if remedy:
        text += f" If it is not: {remedy.text}"
        commands += remedy.commands
    return Remedy(text=text, commands=commands)


def _signs_of_life(presence: "StreamPresence", history: "HistoryHealth | None", is_running: bool) -> list[str]:
    """What shows that the pipeline is in use, in words."""
    signs = []
    if presence.last_row_age_ms is not None and presence.last_row_age_ms <= _LIVING_MS:
        signs.append(f"the database was written to {span(presence.last_row_age_ms)} ago")
    if is_running:
        signs.append("the server runs")
    if history and history.samples and history.groups:
        signs.append("samples of the last hour know its groups")
    return signs


def _unaccounted(presence: "StreamPresence") -> str:
    """Rows prove messages that the stream never had: it is not the one that they came through."""
    missing = presence.rows_without_message
    if not missing:
        return ""
    rows = many(presence.rows_last_hour or 0, "row was", "rows were")
    added = many(presence.entries_added or 0, "message", "messages")
    return (
        f"; {rows} written in the last hour, and only {added} ever came into this stream: what waited in the one "
        "before cannot be accounted for"
    )


@check(area="queue", scale=Scale.rising(yellow=1_000, orange=10_000, red_above=50_000, unit="messages"))
def check_queue_depth(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages that no writer has finished with.

    Every message of the stream that some writer group was not given yet, or has not acknowledged; each counts once.
    XLEN is not the backlog: acknowledged messages stay in the stream until they are trimmed.

    Causes:
    - the Blueplane server does not run, or its writers hang (see server-alive)
    - one message that cannot be written holds up a writer (see stuck-consumers, retry-storm)
    - the disk is slow or the database is locked, and the producers are faster (see write-throughput)
    """
    first = queue.first_unfinished_ids
    evidence = {"stream": queue.queue, "stream_length": queue.stream_length, "first": first}
    depth = queue.queue_depth
    if depth is None:
        return unknown(*_NOT_COUNTED, evidence=evidence)
    return scale.grade(
        depth, _depth_sentence(depth, queue.waiting_messages), remedy=_start_server(queue, locations), evidence=evidence
    )


def _depth_sentence(depth: int, waiting: int | None) -> str:
    """What was not given to its writer yet, and what a writer holds, each told as what it is."""
    if not depth:
        return "No message waits for a writer"
    held = 0 if waiting is None else depth - waiting
    waits = many(depth - held, "message waits for a writer", "messages wait for a writer")
    if held <= 0:
        return waits
    holds = f"{many(held, 'message that is', 'messages that are')} not written"
    if not waiting:
        return f"A writer holds {holds}"
    return f"{waits}, and a writer holds {holds}"


@check(area="queue", scale=Scale.rising(yellow=100, orange=1_000, red_above=5_000, unit="messages"))
def check_pending_messages(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
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
            commands=[
                f"grep ERROR {locations.log} | tail",
                *trace_commands(locations.doctor, queue.first_pending_ids),
            ],
        ),
        evidence={"pending by group": by_group, "first": queue.first_pending_ids, "read with": "XPENDING"},
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
def check_consumer_lag(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
    """Age of the oldest message that a writer has not finished with.

    By the Redis server's clock, which is in the stream ID. This is the delay that a user sees; zero when nothing
    waits, however long ago the last message came.

    Causes:
    - the same as of a deep queue; a single stuck message is enough (see stuck-consumers)
    """
    age_ms = queue.consumer_lag_ms
    evidence = {
        "stream": queue.queue,
        "depth": queue.queue_depth,
        "IDs ahead of the clock": queue.ids_ahead,
        "ahead by ms": queue.ids_ahead_ms,
        "first": queue.first_unfinished_ids,
    }
    if age_ms is None and queue.queue_depth is None:
        return unknown(*_NOT_COUNTED, evidence=evidence)
    ahead = ""
    if queue.ids_ahead:
        ids = many(queue.ids_ahead, "stream ID is", "stream IDs are")
        ahead = f"; {ids} ahead of the clock, by up to {span(queue.ids_ahead_ms)}"
    if age_ms is None or (queue.consumer_lag_is_at_least and scale.status(age_ms / 1000) is Status.GREEN):
        cause = f"their stream IDs are {span(queue.ids_ahead_ms)} ahead of the clock, and no enqueued_at tells it"
        return unknown(f"How long messages wait is not known{ahead}", cause, evidence=evidence)
    sentence = "No message is waiting"
    if age_ms or queue.queue_depth:
        at_least = "at least " if queue.consumer_lag_is_at_least else ""
        sentence = f"The oldest unfinished message was enqueued {at_least}{span(age_ms)} ago"
    sentence += ahead
    return scale.grade(round(age_ms / 1000, 3), sentence, remedy=_start_server(queue, locations), evidence=evidence)


@check(area="queue", scale=Scale.rising(yellow=50, orange=80, red=100, unit="%"))
def check_queue_headroom(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
    """How much of the stream the unfinished backlog fills.

    Producers keep only about `max_length` entries (XADD … MAXLEN ~). With a backlog of that size every new message
    pushes out one that nobody has read. Half full is time to look; at 80 % an hour may be left, or a minute.

    Causes:
    - the writers stand still while the producers go on (see server-alive, stuck-consumers)
    - the stream keeps 10,000 messages, or fewer where `max_length` says so, and more came in during an outage
    """
    depth = queue.queue_depth
    limit = queue.max_length
    left = queue.minutes_to_loss
    if depth is None:
        return unknown(*_NOT_COUNTED)
    share = round(100 * depth / limit, 4)  # one message below an edge is below it
    sentence = f"The backlog fills {share:g} % of the {limit:,} messages that the stream keeps"
    if share >= 100:
        sentence += ": messages are being lost"
    elif share >= 50 and left is not None:
        sentence += f"; at the present rate the first message is lost in {span(left * 60_000)}"
    evidence = {"queue_depth": depth, "max_length": limit, "minutes_to_loss": left, "first": queue.first_unfinished_ids}
    return scale.grade(share, sentence, remedy=_start_server(queue, locations), evidence=evidence)


def _start_server(queue: "QueueHealth", locations: "Locations") -> Remedy:
    return Remedy(
        text="The writers are slower than the producers, or not running. Look at server-alive, stuck-consumers and "
        "server-errors first; only if all three are green, restart the Blueplane server and watch this number fall.",
        commands=[f"tail -n 50 {locations.log}", *trace_commands(locations.doctor, queue.first_unfinished_ids)],
    )

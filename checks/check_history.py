"""What only samples over time show: where a backlog goes, how long until loss, what vanished in between."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown
from blueplane_doctor.checkapi import HISTORY, hinted, many, not_graded, not_set_up
from blueplane_doctor.text.times import MINUTE_MS, span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.backlog import BacklogNow
    from blueplane_doctor.monitoring.history_health import GroupTrend, HistoryHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth

_TOO_FEW = "fewer than three fresh samples hold it"
_ONE_LOOK = " (judged from this run alone; recorded samples would tell more)"
_ALL_WRITERS = "The writers"
_GONE = Remedy(
    text="They cannot be brought back from Redis. See queue-headroom and time-to-loss, and what stops the writers; a "
    "larger max_length does not help, for the writers trim to 10,000 whatever it says.",
)
_STATES = ("caught up", "steady", "draining", "falling behind", "stalled", "stopped")
"""From the best to the worst."""


# A backlog that shrinks or rests is being worked on; one that only grows will be lost in the end (time-to-loss says
# when); one that nobody works on has a dead writer, however small it still is.
@check(
    area="queue",
    scale=Scale.states(green="caught up|draining|steady", orange="falling behind", red="stalled|stopped"),
)
def check_backlog_trend(
    history: "HistoryHealth", locations: "Locations", scale: Scale, queue: "QueueHealth | None" = None
) -> Finding:
    """Where each writer's backlog went in the last ten minutes.

    With samples: by the rules of LinkedIn's Burrow, in docs/HISTORY.md. Stopped: nothing was delivered while something
    waited; stalled: delivered, but nothing acknowledged. The worst of the groups counts.

    Without samples: from one run, for all writers together. It compares what came with what was written, in the last
    minute and in the last five minutes. A backlog is steady when it is below 100 messages, younger than a minute, or
    grew by less than 100 in five minutes. Stalled: something waits, and nothing was written for five minutes.

    Causes:
    - stopped: the writer is dead, or hangs (see server-alive)
    - stalled: it reads and cannot write (see stuck-consumers, retry-storm)
    - falling behind: more comes in than it writes (see write-throughput)
    """
    evidence: dict[str, Any] = {}
    known = []
    unclear = []
    for group in history.groups:
        evidence[group.group] = group.model_dump(exclude={"group"})
        if group.state in _STATES:
            known.append(group)
        else:
            unclear.append(f"{group.group}: {group.cause}")
    worst = max(known, key=lambda group: _STATES.index(group.state), default=None)
    # One group alone that is not known hides no fault of another, but it keeps the whole from being green.
    if worst is not None and not (unclear and scale.status(worst.state) is Status.GREEN):
        return scale.grade(worst.state, _course(worst, worst.group), remedy=_writers(locations), evidence=evidence)
    if queue is not None and queue.trend is not None and queue.trend.state in _STATES:
        evidence["from one look"] = queue.trend.model_dump()
        summary = f"{_course(queue.trend, _ALL_WRITERS)}{_ONE_LOOK}"
        return scale.grade(queue.trend.state, summary, remedy=_writers(locations), evidence=evidence)
    cause = "; ".join(dict.fromkeys(unclear)) or "no sample knows a writer group"
    return _not_known("Where the backlog goes is not known", cause, history, locations, evidence)


# Ten minutes are the time to restart a server, half an hour that to find out why, an hour that to notice at all.
@check(area="queue", scale=Scale.falling(yellow=60, orange=30, red=10, unit="min"))
def check_time_to_loss(
    history: "HistoryHealth", locations: "Locations", scale: Scale, queue: "QueueHealth | None" = None
) -> Finding:
    """Minutes until the backlog reaches `max_length`, at its present rate.

    The rate is that of the last three samples. Without them it comes from one run: what came less what was written, of
    the last minute's rate and of that of the last five the smaller one, so that a burst of seconds gives no alarm. Once
    `max_length` is reached, every new message pushes out one that nobody has read. Not graded while the backlog does
    not grow.

    Causes:
    - what backlog-trend and stuck-consumers name
    """
    rate = history.backlog_per_minute
    left = history.minutes_to_loss
    seen = ""
    if rate is None and queue is not None:
        rate = queue.backlog_per_minute
        left = queue.minutes_to_loss
        seen = _ONE_LOOK
    evidence = {"backlog per minute": rate, "samples of the last hour": history.samples, "from one look": bool(seen)}
    if rate is None:
        return _not_known("How long until messages are lost is not known", _TOO_FEW, history, locations, evidence)
    if left is None:
        summary = "The backlog does not grow"
        if seen:
            summary = f"No lasting backlog grows{seen}"
        return not_graded(None, summary, unit=scale.unit, evidence=evidence)
    if left:
        summary = f"At the present rate the first message is lost in {span(left * MINUTE_MS)}{seen}"
    else:
        summary = "The stream is full of unread messages: they are being lost"
    return scale.grade(left, summary, remedy=_writers(locations), evidence=evidence)


# SQLite checkpoints at 4 MB by itself and then reuses the log, so a healthy one stands still. 16 MB are several
# checkpoints that did not happen; at 64 and 256 MB an hour wal-size's yellow and orange are one hour away.
@check(area="database", scale=Scale.rising(yellow=16, orange=64, red=256, unit="MB/h"))
def check_wal_growth(history: "HistoryHealth", locations: "Locations", scale: Scale) -> Finding:
    """How much the write-ahead log grew within the last hour of samples.

    Its size now less its smallest size. Nothing is extrapolated, so that the first minutes after a start do not count.

    Causes:
    - a process that keeps a read transaction open, such as a database browser or a backup
    """
    grown = history.wal_growth_mb_last_hour
    evidence = {"samples of the last hour": history.samples}
    if grown is None:
        return _not_known("Whether the write-ahead log grows is not known", _TOO_FEW, history, locations, evidence)
    summary = "The write-ahead log does not grow"
    if grown:
        summary = f"The write-ahead log grew by {grown:g} MB within an hour"
    return scale.grade(
        grown,
        summary,
        remedy=Remedy(
            text="Find the process that keeps a transaction open, so that no checkpoint can finish, and end it.",
            commands=[f"lsof {locations.database}"],
        ),
        evidence=evidence,
    )


# As for lost-before-delivery: one message is as bad as a thousand.
@check(area="chain", scale=Scale.rising(red=1, unit="messages"))
def check_loss_between_samples(history: "HistoryHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages that were trimmed unread between two samples of the last day.

    Newer servers erase the evidence with the group's next read, so a single look can miss it. A lower bound: what was
    lost and erased between two samples is not in it. What only some writer groups were not given is lost only if it was
    theirs to write. A loss stays red for a day, so that nobody misses what happened at night.

    Causes:
    - the writers were away for longer than the stream keeps messages (see lost-before-delivery)
    """
    evidence = {}
    for group in history.losses:
        evidence[group.group] = {"lost": group.lost, "first seen": group.losses, "not compared": group.not_compared}
    seen = history.seen_loss
    if seen.at_least:
        summary = f"At least {many(seen.at_least, 'message was', 'messages were')} trimmed unread: {seen.shown_by}"
        return scale.grade(seen.at_least, summary, remedy=_GONE, evidence=evidence)
    if seen.at_most:
        summary = f"At most {many(seen.at_most, 'message was', 'messages were')} trimmed unread: {seen.shown_by}"
        cause = "one writer group was given them, another was not; nothing records which of them had to write them"
        return unknown(summary, cause, remedy=_GONE, evidence=evidence)
    if not history.losses_compared:
        cause = "the samples hold no two that can be compared for every writer group"
        return _not_known("Whether messages vanished between samples is not known", cause, history, locations, evidence)
    return scale.grade(0, "No message vanished between samples", remedy=_GONE, evidence=evidence)


def _not_known(
    summary: str, cause: str, history: "HistoryHealth", locations: "Locations", evidence: dict[str, Any]
) -> Finding:
    record = Remedy(
        text="Keep a sample every minute; from the third on this can be judged.",
        commands=[f"{locations.doctor} record"],
    )
    if history.set_up is False:
        return not_set_up(summary, history.cause, part=HISTORY, remedy=record, evidence=evidence)
    return unknown(summary, history.cause or cause, remedy=hinted(history.hint, record), evidence=evidence)


def _writers(locations: "Locations") -> Remedy:
    return Remedy(
        text="Look at server-alive, stuck-consumers and retry-storm: they name the writer and what stops it.",
        commands=[f"tail -n 50 {locations.log}"],
    )


def _course(trend: "GroupTrend | BacklogNow", who: str) -> str:
    """Where a backlog goes, as a sentence. `who`: the group that has it, or `The writers`."""
    verb = "" if who == _ALL_WRITERS else "s"
    waiting = many(trend.backlog or 0, "message", "messages")
    if trend.state == "caught up":
        return "Every writer has caught up"
    if trend.state == "draining" and trend.minutes_left is not None:
        left = span(trend.minutes_left * MINUTE_MS)
        return f"{who} work{verb} off the backlog of {waiting}, which takes another {left}"
    if trend.state == "falling behind":
        return f"{who} fall{verb} behind: {waiting} wait, {trend.per_minute or 0:+,g} a minute"
    still = span(trend.still_seconds * 1000)
    if trend.state == "stopped":
        return f"{who} was given nothing for {still}, with a backlog of {waiting}"
    if trend.state == "stalled" and who == _ALL_WRITERS:
        return f"Nothing was written for {still}, with a backlog of {waiting}"
    if trend.state == "stalled":
        return f"{who} acknowledged nothing for {still}, with a backlog of {waiting}"
    return f"{who} keep{verb} a steady backlog of {waiting}"

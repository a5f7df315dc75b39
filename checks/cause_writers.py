"""Causes why a backlog grows while the server runs: a writer reads no more, is too slow, or the stream is too short."""

from typing import TYPE_CHECKING

from blueplane_doctor.checks.cause_server import LOSSES, at_risk, gone, oldest_waiting, stake

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.causeapi import Beginning, stream_time
from blueplane_doctor.checkapi import many, sentence
from blueplane_doctor.text.times import span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.database_health import DatabaseHealth
    from blueplane_doctor.monitoring.group_health import GroupHealth
    from blueplane_doctor.monitoring.history_health import HistoryHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_WAITS = (
    *("queue-depth", "consumer-lag", "write-throughput", "backlog-trend", "queue-headroom", "time-to-loss"),
    "reader-lag",
)
"""What is found where messages wait that no writer was given."""
_SILENT_MS = 60_000
"""A writer that lives asks for messages about every second, and one at work needs seconds for a batch."""
_LOST = ("lost-before-delivery", "loss-between-samples", "queue-headroom", "time-to-loss")


def _waiting(group: "GroupHealth") -> int:
    """Messages that the group has to write and was not given; of all messages where that is not known."""
    if group.waiting is None:
        return group.undelivered or 0
    return group.waiting


def _why_stopped(group: "GroupHealth") -> str:
    """What shows that nobody reads for it, as a part of a sentence; empty where somebody may."""
    if not group.consumers:
        return "it has no consumer"
    # Since its last request or, before Redis 7.2, since it last got messages: both are old only where it stands still.
    idle_ms = min(consumer.idle_ms for consumer in group.consumers)
    if idle_ms > _SILENT_MS:
        return f"its consumer last asked for messages {span(idle_ms)} ago"
    return ""


@cause(
    no_repair="No repair helps: what waits is delivered once the writer reads again.",
    stage="server",
    shown_by=["writer-missing", *_WAITS],
    brings=[*LOSSES, "pending-messages", "stuck-consumers", "server-errors", "delivery-delay"],
    follows=[
        *("redis-refuses-writes", "redis-lost-its-data", "another-redis", "disk-full"),
        *("database-not-writable", "database-locked"),
    ],
)
def cause_writer_stopped(
    queue: "QueueHealth",
    server: "ServerHealth",
    findings: Findings,
    locations: "Locations",
    chain: "ChainHealth | None" = None,
    database: "DatabaseHealth | None" = None,
) -> Cause | None:
    """A writer has stopped reading, and the server runs."""
    if not server.http_ok or (queue.oldest_waiting_age_ms or 0) <= _SILENT_MS:
        return None
    count = 0
    names = []
    stopped = []
    for group in queue.writers:
        waiting = _waiting(group)
        if not waiting or not group.exists:
            continue
        count += waiting
        names.append(group.name)
        reason = _why_stopped(group)
        if reason:
            stopped.append(f"{many(waiting, 'message waits', 'messages wait')} for {group.name}: {reason}")
    if not names:
        return None
    if stopped:
        summary = f"{'. '.join(stopped)}."
    elif database is not None and not database.write_throughput_events_per_sec:
        waits = many(count, "message waits", "messages wait")
        summary = f"{waits} for {' and '.join(names)}, and nothing was written for a minute."
    else:
        return None
    lost = gone(chain)
    if lost:
        summary += f" {many(lost, 'message was', 'messages were')} trimmed meanwhile."
    return Cause(
        summary=summary,
        **oldest_waiting(queue).fields,
        certain=bool(stopped),
        confirm="that it still waits in a minute, and nothing was written until then",
        at_stake=stake(queue, chain),
        next_step=Remedy(
            text="Restart the Blueplane server: it goes on reading where it stopped. Its log's end may say why it did. "
            "Claude's writer stops for good when its writes are slow.",
            commands=[f"tail -n 50 {locations.log}"],
        ),
        explains=_bad_ones(findings, "writer-missing", *_WAITS),
    )


@cause(
    no_repair="No repair helps: more messages would only wait as well.",
    stage="server",
    shown_by=_WAITS,
    brings=["pending-messages"],
    follows=[
        *("writer-stopped", "server-hangs", "server-down", "writes-are-slow", "rewound-group", "redis-refuses-writes"),
        *("redis-lost-its-data", "another-redis", "disk-full", "database-not-writable", "database-locked"),
        "backlog-outgrew-stream",
    ],
)
def cause_writers_fall_behind(
    queue: "QueueHealth",
    server: "ServerHealth",
    findings: Findings,
    locations: "Locations",
    chain: "ChainHealth | None" = None,
) -> Cause | None:
    """Messages wait, though a writer is there."""
    if not queue.waiting_messages or not server.http_ok:
        return None
    return Cause(
        summary=f"{many(queue.waiting_messages, 'message waits', 'messages wait')}. Whether the writer is slower than "
        "the producers, or has stopped reading, a minute will tell.",
        **oldest_waiting(queue).fields,
        certain=False,
        confirm="how many wait in a minute: fewer, and a burst is being worked off",
        at_stake=stake(queue, chain),
        next_step=Remedy(
            text="Look again in a minute. If as many wait, see the end of the server's log.",
            commands=[f"tail -n 50 {locations.log}"],
        ),
        explains=_bad_ones(findings, *_WAITS),
    )


@cause(
    no_repair="No repair brings back what was trimmed from the stream.",
    stage="messages",
    shown_by=_LOST,
    brings=["chain-breaks", "queue-depth", "consumer-lag", "write-throughput", "backlog-trend", "reader-lag"],
    follows=[
        *("server-down", "server-hangs", "writer-stopped", "redis-lost-its-data", "another-redis", "rewound-group"),
        *("database-locked", "database-not-writable", "disk-full"),
    ],
)
def cause_backlog_outgrew_stream(
    queue: "QueueHealth", chain: "ChainHealth", findings: Findings, history: "HistoryHealth | None" = None
) -> Cause | None:
    """More messages wait than the stream keeps, or nearly as many."""
    finding = findings.fault(*_LOST)
    if finding is None:
        return None
    after = next((loss.after_id for loss in chain.losses if loss.most and loss.after_id), "")
    began = Beginning()
    if after:
        began = Beginning(stream_time(after), "the last message before the first that was trimmed", "at the earliest")
    lost = gone(chain) or 0
    seen = history.seen_loss if history else None
    if seen is not None and seen.at_least > lost:
        lost = seen.at_least
        if began.since is None:
            began = Beginning(seen.first, "the first sample that shows the loss", "at the latest")
    summary = sentence(finding.summary)
    title = ""
    if lost and queue.has_room:
        title = "More messages waited than the stream keeps"
        unfinished = many(queue.queue_depth, "message is", "messages are") if queue.queue_depth else "nothing is"
        summary += f" That is over: {unfinished} unfinished now, and no more are being lost."
    others = queue.removed_by_others if lost else 0
    if others:
        title = "Somebody removed messages from the stream before a writer read them"
        holds = many(queue.stream_length, "message", "messages")
        summary += (
            f" The stream holds {holds}, and writers and producers trim it to {queue.max_length:,}: another program or "
            "a person ran XTRIM or XDEL."
        )
    return Cause(
        title=title,
        summary=summary,
        **began.fields,
        # Of more than the others removed, some may have been trimmed because too many waited: nothing tells which.
        certain=lost <= others or not others,
        confirm="how many waited before somebody removed some: more than the stream keeps were trimmed by the pipeline",
        at_stake=Stake(at_risk=at_risk(queue, chain), lost=lost, recoverable=0 if lost else None),
        next_step=finding.remedy,
        explains=_bad_ones(findings, *_LOST),
    )


def _bad_ones(findings: Findings, *checks: str) -> list[str]:
    return [check for check in checks if findings.bad(check)]

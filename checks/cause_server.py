"""Causes that lie in the server: it is down, hangs, reads no more, or is another one than is examined."""

from typing import TYPE_CHECKING

from blueplane_doctor.checks.stuck_messages import not_before, without_reason

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.causeapi import EVERYTHING, Beginning, stream_time
from blueplane_doctor.checkapi import many
from blueplane_doctor.text.times import iso_of_milliseconds, parse_time, to_milliseconds

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.database_health import DatabaseHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth
    from blueplane_doctor.monitoring.server_uses import ServerUses, Used

_BACKLOG = (
    *("queue-depth", "pending-messages", "consumer-lag", "queue-headroom", "write-throughput", "backlog-trend"),
    *("time-to-loss", "writer-missing", "stuck-consumers", "reader-lag"),
)
"""What is found where nobody takes messages."""
LOSSES = ("lost-before-delivery", "chain-breaks", "loss-between-samples")
CAPTURE = (
    *("hook-success", "hook-spool", "hook-losses", "hook-inactivity", "capture-rate", "database-monitor"),
    "transcript-completeness",
    "cursor-completeness",
    "cursor-last-changes",
)
_TWO_SERVERS = "two servers"


def at_risk(queue: "QueueHealth | None", chain: "ChainHealth | None") -> int | None:
    """Messages that wait, and those that are stuck without a reason of their own; None where that is not known."""
    if queue is None:
        return None
    if queue.waiting_messages is None:
        return queue.queue_depth
    held: int = without_reason(queue, chain)
    return queue.waiting_messages + held


def gone(chain: "ChainHealth | None") -> int | None:
    """Messages that were trimmed before they were written: unread, or while a writer held them."""
    if chain is None:
        return None
    return chain.trimmed.at_least + (chain.states.get("payload_gone") or 0)


def _waiting_sentence(queue: "QueueHealth | None", chain: "ChainHealth | None") -> str:
    """What waits and what was lost meanwhile, as sentences that begin with a blank; empty where nothing is."""
    text = ""
    held = without_reason(queue, chain)
    waiting = (at_risk(queue, chain) or 0) - held
    if waiting:
        text += f" {many(waiting, 'message waits', 'messages wait')} for a writer."
    if held:
        text += f" {many(held, 'message is', 'messages are')} held by a writer, and not written."
    lost = gone(chain)
    if lost == 1:
        text += " 1 message was trimmed before it was written."
    elif lost:
        text += f" {lost:,} messages were trimmed before a writer wrote them."
    return text


def stake(queue: "QueueHealth | None", chain: "ChainHealth | None") -> Stake:
    """What waits, and what was trimmed unread, which cannot be brought back."""
    lost = gone(chain)
    return Stake(at_risk=at_risk(queue, chain), lost=lost, recoverable=0 if lost else None)


def oldest_waiting(queue: "QueueHealth | None") -> Beginning:
    """When the oldest message was added that no writer was given: by then, at the latest, nobody read."""
    if queue is None:
        return Beginning()
    since = _oldest_unfinished(queue)
    measured = parse_time(queue.measured_at)
    if queue.oldest_waiting_age_ms is not None and measured is not None:
        since = iso_of_milliseconds(to_milliseconds(measured) - queue.oldest_waiting_age_ms)
    if since is None:
        return Beginning()
    return Beginning(since, "the oldest message that waits", "at the latest")


def _stopped(
    server: "ServerHealth", queue: "QueueHealth | None", chain: "ChainHealth | None", database: "DatabaseHealth | None"
) -> Beginning:
    """Since when the server is down: what it logged at its end, else what bounds the time."""
    if server.stopped_timestamp is not None:
        return Beginning(server.stopped_timestamp, "the server's log")
    signs = [(server.last_logged_timestamp, "the last line of the server's log")]
    if database is not None:
        signs.append((database.last_successful_write_timestamp, "the newest row of the database"))
    for loss in chain.losses if chain is not None else []:
        if loss.trimmed_unread and loss.after_id:
            signs.append((stream_time(loss.after_id), "the last message that was read before some were trimmed"))
    began = Beginning()
    # The oldest message that waits is another one once that is trimmed: it counts where the server's log tells nothing.
    if server.last_logged_timestamp is None and not gone(chain):
        began = oldest_waiting(queue)
    for time, shown_by in signs:
        began = not_before(began, time, shown_by)
    return began


def _oldest_unfinished(queue: "QueueHealth") -> str | None:
    """The same by its stream ID, where nothing but what waits is unfinished."""
    if not queue.first_unfinished_ids or queue.waiting_messages != queue.queue_depth:
        return None
    return stream_time(queue.first_unfinished_ids[0])


@cause(
    no_repair="No repair helps until the server runs: its writers then read what waits.",
    stage="server",
    shown_by=["server-alive"],
    brings=[*_BACKLOG, *LOSSES, *CAPTURE, "undrained-buffer", "server-errors"],
)
def cause_server_down(
    server: "ServerHealth",
    findings: Findings,
    locations: "Locations",
    queue: "QueueHealth | None" = None,
    chain: "ChainHealth | None" = None,
    database: "DatabaseHealth | None" = None,
) -> Cause | None:
    """The Blueplane server does not run."""
    if findings.value("server-alive") != "neither":
        return None
    if server.pid is None and findings.value("second-server") == _TWO_SERVERS:
        return None  # servers read the queue: they run elsewhere
    process = "There is no server.pid"
    if server.pid is not None:
        process = f"Process {server.pid} of server.pid is gone"
    if server.pid_state == "another program":
        process = f"Process {server.pid} of server.pid is another program by now"
    port = "nobody answers on its port"
    text = "Start it. If it does not start, the end of its log says why."
    if server.port_is_taken:
        port = f"another program holds its port ({server.http_answer})"
        text = "End the program that holds the port (lsof -i names it), or give the server another port; then start it."
    return Cause(
        summary=f"{process}, and {port}.{_waiting_sentence(queue, chain)}",
        **_stopped(server, queue, chain, database).fields,
        at_stake=stake(queue, chain),
        next_step=Remedy(text=text, commands=[f"tail -n 50 {locations.log}"]),
    )


@cause(
    no_repair="No repair helps until the server answers: nobody would write what is delivered again.",
    stage="server",
    shown_by=["server-alive"],
    brings=[*_BACKLOG, *LOSSES, *CAPTURE, "server-errors"],
    follows=["redis-unreachable", "database-locked"],
)
def cause_server_hangs(
    server: "ServerHealth",
    findings: Findings,
    locations: "Locations",
    queue: "QueueHealth | None" = None,
    chain: "ChainHealth | None" = None,
) -> Cause | None:
    """The server's process runs and does not answer."""
    if findings.value("server-alive") != "pid only":
        return None
    return Cause(
        summary=f"Process {server.pid} runs; HTTP: {server.http_answer}.{_waiting_sentence(queue, chain)}",
        **oldest_waiting(queue).fields,
        certain=bool(at_risk(queue, chain)),
        confirm="messages that wait: without any it may only listen on another port",
        at_stake=stake(queue, chain),
        next_step=Remedy(
            text="See whether it hangs or listens on another port; restart it if it hangs.",
            commands=[f"tail -n 50 {locations.log}"],
        ),
    )


@cause(
    stage="server",
    shown_by=["server-settings"],
    brings=["server-alive", "redis-reachable", "stream-lost"],
    no_repair="No repair is made by settings that may be wrong: correct the file first.",
)
def cause_settings_broken(findings: Findings) -> Cause | None:
    """Blueplane's own settings cannot be used."""
    return findings.cause("server-settings", more="What else is found may come from that.")


@cause(
    no_repair="No repair is made in a Redis that the server does not use.",
    stage="server",
    shown_by=["same-pipeline"],
    brings=[EVERYTHING, *_BACKLOG, *CAPTURE, "redis-reachable", "redis-durability", "stream-lost", "chain-breaks"],
)
def cause_another_redis(server_uses: "ServerUses", findings: Findings) -> Cause | None:
    """The server uses another Redis than the one that is examined."""
    if server_uses.redis.compared != "another":
        return None
    return _another(findings, server_uses.redis)


@cause(
    no_repair="No repair is made where rows are written elsewhere.",
    stage="server",
    shown_by=["same-pipeline"],
    brings=[
        *("database-reachable", "database-writable", "chain-breaks", "write-throughput", "database-monitor"),
        # The one server that reads is no server of the examined home, and so seems to be a second one.
        "second-server",
    ],
)
def cause_another_database(server_uses: "ServerUses", findings: Findings) -> Cause | None:
    """The server writes to another database than the one that is examined."""
    # Where the Redis is another one too, that says it all.
    if server_uses.redis.compared == "another":
        return None
    return _another(findings, server_uses.database)


def _another(findings: Findings, used: "Used") -> Cause | None:
    return findings.cause(
        "same-pipeline",
        more="What else is found here concerns a pipeline that it does not feed.",
        certain=used.is_proof,
        confirm="what the process has open: its log or its configuration alone may be out of date",
    )


@cause(
    no_repair="No repair delivers what a second server may have written: its rows lie elsewhere.",
    stage="server",
    shown_by=["second-server"],
    brings=["chain-breaks", "server-alive", "pending-messages"],
    follows=["another-database"],
)
def cause_second_server(findings: Findings, chain: "ChainHealth | None" = None) -> Cause | None:
    """A second server takes part of the messages, and writes them elsewhere."""
    elsewhere = chain.written_elsewhere if chain else None
    state = findings.value("second-server")
    is_certain = state != "perhaps two servers"
    title = ""
    if not is_certain:
        title = "A second server may take part of the messages"
    elif state == "two servers before":
        title = "A second server took part of the messages, and wrote them elsewhere"
    return findings.cause(
        "second-server",
        title=title,
        certain=is_certain,
        confirm="a process that is a Blueplane server and has that number, here or on another machine",
        at_stake=Stake(at_risk=elsewhere),
    )


@cause(
    repair="buffer",
    stage="server",
    shown_by=["undrained-buffer"],
    follows=["redis-unreachable", "redis-refuses-writes"],
)
def cause_buffer_undrained(server: "ServerHealth", findings: Findings) -> Cause | None:
    """Events lie in the server's local buffer, and nothing takes them to Redis."""
    return findings.cause("undrained-buffer", at_stake=Stake(at_risk=server.buffered_events))

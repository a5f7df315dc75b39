"""Causes that lie in the database: it is locked, cannot be written, is damaged, or its disk is full."""

from typing import TYPE_CHECKING

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.causeapi import stream_time
from blueplane_doctor.checkapi import many, sentence

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.disk_space import DiskSpace
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import LoggedErrors, ServerHealth

HELD = ("pending-messages", "queue-depth", "consumer-lag", "write-throughput", "write-success", "write-p95", "wal-size")
LOCKED = "database is locked"
NOT_WRITABLE = (
    *("database is read-only", "file system is read-only", "unable to open the database", "permission denied"),
)
FULL = "disk is full"


def _error(server: "ServerHealth | None", *kinds: str) -> "LoggedErrors | None":
    if server is None:
        return None
    return next((error for error in server.errors if error.kind in kinds), None)


def _stuck(queue: "QueueHealth | None") -> int:
    if queue is None:
        return 0
    return sum(group.stuck or 0 for group in queue.writers)


@cause(
    stage="database",
    shown_by=["stuck-consumers", "server-errors", "write-success"],
    brings=[*HELD, "retry-storm", "backlog-trend"],
    follows=["disk-full", "database-damaged"],
)
def cause_database_locked(
    server: "ServerHealth",
    locations: "Locations",
    queue: "QueueHealth | None" = None,
    chain: "ChainHealth | None" = None,
) -> Cause | None:
    """The database was locked, and a writer left its batches unwritten."""
    error = _error(server, LOCKED)
    stuck = _stuck(queue)
    holder = server.lock_holder
    if holder is not None and not stuck and error is None:
        return None  # a writer at work
    blocked = bool(chain is not None and chain.blockers)
    hangs = server.pid_state == "running" and not server.http_ok  # then it is the server that does not go on
    is_likely = bool(stuck) and not blocked and not hangs
    passing = queue is not None and chain is not None and is_likely and _refused_once(queue, chain)
    if error is None and not (passing or (holder is not None and stuck)):
        return None
    summary = f"{many(stuck, 'message was', 'messages were')} left in the pending entries list." if stuck else ""
    if error is not None:
        summary = f"The server's log tells of it, the last time at {error.last}. {summary}"
    if holder is not None:
        summary = f"Process {holder.pid} holds the write lock now. {summary}"
    ids = _stuck_ids(queue)
    since = error.first if error is not None else None
    since_by = "the first such error of the server's log"
    if since is None and ids:
        since = stream_time(ids[0])
        since_by = "the oldest message that is stuck"
    return Cause(
        summary=summary.strip(),
        since=since,
        since_by=since_by if since else "",
        certain=error is not None or holder is not None,
        confirm="an error of that time in the server's log",
        at_stake=Stake(at_risk=stuck if queue is not None else None),
        next_step=Remedy(
            text="Find the process that locks it and let that finish; save the stuck messages, which the Cursor "
            "writer does not read again.",
            commands=[f"lsof {locations.database}"],
        ),
    )


def _refused_once(queue: "QueueHealth", chain: "ChainHealth") -> bool:
    """Whether what is stuck was delivered once or twice, to writers that are still there: a refusal that passed."""
    holding = [group for group in queue.writers if group.stuck]
    return all((group.most_deliveries or 0) < 3 and not group.orphaned for group in holding)


def _stuck_ids(queue: "QueueHealth | None") -> list[str]:
    ids: list[str] = []
    if queue is not None:
        for group in queue.writers:
            ids += group.stuck_ids
    return ids


@cause(
    stage="database",
    shown_by=["database-writable", "server-errors", "stuck-consumers", "database-reachable", "write-success"],
    brings=[*HELD, "retry-storm", "backlog-trend"],
    follows=["disk-full"],
)
def cause_database_not_writable(
    server: "ServerHealth", locations: "Locations", findings: Findings, queue: "QueueHealth | None" = None
) -> Cause | None:
    """The server may not write the database."""
    error = _error(server, *NOT_WRITABLE)
    finding = findings.get("database-writable")
    summary = ""
    if finding is not None and findings.bad("database-writable"):
        summary = f"{finding.summary}."
    if error is None and not summary:
        return None
    if error is not None:
        summary = f'{summary} The server\'s log says "{error.kind}", the last time at {error.last}.'.strip()
    stuck = _stuck(queue)
    left = f" {many(stuck, 'message is', 'messages are')} stuck." if stuck else ""
    return Cause(
        summary=f"{summary}{left}",
        since=error.first if error else None,
        since_by="the first such error of the server's log" if error else "",
        at_stake=Stake(at_risk=stuck if queue is not None else None),
        next_step=Remedy(
            text="Give the server's user the database's file and folder to write, then restart it.",
            commands=[f"ls -l {locations.database}"],
        ),
    )


@cause(stage="database", shown_by=["database-reachable"], brings=["chain-breaks", "server-errors", "write-success"])
def cause_database_damaged(findings: Findings, server: "ServerHealth | None" = None) -> Cause | None:
    """The database is damaged."""
    finding = findings.get("database-reachable")
    if finding is None or not findings.bad("database-reachable") or "damaged" not in finding.summary:
        return None
    error = _error(server, "database is damaged")
    return Cause(
        summary=sentence(finding.summary),
        since=error.first if error else None,
        since_by="the first such error of the server's log" if error else "",
        next_step=finding.remedy,
    )


@cause(
    stage="database",
    shown_by=["disk-space", "server-errors", "stuck-consumers"],
    brings=[*HELD, "redis-writable", "redis-durability", "hook-losses", "hook-spool", "retry-storm"],
)
def cause_disk_full(
    locations: "Locations",
    findings: Findings,
    server: "ServerHealth | None" = None,
    disk_space: "DiskSpace | None" = None,
    queue: "QueueHealth | None" = None,
) -> Cause | None:
    """A disk of the pipeline is full, or nearly."""
    error = _error(server, FULL)
    finding = findings.get("disk-space")
    if error is None and not findings.bad("disk-space"):
        return None
    summary = sentence(finding.summary) if finding is not None and findings.bad("disk-space") else ""
    if error is not None:
        summary += f" The server could not write, the last time at {error.last}."
    return Cause(
        summary=summary.strip(),
        since=error.first if error else None,
        since_by="the first such error of the server's log" if error else "",
        at_stake=Stake(at_risk=_stuck(queue) if queue is not None else None),
        next_step=Remedy(
            text="Make room on that disk. Delete neither the database nor its -wal and -shm files, nor anything of "
            "Redis.",
            commands=[f"df -h {locations.home}"],
        ),
    )

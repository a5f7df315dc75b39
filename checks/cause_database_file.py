"""Causes that lie in the database's file: it is damaged, gone, cannot be read, or is slow."""

from typing import TYPE_CHECKING

from blueplane_doctor.checks.stuck_messages import FIRST_ERROR, logged, without_reason

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.checkapi import sentence

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.model import Finding
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

READ_FROM_IT = (
    *("chain-breaks", "capture-rate", "database-monitor", "hook-inactivity", "wal-size"),
    *("transcript-completeness", "cursor-completeness", "cursor-last-changes"),
    *("write-throughput", "write-success", "write-p95", "delivery-delay", "server-errors"),
    *("stuck-consumers", "retry-storm", "pending-messages", "consumer-lag", "queue-depth"),
)
"""What is judged by the database's rows, and what waits for a database that can be written."""
DAMAGED = ("damaged", "is not a SQLite database")
GONE = ("does not exist", "holds none of the tables")
INTERRUPTED = "not before the next start"


def _unreadable(findings: Findings) -> "Finding | None":
    """The finding that says why the database cannot be read; None where it can."""
    return findings.fault("database-reachable")


@cause(
    no_repair="No repair can restore a damaged database.",
    stage="database",
    shown_by=["database-reachable"],
    brings=READ_FROM_IT,
)
def cause_database_damaged(findings: Findings, server: "ServerHealth | None" = None) -> Cause | None:
    """The database is damaged."""
    finding = _unreadable(findings)
    if finding is None or not any(words in finding.summary for words in DAMAGED):
        return None
    error = logged(server, "database is damaged")
    return Cause(
        summary=sentence(finding.summary),
        since=error.first if error else None,
        since_by=FIRST_ERROR if error else "",
        next_step=finding.remedy,
    )


@cause(
    no_repair="No repair brings rows back; once the tables are there it plans for what the stream still holds.",
    stage="database",
    shown_by=["database-reachable"],
    brings=READ_FROM_IT,
    follows=["another-database"],
)
def cause_database_gone(
    findings: Findings,
    locations: "Locations",
    server: "ServerHealth | None" = None,
    queue: "QueueHealth | None" = None,
    chain: "ChainHealth | None" = None,
) -> Cause | None:
    """The database, or its tables, are not there."""
    finding = _unreadable(findings)
    if finding is None or not any(words in finding.summary for words in GONE):
        return None
    error = logged(server, "no such table or column", "unable to open the database")
    text = "Start the Blueplane server: it makes the database."
    if server is not None and server.is_alive:
        text = (
            "Look for the old file first: it may have been moved, and what is written anew is no part of it. The "
            "server makes its tables at its start only: restart it, and it writes what comes from then on."
        )
    return Cause(
        summary=f"{sentence(finding.summary)} No message can be written.",
        since=error.first if error else None,
        since_by=FIRST_ERROR if error else "",
        at_stake=Stake(at_risk=without_reason(queue, chain) if queue else None),
        next_step=Remedy(text=text, commands=[f"ls -la {locations.home}"]),
    )


@cause(
    no_repair="No repair is needed: the next writer rolls the journal back.",
    stage="database",
    shown_by=["database-reachable"],
    brings=READ_FROM_IT,
)
def cause_database_interrupted(findings: Findings) -> Cause | None:
    """A crash left the database in the middle of a write."""
    finding = _unreadable(findings)
    if finding is None or finding.observed != INTERRUPTED:
        return None
    return Cause(
        summary=f"{sentence(finding.summary)} The next start of the server repairs it; nothing is lost by it.",
        next_step=finding.remedy,
    )


@cause(
    no_repair="No repair is planned where rows cannot be looked up.",
    stage="database",
    shown_by=["database-reachable"],
    brings=READ_FROM_IT,
)
def cause_database_unreadable(findings: Findings) -> Cause | None:
    """The database cannot be read."""
    finding = _unreadable(findings)
    if finding is None or finding.observed == INTERRUPTED:
        return None
    if any(words in finding.summary for words in (*DAMAGED, *GONE)):
        return None
    return Cause(
        summary=f"{sentence(finding.summary)} Whether messages are written is not known.", next_step=finding.remedy
    )


@cause(
    no_repair="No repair makes writes faster: moving messages would add to them.",
    stage="database",
    shown_by=["write-p95"],
    brings=["write-throughput", "consumer-lag", "queue-depth", "backlog-trend", "wal-size", "wal-growth"],
    follows=["disk-full", "database-locked"],
)
def cause_writes_are_slow(findings: Findings) -> Cause | None:
    """Batches take long to be written."""
    finding = findings.fault("write-p95")
    if finding is None:
        return None
    return Cause(
        summary=sentence(finding.summary),
        certain=False,
        confirm="a busy disk (iostat), or another process that has the database open (lsof)",
        next_step=finding.remedy,
    )


@cause(
    no_repair="No repair is needed: no message is held up by it.",
    stage="database",
    shown_by=["wal-size", "wal-growth"],
    brings=["write-throughput"],
    follows=["database-locked", "disk-full", "writes-are-slow"],
)
def cause_log_not_emptied(findings: Findings, locations: "Locations") -> Cause | None:
    """The write-ahead log of the database is not emptied."""
    finding = findings.fault("wal-size", "wal-growth")
    if finding is None:
        return None
    return Cause(
        summary=f"{sentence(finding.summary)} Nothing is lost by it; reading and writing get slower.",
        certain=False,
        confirm="a process that keeps a transaction open for long",
        next_step=finding.remedy or Remedy(text="See who reads it.", commands=[f"lsof {locations.database}"]),
    )

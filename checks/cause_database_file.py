"""Causes that lie in the database's file: it is damaged, gone, cannot be read, or is slow."""

from typing import TYPE_CHECKING

from blueplane_doctor.checks.stuck_messages import since_first_error, without_reason

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_READ_FROM_IT = (
    *("chain-breaks", "capture-rate", "database-monitor", "hook-inactivity", "wal-size"),
    *("transcript-completeness", "cursor-completeness", "cursor-last-changes"),
    *("write-throughput", "write-success", "write-p95", "delivery-delay", "server-errors"),
    *("stuck-consumers", "retry-storm", "pending-messages", "consumer-lag", "queue-depth"),
)
"""What is judged by the database's rows, and what waits for a database that can be written."""
_DAMAGED = ("damaged", "is not a SQLite database")
_TABLE_GONE = "has no table"
_GONE = ("does not exist", "holds none of the tables", _TABLE_GONE)
_INTERRUPTED = "not before the next start"


_UNREADABLE = "database-reachable"
"""The check that says why the database cannot be read."""


def _is(findings: Findings, *words: str) -> bool:
    """Whether the database cannot be read, and one of these parts of a sentence says why."""
    finding = findings.fault(_UNREADABLE)
    return finding is not None and any(part in finding.summary for part in words)


@cause(
    no_repair="No repair can restore a damaged database.",
    stage="database",
    shown_by=["database-reachable"],
    brings=_READ_FROM_IT,
)
def cause_database_damaged(findings: Findings, server: "ServerHealth | None" = None) -> Cause | None:
    """The database is damaged."""
    if not _is(findings, *_DAMAGED):
        return None
    return findings.cause(_UNREADABLE, **since_first_error(server, "database is damaged").fields)


@cause(
    no_repair="No repair brings rows back; once the tables are there it plans for what the stream still holds.",
    stage="database",
    shown_by=["database-reachable"],
    brings=_READ_FROM_IT,
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
    if not _is(findings, *_GONE):
        return None
    text = "Start the Blueplane server: it makes the database."
    more = "No message can be written."
    if _is(findings, _TABLE_GONE):
        more = ""
        text = (
            "See whether the table was renamed: then the rows of before are in the other one. The server makes missing "
            "tables at its start only: restart it, and it writes what comes from then on."
        )
    elif server is not None and server.is_alive:
        text = (
            "Look for the old file first: it may have been moved, and what is written anew is no part of it. The "
            "server makes its tables at its start only: restart it, and it writes what comes from then on."
        )
    return findings.cause(
        _UNREADABLE,
        more=more,
        **since_first_error(server, "no such table or column", "unable to open the database").fields,
        at_stake=Stake(at_risk=without_reason(queue, chain) if queue else None),
        next_step=Remedy(text=text, commands=[f"ls -la {locations.home}"]),
    )


@cause(
    no_repair="No repair is needed: the next writer rolls the journal back.",
    stage="database",
    shown_by=["database-reachable"],
    brings=_READ_FROM_IT,
)
def cause_database_interrupted(findings: Findings) -> Cause | None:
    """A crash left the database in the middle of a write."""
    if findings.value(_UNREADABLE) != _INTERRUPTED:
        return None
    return findings.cause(_UNREADABLE, more="The next start of the server repairs it; nothing is lost by it.")


@cause(
    no_repair="No repair is planned where rows cannot be looked up.",
    stage="database",
    shown_by=["database-reachable"],
    brings=_READ_FROM_IT,
)
def cause_database_unreadable(findings: Findings) -> Cause | None:
    """The database cannot be read."""
    if findings.value(_UNREADABLE) == _INTERRUPTED or _is(findings, *_DAMAGED, *_GONE):
        return None
    return findings.cause(_UNREADABLE, more="Whether messages are written is not known.")


@cause(
    no_repair="No repair makes writes faster: moving messages would add to them.",
    stage="database",
    shown_by=["write-p95"],
    brings=["write-throughput", "consumer-lag", "queue-depth", "backlog-trend", "wal-size", "wal-growth"],
    follows=["disk-full", "database-locked"],
)
def cause_writes_are_slow(findings: Findings) -> Cause | None:
    """Batches take long to be written."""
    confirm = "a busy disk (iostat), or another process that has the database open (lsof)"
    return findings.cause("write-p95", certain=False, confirm=confirm)


@cause(
    no_repair="No repair is needed: no message is held up by it.",
    stage="database",
    shown_by=["wal-size", "wal-growth"],
    brings=["write-throughput"],
    follows=["database-locked", "disk-full", "writes-are-slow"],
)
def cause_log_not_emptied(findings: Findings) -> Cause | None:
    """The write-ahead log of the database is not emptied."""
    return findings.cause(
        "wal-size",
        "wal-growth",
        more="Nothing is lost by it; reading and writing get slower.",
        certain=False,
        confirm="a process that keeps a transaction open for long",
    )

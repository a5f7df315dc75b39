"""Causes that keep the database from being written: it is locked, may not be written, its disk is full or fails."""

from typing import TYPE_CHECKING

from blueplane_doctor.checks.stuck_messages import (
    DISK_FAILS,
    FULL,
    LOCKED,
    NOT_WRITABLE,
    Held,
    held_since,
    logged,
    since_first_error,
)

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.causeapi import Beginning, stream_time
from blueplane_doctor.checkapi import many, sentence, trace_commands
from blueplane_doctor.text.times import readable

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import LoggedErrors, ServerHealth

_HELD = (
    *("pending-messages", "queue-depth", "consumer-lag", "queue-headroom", "backlog-trend", "time-to-loss"),
    *("write-throughput", "write-success", "write-p95", "wal-size", "wal-growth", "retry-storm", "stuck-consumers"),
    "delivery-delay",
)
"""What may be found where the database takes no rows."""
_SAVE_THEM = "Save the stuck messages: the Cursor writer does not read them again."
_KEEP_THE_DATABASE = "Keep a copy of the database with its -wal and -shm files before anything else."


def _signs(error: "LoggedErrors | None", held: Held, *more: str) -> list[str]:
    """The findings that show a refusal of the database: those of what it left, and of its errors where they are new."""
    signs = [*more]
    if held.messages or held.shared:
        signs.append("stuck-consumers")
    if error is not None and error.lately:
        signs += ["server-errors", "write-success"]
    return signs


def _left(held: Held) -> str:
    """How many messages it left, as a sentence that begins with a blank; empty where it left none."""
    if held.shared and not held.messages:
        return " How many of the stuck messages it left is not known: others wait behind one that cannot be written."
    if not held.messages:
        return ""
    count = many(held.messages, "message was", "messages were")
    if held.shared:
        count = f"At least {count}"
    if held.is_retried:
        return f" {count} not written so far; the writer that tries again may still write its own."
    return f" {count} not written, and nobody reads them again."


def _at_risk(held: Held) -> int | None:
    if held.shared and not held.messages:
        return None
    messages: int = held.messages
    return messages


@cause(
    repair="stuck",
    stage="database",
    shown_by=["stuck-consumers", "server-errors", "write-success"],
    brings=[*_HELD, "server-alive"],
    follows=["disk-full", "database-damaged"],
)
def cause_database_locked(
    server: "ServerHealth",
    locations: "Locations",
    findings: Findings,
    queue: "QueueHealth | None" = None,
    chain: "ChainHealth | None" = None,
) -> Cause | None:
    """The database was locked, and batches were not written."""
    error = logged(server, LOCKED)
    holder = server.lock_holder
    if holder is not None and holder.is_server:
        holder = None  # the writer at work
    held = held_since(error, queue, chain)
    signs = _signs(error, held)
    # Somebody who holds the lock at this moment may be about to let it go: the stuck messages make it a reason.
    if not signs or (error is None and (holder is None or not held.messages)):
        return None
    parts = []
    if holder is not None:
        parts.append(f"Process {holder.pid} holds the write lock now.")
    if error is not None:
        parts.append(f'The server\'s log says "{LOCKED}", the last time at {readable(error.last)}.')
    began = since_first_error(server, LOCKED)
    if error is None and held.ids:
        began = Beginning(stream_time(min(held.ids)), "the oldest message that is stuck")
    text = "See which process has the database open, and let it finish: until then repair only saves the messages."
    repair = "stuck --save-only"
    if holder is None:
        text = "See which process has the database open: it may lock it again."
        repair = "stuck"
    title = ""
    if held.messages or held.shared:
        text += f" {_SAVE_THEM}"
    else:
        repair = ""
        if holder is None and _errors_are_over(findings):
            title = "The database was locked for a time"
            parts.append("Rows were written since then, and nothing is stuck.")
            text = "It is over, and nothing needs to be done. If it returns, see which process has the database open."
    return Cause(
        title=title,
        summary=" ".join(parts) + _left(held),
        **began.fields,
        certain=error is not None and (bool(error.lately) or bool(held.messages)),
        confirm=_confirm(error),
        at_stake=Stake(at_risk=_at_risk(held)),
        next_step=Remedy(text=text, commands=[f"lsof {locations.database}"]),
        repair=repair,
        explains=signs,
    )


def _errors_are_over(findings: Findings) -> bool:
    """Whether rows were written after the last error in the log, as server-errors found."""
    finding = findings.get("server-errors")
    return finding is not None and bool(finding.evidence.get("over"))


def _confirm(error: "LoggedErrors | None") -> str:
    if error is None:
        return f'"{LOCKED}" in the server\'s log, at the time of the oldest stuck message'
    return "the oldest stuck messages were enqueued just before that error, and have no other reason"


@cause(
    no_repair="No repair helps while it cannot be written; after that: blueplane-doctor repair.",
    stage="database",
    shown_by=["database-writable", "server-errors", "stuck-consumers", "write-success"],
    brings=_HELD,
    follows=["disk-full"],
)
def cause_database_not_writable(
    server: "ServerHealth",
    locations: "Locations",
    findings: Findings,
    queue: "QueueHealth | None" = None,
    chain: "ChainHealth | None" = None,
) -> Cause | None:
    """The server is not allowed to write to the database, or was not for a time."""
    error = logged(server, *NOT_WRITABLE)
    finding = findings.fault("database-writable")
    if error is None and finding is None:
        return None
    held = held_since(error, queue, chain)
    signs = _signs(error, held)
    summary = ""
    repair = None
    text = "It can be written again, as far as permissions tell."
    if finding is not None:
        signs.append("database-writable")
        summary = sentence(finding.summary)
        text = "Give the server's user the database's file and folder to write, then restart it."
    if not signs:
        return None
    if error is not None:
        summary = f'{summary} The server\'s log says "{error.kind}", the last time at {readable(error.last)}.'.strip()
    if held.messages or held.shared:
        text += f" {_SAVE_THEM}"
        if finding is None:
            repair = "stuck"
    return Cause(
        summary=summary + _left(held),
        **since_first_error(server, *NOT_WRITABLE).fields,
        certain=finding is not None or bool(held.messages) or bool(error and error.lately),
        confirm=_confirm(error),
        at_stake=Stake(at_risk=_at_risk(held)),
        next_step=Remedy(text=text, commands=[f"ls -l {locations.database}", *_traces(held, locations)]),
        explains=signs,
        repair=repair,
    )


@cause(
    no_repair="No repair helps while the disk is full; after that: blueplane-doctor repair.",
    stage="database",
    shown_by=["disk-space", "server-errors", "stuck-consumers"],
    brings=[*_HELD, "redis-writable", "redis-durability", "redis-memory", "hook-losses", "hook-spool"],
)
def cause_disk_full(
    locations: "Locations",
    findings: Findings,
    server: "ServerHealth | None" = None,
    queue: "QueueHealth | None" = None,
    chain: "ChainHealth | None" = None,
) -> Cause | None:
    """A disk of the pipeline is full, nearly full, or was full."""
    error = logged(server, FULL)
    finding = findings.fault("disk-space")
    if error is None and finding is not None:
        # What SQLite answers on a full disk where it is the -shm file that cannot grow.
        error = logged(server, DISK_FAILS)
    if error is None and finding is None:
        return None
    held = Held(0, [], False)
    if error is not None:
        held = held_since(error, queue, chain)
    signs = _signs(error, held)
    summary = ""
    text = "There is room now."
    repair = None
    commands = [f"df -h {locations.home}"]
    if finding is not None:
        signs.append("disk-space")
        summary = sentence(finding.summary)
        text = "Make room on that disk. Delete neither the database nor its -wal and -shm files, nor anything of Redis."
    if not signs:
        return None
    if error is not None:
        summary += f' The server\'s log says "{error.kind}", the last time at {readable(error.last)}.'
    if held.messages or held.shared:
        text += f" {_SAVE_THEM}"
        if finding is None:
            repair = "stuck"
    return Cause(
        summary=summary.strip() + _left(held),
        **since_first_error(server, error.kind if error is not None else FULL).fields,
        certain=finding is not None or bool(held.messages) or bool(error and error.lately),
        confirm=_confirm(error),
        at_stake=Stake(at_risk=_at_risk(held)),
        next_step=Remedy(text=text, commands=[*commands, *_traces(held, locations)]),
        explains=signs,
        repair=repair,
    )


@cause(
    repair="stuck",
    stage="database",
    shown_by=["server-errors", "stuck-consumers", "write-success"],
    brings=_HELD,
    follows=["disk-full", "database-not-writable", "database-damaged", "database-gone", "database-unreadable"],
)
def cause_disk_fails(
    server: "ServerHealth",
    locations: "Locations",
    findings: Findings,
    queue: "QueueHealth | None" = None,
    chain: "ChainHealth | None" = None,
) -> Cause | None:
    """The database's disk failed when it was written or read."""
    error = logged(server, DISK_FAILS)
    if error is None:
        return None
    held = held_since(error, queue, chain)
    signs = _signs(error, held)
    if not signs:
        return None
    text = (
        f"{_KEEP_THE_DATABASE} See the system's log for errors of the disk (dmesg), and whether it has room, is a "
        "network's, or is limited for the server's user (ulimit -f)."
    )
    repair = "stuck --save-only"
    if _errors_are_over(findings):
        text = f"Rows are written again. {text}"
        repair = "stuck"
    if held.messages or held.shared:
        text += f" {_SAVE_THEM}"
    else:
        repair = ""
    return Cause(
        summary=f'The server\'s log says "{DISK_FAILS}", the last time at {readable(error.last)}.{_left(held)}',
        **since_first_error(server, DISK_FAILS).fields,
        certain=bool(error.lately) or bool(held.messages),
        confirm=_confirm(error),
        at_stake=Stake(at_risk=_at_risk(held)),
        next_step=Remedy(text=text, commands=[f"df -h {locations.home}", *_traces(held, locations)]),
        repair=repair,
        explains=signs,
    )


def _traces(held: Held, locations: "Locations") -> list[str]:
    return trace_commands(locations.doctor, held.ids[:1])

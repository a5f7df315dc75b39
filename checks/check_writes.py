"""Writes: do they succeed, how long do they take, do they keep up."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check
from blueplane_doctor.checkapi import RECORDED_MINUTES, many, not_graded, sentence, unmeasured
from blueplane_doctor.text.times import span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.connections import Connections
    from blueplane_doctor.monitoring.database_access import DatabaseAccess
    from blueplane_doctor.monitoring.database_health import DatabaseHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth

_DEMAND_MESSAGES = 100
"""Backlog from which on throughput is graded: at the green rate of 100 a second it is gone in one second."""
_DEMAND_AGE_MS = 60_000
"""Age of the backlog from which on it is graded: the rate is a mean of the last 60 seconds."""


@check(area="database", scale=Scale.states(green="yes", orange="not before the next start", red="no"))
def check_database_reachable(connections: "Connections", scale: Scale) -> Finding:
    """The telemetry database exists, opens, and has its tables.

    Without it no row of a message can be read, and the chain of custody is unknown.

    Causes:
    - the server was never started, so that the database was never made
    - the settings name another file, or this user may not read it
    - the file is damaged, or is of another layout
    - a crash left a rollback journal: nothing can be read before a writer has rolled it back
    """
    database = connections.database
    if database.reachable:
        return scale.grade("yes", f"The database {database.address} can be read")
    hint = database.hint or "start the Blueplane server: it makes the database"
    cause = database.cause[0].upper() + database.cause[1:]
    answer = "no"
    if database.interrupted:
        answer = "not before the next start"
    return scale.grade(answer, cause, remedy=Remedy(text=sentence(hint)))


_WHAT = {"database": "its file", "folder": "its folder", "-wal": "its write-ahead log", "-shm": "its -shm file"}


@check(area="database", scale=Scale.states(green="yes", red="no|read-only file system"))
def check_database_writable(database_access: "DatabaseAccess", locations: "Locations", scale: Scale) -> Finding:
    """The user that runs the server may write the database.

    SQLite writes the file, the write-ahead log beside it, and makes files in its folder: all three are needed. Nothing
    is written to find out: the owner, the permissions and the mount tell. Root may write whatever they say.

    Causes:
    - the server, or sqlite3, was once run as another user, such as root, and made the files
    - the file system is mounted read-only, as Linux does by itself after errors of a disk
    """
    evidence = database_access.model_dump(exclude={"cause"})
    if database_access.writable:
        return scale.grade("yes", "The server's user may write the database", evidence=evidence)
    if database_access.writable is None:
        summary = f"Nothing was found that keeps the server from writing; {database_access.cause}"
        return not_graded(None, summary, evidence=evidence)
    if database_access.read_only_mount:
        remedy = Remedy(
            text="See the system's log for why it is mounted read-only (after errors of the disk: save it first), and "
            "mount it for writing.",
            commands=[f"df {locations.database}"],
        )
        summary = "The file system of the database is mounted read-only: nobody can write it"
        return scale.grade("read-only file system", summary, remedy=remedy, evidence=evidence)
    refused = " and ".join(_WHAT[name] for name in database_access.refused)
    remedy = Remedy(
        text="Give the server's user these to write (chown as they were, chmod u+w), then restart the server. The "
        "Cursor writer does not write again what failed meanwhile: see stuck-consumers.",
        commands=[f"ls -l {locations.database}*", f"ls -ld {locations.home}"],
    )
    summary = f"The user that runs the server may not write the database: {refused}"
    if database_access.refused == ["folder"]:
        summary = (
            "The user that runs the server may make no files in the database's folder: rows are written only as long "
            "as the write-ahead log and its -shm file are there"
        )
    return scale.grade("no", summary, remedy=remedy, evidence=evidence)


@check(area="database", scale=Scale.rising(yellow=10, orange=50, red_above=100, unit="ms"))
def check_write_p95(database: "DatabaseHealth", locations: "Locations", scale: Scale) -> Finding:
    """How long 95 of 100 batch writes take at most.

    Measured by the recorder inside the server. Slow writes come before a backlog does.

    Causes:
    - the disk is slow or busy
    - another process keeps the database locked
    - the write-ahead log is large (see wal-size)
    """
    p95 = database.write_latency_p95_ms
    evidence = _recorded(database)
    if p95 is None or database.recorded_minutes < RECORDED_MINUTES:
        return _unmeasured("How long writes take is not known", database, evidence)
    slow = Remedy(
        text="See whether the disk is slow, another process keeps the database locked, or wal-size is not green.",
        commands=[f"lsof {locations.database}"],
    )
    return scale.grade(p95, f"95 % of writes take {round(p95, 2):g} ms or less", remedy=slow, evidence=evidence)


@check(area="database", scale=Scale.falling(yellow=99, orange_below=95, red_below=90, unit="%", highest=100))
def check_write_success(database: "DatabaseHealth", locations: "Locations", scale: Scale) -> Finding:
    """How many of 100 batch writes succeed.

    Measured by the recorder inside the server. A batch that fails is not lost: it stays pending with its writer.

    Causes:
    - duplicates or malformed messages in the batches (see retry-storm)
    - the disk is full
    - the database is locked or cannot be written
    """
    rate = database.write_success_rate
    evidence = _recorded(database)
    evidence["last write"] = database.last_successful_write_timestamp
    evidence["last failure"] = database.last_failed_write_timestamp
    if rate is None or database.recorded_minutes < RECORDED_MINUTES:
        return _unmeasured("How many writes fail is not known", database, evidence)
    failing = Remedy(
        text="The log names the error of each failed write.",
        commands=[f"grep -E 'ERROR|CRITICAL' {locations.log} | tail"],
    )
    percent = round(100 * rate, 3)
    return scale.grade(percent, f"{percent:g} % of writes succeed", remedy=failing, evidence=evidence)


@check(area="database", scale=Scale.falling(yellow=100, orange_below=50, red_below=10, unit="rows/s"))
def check_write_throughput(database: "DatabaseHealth", queue: "QueueHealth", scale: Scale) -> Finding:
    """Rows written a second, graded only under demand.

    Demand is a backlog of at least 100 messages that no writer was given yet, the oldest for at least a minute. What is
    stuck is none: writers that keep up beside it are not slow. Without demand, a low rate is no fault.

    Causes:
    - a writer that fails at the same batch again and again (see retry-storm)
    - two writers that wait for one another's lock
    - a slow disk (see write-p95)
    """
    rate = database.write_throughput_events_per_sec
    waiting = queue.waiting_messages
    if waiting is None:
        waiting = queue.stream_length
    age_ms = queue.oldest_waiting_age_ms or 0
    evidence = {"not delivered yet": waiting, "oldest of them ms": age_ms}
    if waiting < _DEMAND_MESSAGES or age_ms < _DEMAND_AGE_MS:
        age = database.last_successful_write_age_ms
        summary = "No backlog to keep up with; nothing was ever written"
        if age is not None:
            summary = f"No backlog to keep up with; last write {span(age)} ago"
        return not_graded(rate, summary, unit=scale.unit, evidence=evidence)
    return scale.grade(
        rate,
        f"{many(rate, 'row a second is', 'rows a second are')} written while "
        f"{many(waiting, 'message waits', 'messages wait')}",
        remedy=Remedy(
            text="See stuck-consumers and retry-storm, then whether the disk is slow or the database locked."
        ),
        evidence=evidence,
    )


# SQLite checkpoints at 4 MB by itself; 64 MB means that something keeps it from doing so, 1 GB that it never did.
@check(area="database", scale=Scale.rising(yellow=64, orange=256, red=1024, unit="MB"))
def check_wal_size(database: "DatabaseHealth", locations: "Locations", scale: Scale) -> Finding:
    """Size of the write-ahead log.

    It grows while some reader keeps a transaction open, and every read gets slower with it.

    Causes:
    - a process that keeps a read transaction open, such as a database browser or a backup
    """
    size = database.wal_size_mb
    summary = "There is no write-ahead log, or it is empty"
    if size:
        summary = f"The write-ahead log has {size:g} MB"
    return scale.grade(
        size,
        summary,
        remedy=Remedy(
            text="Find the process that keeps a transaction open, and end it.",
            commands=[f"lsof {locations.database}"],
        ),
        evidence={"db_size_mb": database.db_size_mb},
    )


def _unmeasured(summary: str, database: "DatabaseHealth", evidence: dict[str, object]) -> Finding:
    return unmeasured(
        summary,
        database.recorded_minutes,
        database.recorded_cause,
        database.recorded_hint,
        recorder_ran=database.recorder_ran,
        evidence=evidence,
    )


def _recorded(database: "DatabaseHealth") -> dict[str, object]:
    return {
        "recorded minutes": database.recorded_minutes,
        "batches written": database.write_success_count,
        "batches failed": database.write_failure_count,
    }

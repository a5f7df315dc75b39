"""The errors in the server's log: how many there are, of which kinds, and whether they are over."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown
from blueplane_doctor.checkapi import many
from blueplane_doctor.text.times import milliseconds_of, readable, span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.database_health import DatabaseHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_FIVE_MINUTES = "five minutes"
_SHOWN_KINDS = 3
_QUIET_MS = 10_000
"""What fails is tried again about once a second: so long without an error means that it fails no more."""
_RESTART = (
    "The server reads from consumer groups that are gone, and makes them at its start only: restart it. "
    "Starting it a second time does not help. After the restart it reads the stream from its beginning, also what was "
    "written already: see stuck-consumers and retry-storm then."
)
_WRITABLE = "The server may not write: give its user the database's file and folder, then restart it."
_REDIS = "See redis-reachable: Redis does not answer the server, or refuses what it asks."
_LOGIN = "Redis does not let the server do its work: see redis-writable."
ADVICE = {
    "NOGROUP": _RESTART,
    "stream key is gone": _RESTART,
    "database is locked": (
        "Another process kept the database locked: end it or wait until it ends. The Cursor writer does not "
        "write again what failed meanwhile: see stuck-consumers."
    ),
    "disk is full": "Make room on the disk of the database. What failed meanwhile is not written again by itself.",
    "database is read-only": _WRITABLE,
    "file system is read-only": "The file system of the database is mounted read-only: see the system's log for why.",
    "unable to open the database": _WRITABLE,
    "permission denied": _WRITABLE,
    "database is damaged": "See database-reachable: keep a copy of the database before anything else.",
    "disk I/O error": (
        "The disk of the database fails, or a limit keeps the server from writing: see the system's log and df. Keep a "
        "copy of the database before anything else."
    ),
    "no such table or column": (
        "The tables are gone or of another version: restart the server, which makes the tables at its start."
    ),
    "UNIQUE constraint failed": (
        "Two messages of a batch have the same key, or one that is written already was delivered again: see "
        "stuck-consumers and retry-storm."
    ),
    "value that SQLite refuses": "A message cannot be written as it is: see stuck-consumers and retry-storm.",
    "payload is not UTF-8": (
        "A producer sends malformed payloads, which no writer can decode: stuck-consumers names the message."
    ),
    "connection refused": _REDIS,
    "connection lost": _REDIS,
    "timeout": _REDIS,
    "Redis memory is full (OOM)": "Redis refuses every write because its memory is full.",
    "Redis is a read-only replica (READONLY)": "Redis refuses every write because it is a replica: see its role.",
    "Redis cannot save (MISCONF)": "Redis refuses every write because its last snapshot failed.",
    "Redis has too few replicas (NOREPLICAS)": "Redis refuses every write because it has too few good replicas.",
    "Redis refuses the login": _LOGIN,
    "Redis permission is missing (NOPERM)": _LOGIN,
    "address already in use": "Another program listens on the server's port: see server-alive.",
    "too many open files": "Raise the limit of open files for the server (ulimit -n), then restart it.",
}
"""What to do about a kind of error."""


@check(area="server", scale=Scale.rising(yellow_above=0, orange=10, red_above=60, unit="errors/min"))
def check_server_errors(
    server: "ServerHealth",
    locations: "Locations",
    scale: Scale,
    queue: "QueueHealth | None" = None,
    database: "DatabaseHealth | None" = None,
) -> Finding:
    """ERROR and CRITICAL lines a minute in the tail of the server's log, mean of the last five minutes.

    A reason to read the log; nothing is lost by it. Where more is logged in five minutes than is read, the rate is that
    of the newest part. The errors of every normal start and stop are not counted, and lines that stand there twice, as
    in daemon mode, count once. Where both writers are there, no error came for ten seconds, and rows were written after
    the last one, the errors are over, and no worse than yellow.

    Causes:
    - a message that cannot be written, tried again and again (see retry-storm)
    - Redis or the database is away, locked, full or read-only
    - the consumer groups are gone (NOGROUP): the server makes them at its start only
    """
    rate = server.errors_per_minute
    if rate is None:
        cause = "there is no server.log in Blueplane's home"
        if server.log_cause:
            cause = f"server.log in Blueplane's home cannot be read: {server.log_cause}"
        return unknown("Whether the server logs errors is not known", cause)
    window = span(int(server.errors_window_seconds * 1000))
    evidence: dict[str, object] = {"last error": server.last_error_timestamp, "seconds": server.errors_window_seconds}
    for error in server.errors:
        evidence[error.kind] = f"{error.count:,} in the part that was read, the last at {readable(error.last)}"
    lately = sum(error.lately for error in server.errors)
    if queue is not None and lately and _are_over(server.last_error_timestamp, queue, database):
        remedy = _look_back(locations)
        summary = _past_errors(server, queue, lately)
        evidence["over"] = True
        return scale.grade(rate, summary, remedy=remedy, evidence=evidence, at_worst=Status.YELLOW)
    summary = f"No error in the server's log for {_FIVE_MINUTES if server.errors_window_seconds == 300 else window}"
    if rate:
        summary = f"{many(rate, 'error', 'errors')} a minute in the server's log"
        if server.errors_are_at_least:
            summary = f"At least {summary}, of which the last {window} were read"
        summary += _kinds(server)
    return scale.grade(rate, summary, remedy=_remedy_for_errors(server, locations), evidence=evidence)


def _are_over(last_error: str | None, queue: "QueueHealth", database: "DatabaseHealth | None") -> bool:
    """Whether all writers are there, and rows were written after the last error, which came ten seconds ago or more."""
    if database is None:
        return False
    for group in queue.writers:
        if not group.exists or not group.consumers:
            return False
    ago = _milliseconds_since(last_error, queue)
    error_ms = milliseconds_of(last_error or "")
    row_ms = milliseconds_of(database.last_successful_write_timestamp or "")
    if ago is None or error_ms is None or row_ms is None:
        return False
    # Both are whole seconds: a row of the same second may be older than the error.
    return ago >= _QUIET_MS and row_ms > error_ms


def _milliseconds_since(last_error: str | None, queue: "QueueHealth") -> int | None:
    """How long ago the last error was logged; None where that is not known."""
    error_ms = milliseconds_of(last_error or "")
    now_ms = milliseconds_of(queue.measured_at)
    if error_ms is None or now_ms is None:
        return None
    return now_ms - error_ms


def _past_errors(server: "ServerHealth", queue: "QueueHealth", lately: int) -> str:
    """Errors that are over, as a sentence in the past tense."""
    counted = many(lately, "error was", "errors were")
    if server.errors_are_at_least:
        counted = f"At least {counted}"
    ago = _milliseconds_since(server.last_error_timestamp, queue) or 0
    text = f"{counted} logged in the last {_FIVE_MINUTES}{_kinds(server)}; "
    if lately > 1:
        text += "the last one "
    return f"{text}{span(ago)} ago, and rows were written since"


def _look_back(locations: "Locations") -> Remedy:
    return Remedy(
        text="The errors are over, and nothing needs to be done about them. They may say what happened; whether they "
        "left messages behind, stuck-consumers and chain-breaks say.",
        commands=[_read_errors(locations)],
    )


def _read_errors(locations: "Locations") -> str:
    return f"grep -E 'ERROR|CRITICAL' {locations.log} | tail"


def _kinds(server: "ServerHealth") -> str:
    """The kinds of the errors in the window, the most frequent first."""
    named = []
    for error in server.errors:
        if error.lately:
            named.append(f"{error.kind} ({error.lately:,})")
    if not named:
        return ""
    return f": {', '.join(named[:_SHOWN_KINDS])}"


def _remedy_for_errors(server: "ServerHealth", locations: "Locations") -> Remedy:
    """What to do about the most frequent kind that something is known to do about."""
    text = "Read these errors in the log."
    for error in server.errors:
        if error.lately and error.kind in ADVICE:
            text = ADVICE[error.kind]
            if error.kind == "database is locked" and server.lock_holder:
                text = f"{_lock_holder(server)} {text}"
            break
    return Remedy(text=text, commands=[_read_errors(locations)])


def _lock_holder(server: "ServerHealth") -> str:
    holder = server.lock_holder
    if holder is None:
        return ""
    if holder.is_server:
        return f"The server itself (process {holder.pid}) holds the database's write lock now."
    if holder.program:
        return f"Process {holder.pid} ({holder.program}) holds the database's write lock now."
    return f"Process {holder.pid} holds the database's write lock now."

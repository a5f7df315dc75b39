"""The pipeline's server: does it run, does it answer, does it log errors, did it leave events behind."""

from contextlib import closing

from blueplane_doctor.errors import FileMissing, FileUnreadable, SourceError
from blueplane_doctor.files.reading import file_state
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.pipeline import BUFFER_TABLE
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.buffered_events import CURSOR_TABLE, written_events
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.file_locks import write_lock_holder
from blueplane_doctor.sources.server_log import LogTail
from blueplane_doctor.sources.server_process import RUNNING, process_state, read_pid
from blueplane_doctor.sources.server_source import NOBODY_LISTENS, ask_health
from blueplane_doctor.sources.trace_tables import RowFinder
from blueplane_doctor.text.times import iso

_HTTP_LIMIT_SECONDS = 1.0


class LoggedErrors(Record):
    """Errors of one kind in the part of the log that was read."""

    kind: str
    """A word of the doctor's own, never text of the log."""
    count: int
    lately: int
    """Of these, those that `errors_per_minute` counts."""
    first: str
    """The first of the last series: half an hour without such an error ends one."""
    last: str
    may_be_older: bool = False
    """Whether older ones may have been logged before the part that was read."""


class LockHolder(Record):
    """A process that holds the database's write lock."""

    pid: int
    program: str = ""
    """Empty where its name may be private."""
    is_server: bool = False
    """Whether it is the process of server.pid."""


class ServerHealth(Record):
    """The server process and what it left in its home."""

    pid: int | None
    """From server.pid; null when there is no such file or it holds no number."""
    pid_state: str
    """`running`, `not running`, `another program` (the pid was given to somebody else), `no pid file`."""
    pid_cause: str = ""
    """Why a server.pid that is there names no process."""
    http_ok: bool
    """Whether GET /health answered, and says that all is well."""
    http_answer: str
    """What GET /health came back with, in words."""
    log_found: bool
    """Whether there is a server.log that can be read."""
    log_cause: str = ""
    """Why a server.log that is there cannot be read."""
    last_logged_timestamp: str | None = None
    """When the server last logged anything."""
    stopped_timestamp: str | None = None
    """When the server logged that it stops, unless it was started since."""
    errors_per_minute: float | None
    """ERROR and CRITICAL lines but those of every normal start and stop, mean of `errors_window_seconds`; null without
    a log."""
    errors_window_seconds: float = 300.0
    """At most five minutes; less where the log began later, or where more was logged than is read."""
    errors_are_at_least: bool = False
    """Whether more was logged in the last five minutes than is read, so that the rate is a lower bound."""
    errors: list[LoggedErrors] = []
    """Most frequent first."""
    last_error_timestamp: str | None
    """Time of the newest ERROR or CRITICAL line in the log's tail."""
    buffered_events: int | None
    """Events in event_buffer.db that have no row; null when it could not be read."""
    buffer_cause: str = ""
    """Why the buffer could not be read."""
    lock_holder: LockHolder | None = None
    """Who holds the database's write lock now; null where nobody does or the system does not tell."""

    @property
    def is_alive(self) -> bool:
        """Whether its process runs, or it answers: in a container it has a process id of its own."""
        return self.pid_state == RUNNING or self.http_ok

    @property
    def port_is_taken(self) -> bool:
        """Whether the server does not run, and its port is held by another program."""
        return not self.is_alive and not self.http_answer.startswith(("ok", NOBODY_LISTENS))


class ServerHealthMonitor(Monitor):
    """Looks at the pid file, the process, GET /health, the log and the event buffer."""

    name = "server"
    record = ServerHealth

    def collect(self) -> ServerHealth:
        """Always a record: what cannot be read here is itself the finding."""
        examination = self.examination
        pid, pid_cause = read_pid(examination.settings.home / "server.pid")
        limit = max(0.05, min(_HTTP_LIMIT_SECONDS, examination.deadline.remaining))
        answer, http_ok = ask_health(examination.settings.http_url, limit)
        log = examination.log()
        buffered, cause = self._buffered()
        return ServerHealth(
            pid=pid,
            pid_state=process_state(pid),
            pid_cause=pid_cause,
            http_ok=http_ok,
            http_answer=answer,
            log_found=log.lines is not None,
            log_cause=log.cause,
            last_logged_timestamp=iso(log.last_line),
            stopped_timestamp=iso(log.stopped),
            errors_per_minute=log.errors_per_minute,
            errors_window_seconds=log.window_seconds,
            errors_are_at_least=log.is_cut,
            errors=_logged_errors(log),
            last_error_timestamp=iso(log.last_error),
            buffered_events=buffered,
            buffer_cause=cause,
            lock_holder=self._lock_holder(pid),
        )

    def _lock_holder(self, server_pid: int | None) -> LockHolder | None:
        holder = write_lock_holder(self.examination.settings.database_file)
        if holder is None:
            return None
        return LockHolder(pid=holder.pid, program=holder.program, is_server=holder.pid == server_pid)

    def _buffered(self) -> tuple[int | None, str]:
        path = self.examination.settings.buffer_file
        try:
            file_state(path)
            # Row by row: SQLite counts a whole table in one step, which no time limit ends.
            query = f"SELECT count(*) FROM (SELECT 1 FROM {BUFFER_TABLE} LIMIT -1)"
            deadline = self.examination.deadline
            with closing(DatabaseSource(path, deadline, what="the event buffer")) as buffer:
                ((count,),) = buffer.rows(query)
                if count:
                    count -= self._written_since(buffer)
        except FileMissing:
            return 0, ""
        except FileUnreadable as error:
            return None, f"the event buffer cannot be read: {error.reason}"
        except SourceError as error:
            return None, error.message
        return count, ""

    def _written_since(self, buffer: DatabaseSource) -> int:
        """Events that were delivered and written later: nothing takes them out of the buffer."""
        try:
            if CURSOR_TABLE not in self.examination.trace_tables():
                return 0
            return written_events(buffer, RowFinder(self.examination.database))
        except SourceError:
            return 0


def _logged_errors(log: LogTail) -> list[LoggedErrors]:
    errors = []
    for found in log.kinds:
        errors.append(
            LoggedErrors(
                kind=found.kind,
                count=found.times,
                lately=found.lately,
                first=iso(found.first) or "",
                last=iso(found.last) or "",
                may_be_older=found.may_be_older,
            )
        )
    return errors


MONITOR = ServerHealthMonitor

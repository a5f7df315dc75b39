"""The pipeline's server: does it run, does it answer, does it log errors, did it leave events behind."""

import json
from pathlib import Path

from blueplane_doctor.errors import SourceError
from blueplane_doctor.model import Record
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.pipeline import BUFFER_TABLE, SERVER_COMMANDS
from blueplane_doctor.sources.database_source import read_once
from blueplane_doctor.sources.server_source import ask_health
from blueplane_doctor.times import iso

HTTP_LIMIT_SECONDS = 1.0


class ServerHealth(Record):
    """The server process and what it left in its home."""

    pid: int | None
    """From server.pid; null when there is no such file or it holds no number."""
    pid_state: str
    """`running`, `not running`, `another program` (the pid was given to somebody else), `no pid file`."""
    http_ok: bool
    """Whether GET /health answered, and says that all is well."""
    http_answer: str
    """What GET /health came back with, in words."""
    log_found: bool
    """Whether there is a server.log that can be read."""
    errors_per_minute: float | None
    """ERROR and CRITICAL lines, mean of the last five minutes; null without a log."""
    last_error_timestamp: str | None
    """Time of the newest ERROR or CRITICAL line in the log's tail."""
    buffered_events: int | None
    """Events in event_buffer.db that never reached Redis; null when it could not be read."""
    buffer_cause: str = ""
    """Why the buffer could not be read."""


class ServerHealthMonitor(Monitor):
    """Looks at the pid file, the process, GET /health, the log and the event buffer."""

    name = "server"
    record = ServerHealth

    def collect(self) -> ServerHealth:
        """Always a record: what cannot be read here is itself the finding."""
        examination = self.examination
        pid = read_pid(examination.settings.home / "server.pid")
        limit = max(0.05, min(HTTP_LIMIT_SECONDS, examination.deadline.remaining))
        answer, http_ok = ask_health(examination.settings.http_url, limit)
        log = examination.log()
        buffered, cause = self._buffered()
        return ServerHealth(
            pid=pid,
            pid_state=process_state(pid),
            http_ok=http_ok,
            http_answer=answer,
            log_found=log.lines is not None,
            errors_per_minute=log.errors_per_minute,
            last_error_timestamp=iso(log.last_error),
            buffered_events=buffered,
            buffer_cause=cause,
        )

    def _buffered(self) -> tuple[int | None, str]:
        path = self.examination.settings.buffer_file
        if not path.is_file():
            return 0, ""
        try:
            query = f"SELECT count(*) FROM {BUFFER_TABLE}"
            ((count,),) = read_once(path, query, self.examination.deadline, what="the event buffer")
        except SourceError as error:
            return None, error.message
        return count, ""


RUNNING = "running"
"""What process_state says of the pipeline's server."""


def read_pid(path: Path) -> int | None:
    """The pid in a file that holds a bare number, or JSON with `pid`; None for anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8").strip()[:10_000])
    except (OSError, ValueError, RecursionError):
        return None
    if isinstance(content, dict):
        content = content.get("pid")
    is_number = isinstance(content, int) and not isinstance(content, bool)  # JSON's true is an int of Python's
    if is_number and 0 < content < 1 << 31:
        return int(content)
    return None


def process_state(pid: int | None) -> str:
    """Whether that process runs, and is the pipeline's server and not another program that was given the number."""
    if pid is None:
        return "no pid file"
    if pid >= 1 << 31:  # no system has so large a number, and psutil raises
        return "not running"
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return "not running"
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return "not running"
    except psutil.AccessDenied:
        return RUNNING  # another user's process under that number; its HTTP answer has to tell
    if any(mark in command for mark in SERVER_COMMANDS):
        return RUNNING
    return "another program"


MONITOR = ServerHealthMonitor

"""The pipeline's server from outside: what its /health says, and how many errors its log holds, never their text."""

import json
import re
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from blueplane_doctor.pipeline import MONITOR_LOGGERS, WRITE_FAILURE_LOGGERS

TAIL_BYTES = 1_000_000
"""Read from the log's end: some 8,000 lines."""
WINDOW = timedelta(minutes=5)
LINE = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:,\d+)? - (\S+) - ([A-Z]+) - ")
ERRORS = (b"ERROR", b"CRITICAL")
_ANSWER_BYTES = 10_000


class LogTail(NamedTuple):
    """Counts; None where there is no log to read."""

    lines: int | None = None
    errors_in_window: int | None = None
    monitor_errors: int | None = None
    last_error: datetime | None = None
    last_write_failure: datetime | None = None

    @property
    def errors_per_minute(self) -> float | None:
        """Mean of the last five minutes."""
        errors = self.errors_in_window
        return None if errors is None else round(errors / (WINDOW.total_seconds() / 60), 2)


def read_log(path: Path, now: datetime) -> LogTail:
    """Lines are in local time, as the server writes them. A log that cannot be read gives an empty LogTail."""
    try:
        tail = read_tail(path)
    except OSError:
        return LogTail()
    lines = errors = monitors = 0
    last_error = last_failure = None
    for found in filter(None, map(LINE.match, tail.splitlines())):
        lines += 1
        if found[3] not in ERRORS:
            continue
        logger = found[2].decode("utf-8", "replace")
        try:
            moment = datetime.fromisoformat(found[1].decode()).astimezone(UTC)
        except (ValueError, OverflowError):  # looks like a time, and is none
            continue
        last_error = moment
        if logger.endswith(WRITE_FAILURE_LOGGERS):
            last_failure = moment
        if now - WINDOW <= moment <= now + WINDOW:
            errors += 1
            monitors += logger.endswith(MONITOR_LOGGERS)
    return LogTail(lines, errors, monitors, last_error, last_failure)


def read_tail(path: Path) -> bytes:
    """The log's newest bytes, from the rotated file too where needed. Raises OSError without a log."""
    tail = _tail(path, TAIL_BYTES)
    if len(tail) < TAIL_BYTES:  # perhaps rotated a moment ago
        with suppress(OSError):
            tail = _tail(path.with_name(path.name + ".1"), TAIL_BYTES - len(tail)) + tail
    return tail


def _tail(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - limit))
        return file.read(limit)


def ask_health(http_url: str, limit: float) -> tuple[str, bool]:
    """What GET /health brought within `limit` seconds, in words, and whether all is well."""
    port = urlsplit(http_url).port
    try:
        body = _body(http_url.rstrip("/") + "/health", limit)
    except TimeoutError:
        return f"no answer in {limit:g} s on port {port}", False
    except (OSError, ValueError) as error:
        return f"{error if isinstance(error, _Strange) else 'nobody listens'} on port {port}", False
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return f"something else answers on port {port}", False
    ok = isinstance(said, dict) and said.get("status") == "ok"
    return (f"ok on port {port}" if ok else f"not ok on port {port}"), ok


class _Strange(OSError):
    """An answer that is none of the server's."""


def _body(url: str, limit: float) -> bytes:
    parts = urlsplit(url)
    # Where nobody listens, loading the HTTP client would be the costliest part of finding out.
    socket.create_connection((parts.hostname or "localhost", parts.port or 80), limit).close()
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, build_opener

    try:
        with build_opener(ProxyHandler({})).open(url, timeout=limit) as response:
            return bytes(response.read(_ANSWER_BYTES))
    except HTTPError as error:
        error.close()
        raise _Strange(f"HTTP {error.code}") from error
    except HTTPException as error:
        raise _Strange("something else answers") from error
    except URLError as error:
        raise (error.reason if isinstance(error.reason, OSError) else OSError(str(error.reason))) from error

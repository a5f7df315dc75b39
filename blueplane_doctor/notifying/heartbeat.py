"""The heartbeat: after every sample somebody outside is told that somebody looks, and `/fail` where it is red."""

from collections.abc import Callable
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

from blueplane_doctor.model import Status
from blueplane_doctor.notifying.observation import Observation
from blueplane_doctor.process.threads import has_begun
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.http_exchange import END_OF_HEAD, StrangeAnswer, exchange, host_of, status_of, target

_HEARTBEAT_SECONDS = 10.0
"""For the whole request."""
_FAIL = "/fail"


class Heartbeat:
    """Asks one URL at a time, in a thread: a service that hangs delays no sample."""

    def __init__(self, log: Callable[[str], None]) -> None:
        """`log` is told once when it fails, and once when it works again."""
        self._log = log
        self._thread: Thread | None = None
        self._reason = ""

    def beat(self, url: str, observation: Observation) -> None:
        """Begin to ask; where the last question has no answer yet, nothing is asked."""
        if self._thread is not None and self._thread.is_alive():
            return
        body = ""
        if observation.status is Status.RED:
            url = failing_url(url)
            lines = []
            for problem in observation.problems.values():
                if problem.status is Status.RED:
                    lines.append(f"{problem.id}: {problem.sentence}")
            body = "\n".join(lines)
        thread = Thread(target=self._ask, args=(url, body), name="blueplane-heartbeat", daemon=True)
        if has_begun(thread):  # else the next sample tries again
            self._thread = thread

    def finish(self, seconds: float) -> None:
        """Wait for the answer to the last question."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _ask(self, url: str, body: str) -> None:
        reason = ask(url, body)
        if reason and not self._reason:
            self._log(f"the heartbeat URL could not be asked: {reason}; it is tried again with every sample")
        elif self._reason and not reason:
            self._log("the heartbeat URL answers again")
        self._reason = reason


def failing_url(url: str) -> str:
    """The URL with `/fail` after its path, as healthchecks.io and what is like it take it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + _FAIL))


def ask(url: str, body: str, seconds: float = _HEARTBEAT_SECONDS) -> str:
    """GET, or POST of the body where there is one. Why it failed, without the URL; empty: it did not."""
    try:
        status = _answered(url, body, Deadline(seconds))
    except TimeoutError:
        return "no answer in time"
    except (OSError, StrangeAnswer, ValueError):  # ValueError: a host or path that no request can hold
        return "no connection, or no answer"
    # A redirection is not followed: the path is the secret of this service alone.
    if 200 <= status < 300:
        return ""
    return f"it answered {status}"


def _answered(url: str, body: str, deadline: Deadline) -> int:
    """The code of the answer; its body is not read. Raises OSError, StrangeAnswer and ValueError."""
    parts = urlsplit(url)
    content = body.encode()
    head = [f"Host: {host_of(parts)}", "Connection: close"]
    method = "GET"
    if content:
        method = "POST"
        head.append(f"Content-Length: {len(content)}")
    lines = [f"{method} {target(parts.path, parts.query)} HTTP/1.1", *head, "", ""]
    request = "\r\n".join(lines).encode("ascii") + content
    return status_of(exchange(parts, request, deadline, lambda data: END_OF_HEAD in data))

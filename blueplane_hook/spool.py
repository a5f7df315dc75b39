"""Events that could not be delivered, in a bounded file in Blueplane's home; delivered later, at least once.

`hook-spool.jsonl` holds one request body a line. A process that changes the file holds byte 0 of `hook-spool.lock` for
milliseconds. A process that delivers holds byte 1, so that only one does; the others do not wait for it. Events leave
the file only after the server took them: a hook killed in between delivers them again.
"""

import json
import os
import time
from collections.abc import Callable

try:
    import fcntl
except ImportError:  # Windows: no locks, and so no spool that several hooks could share
    fcntl = None  # type: ignore[assignment]

SPOOL_FILE = "hook-spool.jsonl"
LOCK_FILE = "hook-spool.lock"
COUNTS_FILE = "hook-failures.json"
FILES = (SPOOL_FILE, COUNTS_FILE, LOCK_FILE)
ROOM = 5_000_000
"""Bytes of the spool file; an event that does not fit is dropped, and counted."""
BATCH_EVENTS = 20
BATCH_SECONDS = 0.25
"""What one call delivers at most of what waits: the editor may be waiting for it."""
LOCK_SECONDS = 2.0
"""How long an event waits for the file: 50 hooks at once take a tenth of that."""

_FILE = 0
_DELIVERY = 1
"""The two bytes of the lock file."""


class Spool:
    """The spool of one home folder. Methods raise OSError where the disk refuses."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._path = os.path.join(home, SPOOL_FILE)
        self._lock_handle = -1

    def add(self, event: bytes) -> None:
        """Keep the event; when there is no room, or the disk refuses, count it as dropped."""
        self._lock()
        try:
            if self._size() + len(event) + 1 > ROOM:
                raise OSError("no room")
            self._append(event + b"\n")
        except OSError:
            self._count("dropped")
        else:
            self._count("spooled")
        finally:
            self._unlock()

    def count(self, what: str) -> None:
        """One more failure of this kind."""
        self._lock()
        try:
            self._count(what)
        finally:
            self._unlock()

    def deliver(self, post: Callable[[bytes], str], deadline: float) -> None:
        """Send what waits, oldest first, as far as one call may; what is refused for ever is dropped and counted."""
        if not self._size() or not self._try(_DELIVERY):
            return
        end = min(deadline, time.monotonic() + BATCH_SECONDS)
        kept = b""
        taken = 0
        refused = 0
        for line in self._head():
            if time.monotonic() >= end:
                break
            outcome = "refused"
            if line.startswith(b"{"):
                outcome = post(line)
            if outcome == "failed":
                kept += line + b"\n"
            elif outcome == "refused":
                refused += 1
            taken += len(line) + 1
        if taken:
            self._shorten(taken, kept, refused)

    def _head(self) -> list[bytes]:
        """The first complete lines; what is appended meanwhile comes behind them."""
        lines: list[bytes] = []
        with open(self._path, "rb") as file:
            while len(lines) < BATCH_EVENTS:
                line = file.readline()
                if not line.endswith(b"\n"):
                    break
                lines.append(line[:-1])
        return lines

    def _shorten(self, taken: int, kept: bytes, refused: int) -> None:
        """What failed goes to the end, where it keeps nothing else from leaving."""
        self._lock()
        try:
            with open(self._path, "rb") as file:
                file.seek(taken)
                rest = file.read() + kept
            self._replace(SPOOL_FILE, rest)
            for _ in range(refused):
                self._count("refused")
        finally:
            self._unlock()

    def _append(self, line: bytes) -> None:
        """Whole or not at all: a half-written line, as on a full disk, is taken back."""
        handle = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":  # a hook was killed while it wrote
                line = b"\n" + line
            if os.write(handle, line) != len(line):
                os.ftruncate(handle, size)
                raise OSError("disk full")
        finally:
            os.close(handle)

    def _count(self, what: str) -> None:
        path = os.path.join(self._home, COUNTS_FILE)
        try:
            with open(path, encoding="utf-8") as file:
                counts = dict(json.load(file))
        except (OSError, ValueError, TypeError, RecursionError):
            counts = {}
        before = counts.get(what)
        if not isinstance(before, int):
            before = 0
        counts[what] = before + 1
        counts["last_failure"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:  # noqa: SIM105
            self._replace(COUNTS_FILE, json.dumps(counts).encode())
        except OSError:  # a count that is lost is better than an event that is
            pass

    def _replace(self, name: str, content: bytes) -> None:
        path = os.path.join(self._home, name)
        temporary = f"{path}.new"  # the same name for all: only the holder of the lock writes it
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except OSError:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise

    def _size(self) -> int:
        try:
            return os.stat(self._path).st_size
        except OSError:
            return 0

    def _lock(self) -> None:
        end = time.monotonic() + LOCK_SECONDS
        while not self._try(_FILE):
            if time.monotonic() > end:
                raise TimeoutError("the spool stayed locked")
            time.sleep(0.005)

    def _try(self, byte: int) -> bool:
        """Whether this process now holds that byte; the system frees it however the process ends."""
        if self._lock_handle < 0:
            os.makedirs(self._home, mode=0o700, exist_ok=True)
            self._lock_handle = os.open(os.path.join(self._home, LOCK_FILE), os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is None:
            return True
        try:
            fcntl.lockf(self._lock_handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            return False
        return True

    def _unlock(self) -> None:
        if fcntl is not None:
            fcntl.lockf(self._lock_handle, fcntl.LOCK_UN, 1, _FILE)

"""Events that could not be delivered, in a bounded file in Blueplane's home; delivered later, at least once.

`hook-spool.jsonl` holds one request body a line. A process that changes the file holds byte 0 of `hook-spool.lock` for
milliseconds. A process that delivers holds byte 1, so that only one does; the others do not wait for it. Events leave
the file only after the server took them: a hook killed in between delivers them again.

A hook that does not get the lock in time writes into a file of its own, `hook-spool-….own`: an event, or the word for a
count. The next one that holds the lock takes these over.
"""

import json
import os
import time
from collections.abc import Callable

from blueplane_hook.files import names_of, opened, read, write_own

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
MOST_BYTES = 2 * ROOM
"""A larger file is none of ours, and is not delivered from."""
_COUNTS_BYTES = 100_000
BATCH_EVENTS = 20
_BATCH_SECONDS = 0.25
"""What one call delivers at most of what waits: the editor may be waiting for it."""
_LOCK_SECONDS = 1.0
"""How long an event waits for the file: 50 hooks at once take a fifth of that."""
OWN_PREFIX = "hook-spool-"
OWN_SUFFIX = ".own"
_OVERFLOW_FILE = f"{OWN_PREFIX}dropped{OWN_SUFFIX}"
"""One for all: a word a line for each event that found no room there either."""
MOST_OWN_FILES = 1_000
"""Of hooks that did not get the lock; beyond that their events are only counted."""

_KINDS = ("spooled", "dropped", "refused", "unreadable")
"""What is counted."""
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
        if not self._lock():
            self._keep_apart(event)
            return
        try:
            self._take_over()
            self._keep(event)
        finally:
            self._unlock()

    def hold(self) -> bool:
        """Whether this process now has the spool for itself: no hook adds to it or delivers from it until `let_go`."""
        if not self._lock():
            return False
        if not self._try(_DELIVERY):
            self._unlock()
            return False
        self._take_over()
        return True

    def take_over(self) -> None:
        """Put what hooks kept apart into the spool, which is held."""
        self._take_over()

    def put(self, event: bytes) -> bool:
        """Add an event to the spool, which is held; False where there is no room for it."""
        try:
            if self._size() + len(event) + 1 > ROOM:
                return False
            self._append(event + b"\n")
        except OSError:
            return False
        return True

    def let_go(self) -> None:
        """Give the spool that is held back to the hooks."""
        self._unlock()
        self._free(_DELIVERY)

    def _keep(self, event: bytes) -> None:
        """Add the event to the spool; the lock is held."""
        try:
            if self._size() + len(event) + 1 > ROOM:
                raise OSError("no room")
            self._append(event + b"\n")
        except OSError:
            self._count("dropped")
        else:
            self._count("spooled")

    def count(self, what: str) -> None:
        """One more failure of this kind."""
        if not self._lock():
            self._keep_apart(what.encode())
            return
        try:
            self._take_over()
            self._count(what)
        finally:
            self._unlock()

    def deliver(self, post: Callable[[bytes], str], deadline: float) -> None:
        """Send what waits, oldest first, as far as one call may; what is refused for ever is dropped and counted."""
        if not own_files(self._home) and not 0 < self._size() <= MOST_BYTES:
            return
        # A hook that was stopped while it held the lock holds it still: what is delivered now could not be taken out of
        # the file, and every call would deliver it again.
        if not self._try(_FILE):
            return
        try:
            self._take_over()
        finally:
            self._unlock()
        if not 0 < self._size() <= MOST_BYTES or not self._try(_DELIVERY):
            return
        end = min(deadline, time.monotonic() + _BATCH_SECONDS)
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
        with open(opened(self._path, os.O_RDONLY), "rb") as file:
            while len(lines) < BATCH_EVENTS:
                line = file.readline(ROOM)
                if not line.endswith(b"\n"):
                    break
                lines.append(line[:-1])
        return lines

    def _shorten(self, taken: int, kept: bytes, refused: int) -> None:
        """What failed goes to the end, where it keeps nothing else from leaving."""
        if not self._lock():
            return  # these events stay, and are delivered again
        try:
            rest = read(self._path, MOST_BYTES, taken)
            self._replace(SPOOL_FILE, rest + kept)
            for _ in range(refused):
                self._count("refused")
        finally:
            self._unlock()

    def _keep_apart(self, content: bytes) -> None:
        """What cannot go into the spool now, in a file of this process alone. Raises OSError where the disk refuses."""
        names = own_files(self._home)
        size = 0
        for name in names:
            size += os.stat(os.path.join(self._home, name)).st_size
        if len(names) >= MOST_OWN_FILES or size + len(content) > ROOM:
            self._append_to(os.path.join(self._home, _OVERFLOW_FILE), b"dropped\n")
            return
        write_own(self._home, OWN_PREFIX, OWN_SUFFIX, content)

    def _take_over(self) -> None:
        """Put what others kept apart into the spool and the counts; the lock is held."""
        for name in own_files(self._home):
            path = os.path.join(self._home, name)
            try:
                content = read(path, ROOM)
            except OSError:
                continue
            if content.startswith(b"{"):
                if not self._ends_with(content + b"\n"):
                    self._keep(content)
            else:
                for word in content.decode("ascii", "replace").split():
                    if word in _KINDS:
                        self._count(word)
            os.unlink(path)  # only now: what a hook that is killed in between leaves twice, the next one knows again

    def _ends_with(self, lines: bytes) -> bool:
        try:
            return read(self._path, len(lines), max(0, self._size() - len(lines))) == lines
        except OSError:
            return False

    def _append(self, line: bytes) -> None:
        self._append_to(self._path, line)

    def _append_to(self, path: str, line: bytes) -> None:
        """Whole or not at all: a half-written line, as on a full disk, is taken back."""
        handle = opened(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
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
            counts = dict(json.loads(read(path, _COUNTS_BYTES)))
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
            handle = opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
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

    def _lock(self) -> bool:
        """Whether this process now holds the file; False when another one held it all the time."""
        end = time.monotonic() + _LOCK_SECONDS
        while not self._try(_FILE):
            if self._lock_handle < 0 or time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def _try(self, byte: int) -> bool:
        """Whether this process now holds that byte; the system frees it however the process ends."""
        if self._lock_handle < 0:
            os.makedirs(self._home, mode=0o700, exist_ok=True)
            try:
                self._lock_handle = opened(os.path.join(self._home, LOCK_FILE), os.O_RDWR | os.O_CREAT)
            except OSError:  # a pipe or a link in its place: what cannot be locked is kept apart
                return False
        if fcntl is None:
            return True
        try:
            fcntl.lockf(self._lock_handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            return False
        return True

    def _unlock(self) -> None:
        self._free(_FILE)

    def _free(self, byte: int) -> None:
        if fcntl is not None:
            fcntl.lockf(self._lock_handle, fcntl.LOCK_UN, 1, byte)


def own_files(home: str) -> list[str]:
    """Names of the files of hooks that did not get the lock, in the order of their names."""
    return names_of(home, OWN_PREFIX, OWN_SUFFIX)

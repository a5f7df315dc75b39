"""The one reader of files that others may have written: regular files alone, never more than a limit, never waiting.

Never for a database: a descriptor that is closed beside SQLite's cancels the locks that the same process holds.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import FileMissing, FileUnreadable
from blueplane_doctor.files.ownership import ROOT, crossed

SETTINGS_BYTES = 256_000
"""Of a settings file: thousands of lines, which libyaml reads in a quarter of a second, and difflib compares in two."""
DOCUMENT_BYTES = 16_000_000
"""Of a report or evidence that was kept; the largest seen has a tenth of it."""
SMALL_BYTES = 100_000
"""Of a pid, counters, a key, a check file."""
SOURCE_BYTES = 1_000_000
"""Of a file of checks or of a monitor; far above what a person writes."""
_READ_SECONDS = 5.0
"""For one file: a local disk needs milliseconds, and a file system of the network may never answer."""
_BLOCK = 1 << 20
# A pipe or a terminal may be put there after the look at it: neither may be waited for, or become ours.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_KINDS = (
    (stat.S_ISDIR, os.strerror(errno.EISDIR)),
    (stat.S_ISFIFO, "it is a named pipe, not a regular file"),
    (stat.S_ISSOCK, "it is a socket, not a regular file"),
    (stat.S_ISCHR, "it is a device, not a regular file"),
    (stat.S_ISBLK, "it is a device, not a regular file"),
)


def unreadable(path: Path, reason: str, kind: type[FileUnreadable] = FileUnreadable) -> FileUnreadable:
    """The error for a file that cannot be used."""
    return kind(f"{path}: cannot be read: {reason}", reason=reason)


class OpenFile(NamedTuple):
    """A regular file that may be read; it stays the same one, whatever its name leads to meanwhile."""

    handle: int
    state: os.stat_result

    def read_at(self, offset: int, length: int) -> bytes:
        """So many bytes from there on, fewer at the end of the file. Raises OSError."""
        os.lseek(self.handle, offset, os.SEEK_SET)
        return os.read(self.handle, length)


def read_bytes(path: Path, limit: int) -> bytes:
    """The whole file. Raises FileMissing, and FileUnreadable for one that is larger than the limit."""
    with opened_file(path) as (handle, state):
        if state.st_size > limit:
            raise _too_large(path, limit)
        # One byte more than the limit: it may have grown since, and files of /proc have no size.
        content = _read(path, handle, limit + 1)
        if len(content) > limit:
            raise _too_large(path, limit)
        return content


def read_text(path: Path, limit: int) -> str:
    """The whole file as UTF-8 text. Raises FileMissing and FileUnreadable."""
    try:
        return read_bytes(path, limit).decode("utf-8")
    except UnicodeDecodeError:
        raise unreadable(path, "it is not UTF-8 text") from None


def read_tail(path: Path, limit: int) -> bytes:
    """The last bytes of a file, however large it is. Raises FileMissing and FileUnreadable."""
    with opened_file(path) as (handle, state):
        if state.st_size > limit:
            os.lseek(handle, state.st_size - limit, os.SEEK_SET)
        return _read(path, handle, limit)


def read_head(path: Path, limit: int) -> bytes:
    """The first bytes of a file, however large it is. Raises FileMissing and FileUnreadable."""
    with opened_file(path) as (handle, _):
        return _read(path, handle, limit)


def file_state(path: Path) -> os.stat_result:
    """What the system says of a regular file; a symbolic link is followed. Raises FileMissing and FileUnreadable."""
    with _explained(path):
        state = os.stat(path)
    for is_kind, reason in _KINDS:
        if is_kind(state.st_mode):
            raise unreadable(path, reason)
    return state


@contextmanager
def opened_file(path: Path) -> Iterator[OpenFile]:
    """The file, open for reading. Raises FileMissing and FileUnreadable."""
    file_state(path)  # before it is opened: to open a device may already do something
    with _explained(path):
        handle = os.open(path, _FLAGS)
    try:
        with _explained(path):
            state = os.fstat(handle)
            # Another file may have been put in its place between the two calls.
            if not stat.S_ISREG(state.st_mode):
                raise unreadable(path, "it is not a regular file")
            _refuse_planted(path, state)
            yield OpenFile(handle, state)
    finally:
        os.close(handle)


def _refuse_planted(path: Path, state: os.stat_result) -> None:
    """Raise FileUnreadable for a file, or a link to one, that a stranger may have put there.

    As Linux does it for links in /tmp: a link counts if it is ours, root's, or of who owns what it leads to. And a file
    of somebody else counts if it lies where not everybody may put one.
    """
    if os.name == "nt":
        return
    own = (ROOT, os.geteuid())
    for step in crossed(path):
        owner = os.lstat(step).st_uid
        if step.is_symlink() and owner not in (*own, state.st_uid):
            raise unreadable(path, f"a symbolic link of another user (uid {owner}) leads to it")
    folder = os.stat(Path(os.path.realpath(path)).parent)
    everybody = bool(folder.st_mode & stat.S_IWOTH)
    if everybody and state.st_uid not in (*own, folder.st_uid):
        raise unreadable(path, f"it belongs to another user (uid {state.st_uid}), in a folder open to everybody")


def _read(path: Path, handle: int, limit: int) -> bytes:
    end = time.monotonic() + _READ_SECONDS
    content = bytearray()
    while len(content) < limit:
        if time.monotonic() > end:
            raise unreadable(path, f"reading it took more than {_READ_SECONDS:g} s")
        block = os.read(handle, min(_BLOCK, limit - len(content)))
        if not block:
            break
        content += block
    return bytes(content)


def _too_large(path: Path, limit: int) -> FileUnreadable:
    return unreadable(path, f"it has more than {limit:,} bytes")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the system's refusal into an error of ours."""
    try:
        yield
    except OSError as error:
        kind = FileUnreadable
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            kind = FileMissing
        raise unreadable(path, error.strerror or str(error), kind) from error
    except ValueError:  # a NUL, or half of a surrogate pair
        raise unreadable(path, "no file can have this name") from None

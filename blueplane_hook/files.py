"""Files of the home, in whose place something may stand that never answers or never ends: a pipe, a device."""

import os
import stat

_ROOT = 0
_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def opened(path: str, flags: int, mode: int = 0o600) -> int:
    """A descriptor of a regular file, not of what a link leads to. Raises OSError for anything else.

    What is written may be what somebody typed: so never into a file that another user put there to read it.
    """
    handle = os.open(path, (flags | _FLAGS) & ~os.O_TRUNC, mode)
    state = os.fstat(handle)
    is_written = flags & (os.O_WRONLY | os.O_RDWR)
    if stat.S_ISREG(state.st_mode) and not (is_written and _is_foreign(state)):
        if flags & os.O_TRUNC:
            os.ftruncate(handle, 0)  # only now: it is ours
        return handle
    os.close(handle)
    raise OSError("not a regular file of this user")


def _is_foreign(state: os.stat_result) -> bool:
    return hasattr(os, "geteuid") and state.st_uid not in (os.geteuid(), _ROOT)


def read(path: str, limit: int, start: int = 0) -> bytes:
    """At most so many bytes of a file. Raises OSError."""
    with open(opened(path, os.O_RDONLY), "rb") as file:
        file.seek(start)
        return file.read(limit)


def write_own(folder: str, prefix: str, suffix: str, content: bytes) -> None:
    """A new file of this process alone, whole or not at all. Raises OSError where the disk refuses."""
    path = os.path.join(folder, f"{prefix}{os.getpid()}-{os.urandom(8).hex()}")
    # Its last name comes with the last byte: who looks for such files must not find half of one.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(path, path + suffix)
    except OSError:
        os.unlink(path)
        raise


def names_of(folder: str, prefix: str, suffix: str) -> list[str]:
    """Names in a folder that begin and end so, in their order; none where it cannot be looked into."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name for name in names if name.startswith(prefix) and name.endswith(suffix))

"""Files of the home, in whose place something may stand that never answers or never ends: a pipe, a device."""

import os
import stat

_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def opened(path: str, flags: int, mode: int = 0o600) -> int:
    """A descriptor of a regular file, not of what a link leads to. Raises OSError for anything else."""
    handle = os.open(path, flags | _FLAGS, mode)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise OSError("not a regular file")


def read(path: str, limit: int, start: int = 0) -> bytes:
    """At most so many bytes of a file. Raises OSError."""
    with open(opened(path, os.O_RDONLY), "rb") as file:
        file.seek(start)
        return file.read(limit)

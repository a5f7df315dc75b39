"""The files of repairs, which their owner alone can read: written whole, and never through a link or into a pipe."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.installing.files import sync_folder
from blueplane_hook.files import opened

_PRIVATE = 0o600
"""Mode of the files: they hold the content of messages."""


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file that its owner alone can read, to be written; it takes this place whole and synced when the block ends.

    A link in its place is replaced, not followed: it may lead to anything. Raises RepairRefused and OSError.
    """
    draft = path.with_suffix(".draft")
    handle = open_regular(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with open(handle, "wb") as file:
        os.fchmod(handle, _PRIVATE)
        yield file
        file.flush()
        os.fsync(handle)
    os.replace(draft, path)
    sync_folder(path.parent)


def write_private(path: Path, content: bytes) -> None:
    """Put these bytes in the file's place, as `replaced` does. Raises RepairRefused and OSError."""
    with replaced(path) as file:
        file.write(content)


def open_regular(path: Path, flags: int) -> int:
    """A descriptor of a file of repairs, made where there is none. Raises RepairRefused where it cannot be opened.

    To open a pipe in its place would wait for a reader for ever.
    """
    try:
        return opened(str(path), flags, _PRIVATE)
    except OSError as error:
        raise RepairRefused(f"{path} cannot be used: {error.strerror or error}", "see what stands there") from error


def json_line(value: Any) -> bytes:
    """One line of a file that is added to, or written message by message."""
    return json.dumps(value).encode() + b"\n"

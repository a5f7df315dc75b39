"""A small disk of a test's own, which can be filled up or mounted read-only."""

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_PIECES = (1 << 16, 1 << 12, 1)
"""Bytes of one write: in large ones first, and then what is left."""


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system in memory at that folder. The test is skipped where this user may not mount one (root may)."""
    folder.mkdir(parents=True)
    options = f"size={megabytes}m,mode=0755"
    try:
        mounting = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
    except OSError as error:
        pytest.skip(f"a disk of its own needs the program mount: {error}")
    if mounting.returncode:
        pytest.skip("a disk of its own needs the right to mount a file system, as root has it")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Use up every byte of it; the file that does."""
    file = disk / "filled-up"
    with file.open("ab", buffering=0) as filling:
        for size in _PIECES:
            with contextlib.suppress(_NoSpace):
                while True:
                    _write(filling.fileno(), bytes(size))
    return file


class _NoSpace(Exception):
    pass


def _write(file: int, content: bytes) -> None:
    try:
        os.write(file, content)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _NoSpace from error


def mount_read_only(disk: Path) -> None:
    """From here on it takes no writes."""
    # `bind`: only in this namespace. The file system itself may be changed by root alone.
    subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)

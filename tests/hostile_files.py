"""What may stand in the place of a file: things that hang who opens them, or that fill the memory."""

import os
from collections.abc import Callable
from pathlib import Path

GIGABYTE = 1 << 30


def fifo(path: Path) -> None:
    """Nobody ever writes into it."""
    os.mkfifo(path)


def device(path: Path) -> None:
    """A link to zeros without end."""
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    """A gigabyte of zeros that takes no room."""
    path.touch()
    os.truncate(path, GIGABYTE)


def folder(path: Path) -> None:
    """A folder."""
    path.mkdir()


def binary(path: Path) -> None:
    """No text."""
    path.write_bytes(b"\xff\xfe\x00\x80" * 1_000)


def large(path: Path) -> None:
    """Ten megabytes of text."""
    path.write_bytes(b"x: y\n" * 2_000_000)


def circle(path: Path) -> None:
    """A link to itself."""
    path.symlink_to(path)


def dangling(path: Path) -> None:
    """A link to nothing."""
    path.symlink_to(path.with_name("nothing"))


HOSTILE: dict[str, Callable[[Path], None]] = {
    kind.__name__: kind for kind in (fifo, device, sparse, folder, binary, large, circle, dangling)
}


def put(kind: str, path: Path) -> None:
    """Put it there instead of what is there."""
    path.unlink(missing_ok=True)
    HOSTILE[kind](path)

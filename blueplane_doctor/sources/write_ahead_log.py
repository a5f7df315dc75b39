"""Whether a write-ahead log that nobody has open holds anything: its frames, checked as SQLite checks them.

https://www.sqlite.org/fileformat2.html#walformat
"""

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 16_000_000
"""Looked through until the end of a transaction: some 4,000 pages, in about half a second."""
_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682
"""Its last bit says that the words of the checksums are big-endian."""
_PAGE_SIZES = frozenset(1 << power for power in range(9, 17))
_WORD = 0xFFFF_FFFF

_Sums = tuple[int, int]
"""A running checksum."""


class TooLong(Exception):
    """The first MOST_BYTES hold no end of a transaction."""


def holds_a_transaction(log: Path) -> bool:
    """Whether SQLite would find a finished transaction in the log. Raises OSError and TooLong."""
    # Opened so that a pipe in its place does not make the reader wait.
    descriptor = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        return _finds_one(file.read(MOST_BYTES), is_whole=not file.read(1))


def _finds_one(content: bytes, *, is_whole: bool) -> bool:
    if len(content) < _HEADER.size:
        return False
    magic, _, page_size, _, *salts_and_sums = _HEADER.unpack_from(content)
    if magic | 1 != _MAGIC | 1 or page_size not in _PAGE_SIZES:
        return False
    words = "<2I"
    if magic & 1:
        words = ">2I"
    # The last two words of the header are the sum of those before them.
    sums = _added((0, 0), content[:24], words)
    if list(sums) != salts_and_sums[2:]:
        return False
    # SQLite reads up to the first frame whose salt or checksum is not the log's: what follows is left from before.
    is_valid = False
    for head, page in _frames(content, page_size):
        number, size_after_commit, *salts, first_sum, second_sum = _FRAME.unpack(head)
        # Of a frame's head, the sum covers only the page's number and the size after the commit.
        sums = _added(_added(sums, head[:8], words), page, words)
        is_valid = number != 0 and salts == salts_and_sums[:2] and sums == (first_sum, second_sum)
        if not is_valid:
            return False
        if size_after_commit:
            return True
    if is_valid and not is_whole:
        raise TooLong
    return False


def _frames(content: bytes, page_size: int) -> Iterator[tuple[bytes, bytes]]:
    """Head and page of each frame that is whole."""
    size = _FRAME.size + page_size
    for begin in range(_HEADER.size, len(content) - size + 1, size):
        page = begin + _FRAME.size
        yield content[begin:page], content[page : begin + size]


def _added(sums: _Sums, data: bytes, words: str) -> _Sums:
    first, second = sums
    for one, other in struct.iter_unpack(words, data):
        first = (first + one + second) & _WORD
        second = (second + other + first) & _WORD
    return first, second

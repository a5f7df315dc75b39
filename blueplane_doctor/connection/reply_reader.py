"""Replies out of bytes: hiredis parses them, and what would take too much memory is refused before it does."""

import math
import re
import time
from typing import Any, Final

import hiredis

from blueplane_doctor.connection.base import ProtocolError, ReplyError, ReplyTooLarge

INCOMPLETE: Final = object()
"""Instead of a reply: more bytes have to come."""

_BYTES_PER_ELEMENT = 8
"""What an element costs at least, beside its own bytes: its place in a list."""
_ARRAY_KINDS = (b"*", b"%", b"~", b">", b"|")
"""What a header of several elements begins with; RESP3's are here because hiredis knows them too."""
_LARGE_HEADERS = {kind: re.compile(re.escape(kind) + rb"\d{7}") for kind in _ARRAY_KINDS}
"""What announces a million elements or more."""
_LONGEST_MATCH = 8
_SHORTEST_ELEMENT = 3
"""Bytes of `+`, and the end of the line."""
_LONGEST_NUMBER = 20
"""Digits of a length; Python refuses to read thousands of them, and more than these are too many anyway."""
_HEADERS_AT_ONCE = 1 << 12
"""After so many headers the time is looked at: they take some milliseconds."""
_LONGEST_LINE = 1 << 16
"""Bytes of a header, a status or an error: Redis cuts them far below. hiredis reads a line anew with all that comes."""

_KEPT_BUFFER = 1 << 20
"""Bytes that the parser keeps for the next reply; by default 16 kB, and it makes room for each reply step by step."""


class ReplyReader:
    """Turns bytes into replies that together stay within `limit` bytes.

    hiredis itself knows no limit: it keeps an endless string, and makes room for all elements that an array announces
    before the first of them came. So bytes are checked before it gets them. Cheap signs tell what might be too much;
    payloads can look like that too, so then `_walk` reads the headers exactly and decides.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parser = hiredis.Reader(protocolError=ProtocolError, replyError=ReplyError, notEnoughData=INCOMPLETE)
        self._parser.setmaxbuf(_KEPT_BUFFER)
        self._suspect = False
        self._start_anew()

    def feed(self, buffer: bytearray, length: int, end: float = math.inf) -> None:
        """Take the first `length` bytes of the buffer. Raises ProtocolError when it is too much.

        To read millions of headers takes seconds: raises TimeoutError at the moment `end`, by time.monotonic().
        """
        known = len(self._bytes)
        self._bytes += memoryview(buffer)[:length]
        self._refuse_beyond(len(self._bytes))
        # Once suspect, all of the round trip is: a header's end may come later than its beginning.
        if self._suspect or self._looks_too_large(known):
            self._suspect = True
            self._walk(end)
        self._parser.feed(buffer, 0, length)  # type: ignore[arg-type]  # any buffer will do

    def next_reply(self) -> Any:
        """The next reply, or INCOMPLETE. Raises ProtocolError for what is none."""
        try:
            reply = self._parser.gets()
        except TypeError as error:  # RESP3's maps and sets may name what no map of Python's can
            raise ProtocolError("a reply with a map for a name came") from error
        # Only here it is known that the next byte begins a reply, which `_walk` has to start from.
        if reply is not INCOMPLETE and not self._parser.has_data():
            self._start_anew()
        return reply

    def _looks_too_large(self, known: int) -> bool:
        """Whether what came after the first `known` bytes might announce, or be, too much."""
        begin = max(0, known - _LONGEST_MATCH)  # a header may begin in the bytes before
        for kind, header in _LARGE_HEADERS.items():
            # To find one byte takes a tenth of a search by pattern, and most of these never come.
            first = self._bytes.find(kind, begin)
            if first >= 0 and header.search(self._bytes, first):
                return True
        if len(self._bytes) > _LONGEST_LINE and self._bytes.find(b"\n", 0, _LONGEST_LINE) < 0:
            return True
        # The shortest element has three bytes, so that fewer bytes than these cannot weigh too much.
        return self._weight(len(self._bytes) // _SHORTEST_ELEMENT) > self._limit

    def _start_anew(self) -> None:
        """Forget what came: the next byte begins a round trip."""
        self._bytes = bytearray()
        self._suspect = False
        self._position = 0
        """Where `_walk` goes on."""
        self._elements = 0
        """Headers that it has read."""

    def _walk(self, until: float) -> None:
        """Read the headers of all that came, from where the last walk ended; strings are skipped."""
        while self._position < len(self._bytes):
            end = self._bytes.find(b"\r\n", self._position)
            if end < 0:
                if len(self._bytes) - self._position > _LONGEST_LINE:
                    raise ProtocolError("a line without end came")
                return
            kind = bytes(self._bytes[self._position : self._position + 1])
            number = self._number_until(end)
            self._elements += 1
            if self._elements % _HEADERS_AT_ONCE == 0 and time.monotonic() > until:
                raise TimeoutError("the headers of the reply cannot be read in time")
            self._refuse_beyond(self._weight(self._elements))
            if kind in _ARRAY_KINDS:
                self._refuse_beyond(self._weight(self._elements + number))
            self._position = end + 2
            if kind == b"$" and number >= 0:
                self._position += number + 2

    def _number_until(self, end: int) -> int:
        digits = self._bytes[self._position + 1 : min(end, self._position + _LONGEST_NUMBER)]
        if not digits.isdigit():
            return -1
        return int(digits)

    def _weight(self, elements: int) -> int:
        return len(self._bytes) + _BYTES_PER_ELEMENT * elements

    def _refuse_beyond(self, weight: int) -> None:
        if weight > self._limit:
            raise ReplyTooLarge(f"a reply of more than {self._limit / 1e6:g} MB came")

"""Replies out of bytes, in whatever pieces these come, and never more than the limit allows."""

import tracemalloc
from typing import Any

import pytest

from blueplane_doctor.connection.base import ProtocolError, ReplyError
from blueplane_doctor.connection.reply_reader import INCOMPLETE, ReplyReader

LIMIT = 1_000_000
ANSWERS = b"+OK\r\n:5\r\n$-1\r\n*2\r\n$3\r\na\r\n\r\n*0\r\n$0\r\n\r\n*-1\r\n"
REPLIES = [b"OK", 5, None, [b"a\r\n", []], b"", None]


def read(data: bytes, piece: int, limit: int = LIMIT) -> list[Any]:
    """All replies in the data when it comes in pieces of so many bytes."""
    reader = ReplyReader(limit)
    replies = []
    for start in range(0, len(data), piece):
        part = bytearray(data[start : start + piece])
        reader.feed(part, len(part))
        while (reply := reader.next_reply()) is not INCOMPLETE:
            replies.append(reply)
    return replies


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
def test_pieces_make_no_difference(piece: int) -> None:
    assert read(ANSWERS, piece) == REPLIES


def test_only_the_given_length_of_the_buffer_counts() -> None:
    reader = ReplyReader(LIMIT)
    reader.feed(bytearray(b"+OK\r\n*4000000000\r\n"), 5)
    assert reader.next_reply() == b"OK"
    assert reader.next_reply() is INCOMPLETE


def test_an_error_is_a_reply() -> None:
    (error,) = read(b"-WRONGTYPE of a key\r\n", 100)
    assert isinstance(error, ReplyError)
    assert str(error) == "WRONGTYPE of a key"


@pytest.mark.parametrize("piece", [1, 5, 1000])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"*4000000000\r\n", id="array"),
        pytest.param(b"*2\r\n$11\r\n*4000000000\r\n*4000000000\r\n", id="array after a text that looks like one"),
        pytest.param(b"+OK\r\n" * 3 + b"*1\r\n*1\r\n*99999999\r\n", id="array in arrays"),
        pytest.param(b"*" + b"9" * 5000 + b"\r\n", id="more digits than Python reads"),
        pytest.param(b"%4000000000\r\n", id="map"),
        pytest.param(b">4000000000\r\n", id="push"),
        pytest.param(b"hello\r\n", id="no protocol"),
    ],
)
def test_what_announces_too_much_is_refused_before_it_takes_memory(data: bytes, piece: int) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            read(data, piece)
        assert tracemalloc.get_traced_memory()[1] < LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("piece", [1 << 10, 1 << 17])
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"$9999999999\r\n" + b"x" * LIMIT, id="one text"),
        pytest.param(b"*2\r\n" + (b"$600000\r\n" + b"x" * 600_000 + b"\r\n") * 2, id="two texts"),
        pytest.param(b"*1\r\n" * 100_000, id="arrays in arrays"),
        pytest.param(b"*120000\r\n" + b":1\r\n" * 100_000, id="small elements"),
        pytest.param(b"+" + b"x" * 100_000, id="a line without end"),
    ],
)
def test_what_goes_on_and_on_is_refused(data: bytes, piece: int) -> None:
    with pytest.raises(ProtocolError):
        read(data, piece)


@pytest.mark.parametrize("piece", [1 << 10, 1 << 17])
@pytest.mark.parametrize(
    "payload",
    [b"*4000000000\r\n" * 30_000, b"\n" * 400_000, b"$9999999999\r\n" * 10, b"x" * 700_000, b"*1234567"],
    ids=["array headers", "line ends", "string headers", "long", "a header without its end"],
)
def test_a_payload_is_never_taken_for_a_header(payload: bytes, piece: int) -> None:
    data = b"*2\r\n$%d\r\n%b\r\n:1\r\n" % (len(payload), payload)
    assert read(data * 3, piece, 5 * LIMIT) == [[payload, 1]] * 3


def test_the_limit_counts_anew_after_each_round_trip() -> None:
    reader = ReplyReader(LIMIT)
    data = bytearray(b"$600000\r\n" + b"x" * 600_000 + b"\r\n")
    for _ in range(5):
        reader.feed(data, len(data))
        assert len(reader.next_reply()) == 600_000


def test_reading_the_headers_of_a_reply_ends_in_time() -> None:
    data = bytearray(b"*1000000\r\n" + b":1\r\n" * 5_000)
    reader = ReplyReader(10 * LIMIT)
    with pytest.raises(TimeoutError):
        reader.feed(data, len(data), end=0)

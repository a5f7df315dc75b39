"""The pending entries list: what is stuck, and whose holder is gone."""

import pytest

from blueplane_doctor.custody.pending_entries import PAGE, PendingEntriesReader
from blueplane_doctor.custody.states import PendingEntry
from blueplane_doctor.sources.entry_ids import EntryId, id_text
from blueplane_doctor.sources.streams import Consumer, Group

LATE = (10_000, 0)


def group(*consumers: tuple[bytes, int], last: EntryId = LATE) -> Group:
    """A group whose consumers have been idle for so many milliseconds."""
    held = tuple(Consumer(name=name, pending=0, idle_ms=idle) for name, idle in consumers)
    return Group(name=b"g", last_delivered=last, pending=0, entries_read=None, lag=None, consumers=held)


def row(number: int, consumer: bytes = b"c", idle: int = 0, deliveries: int = 1) -> tuple[bytes, bytes, int, int]:
    return id_text((number, 0)).encode(), consumer, idle, deliveries


@pytest.mark.parametrize(
    ("idle", "deliveries", "stuck"),
    [(0, 1, False), (29_999, 2, False), (30_000, 1, True), (0, 3, True), (0, 2, False), (10**9, 10**6, True)],
)
def test_stuck_by_time_or_by_tries(idle: int, deliveries: int, stuck: bool) -> None:
    assert PendingEntry((1, 0), b"c", idle, deliveries).stuck is stuck


def test_pages_are_read_up_to_what_is_needed() -> None:
    reader = PendingEntriesReader("q", group())
    assert reader.command((500, 0)) == ("XPENDING", "q", b"g", "0-0", "+", PAGE)
    reader.receive([row(number) for number in range(1, PAGE + 1)])
    assert reader.command((500, 0)) is None, "they are here"
    assert len(reader.take((500, 0))) == 500
    assert list(reader.take((502, 0))) == [(501, 0), (502, 0)]
    assert reader.command((PAGE, 0)) is None
    assert reader.command((PAGE + 1, 0)) == ("XPENDING", "q", b"g", f"{PAGE}-1", "+", PAGE)
    reader.receive([row(PAGE + 5)])
    assert reader.command(LATE) is None, "a page that is not full is the last"
    assert list(reader.take(LATE))[-1] == (PAGE + 5, 0)
    assert reader.take(LATE) == {}


def test_what_was_delivered_after_the_examination_began_still_waits() -> None:
    reader = PendingEntriesReader("q", group(last=(5, 0)))
    reader.receive([row(4, idle=50_000), row(5), row(6, idle=90_000, deliveries=9)])
    assert list(reader.take(LATE)) == [(4, 0), (5, 0)]
    assert (reader.longest_idle_ms, reader.most_deliveries) == (50_000, 1)
    assert reader.command(LATE) is None


def test_odd_numbers_of_the_server_are_bounded() -> None:
    reader = PendingEntriesReader("q", group())
    reader.receive([row(1, idle=-5, deliveries=2**63)])
    (found,) = reader.take(LATE).values()
    assert (found.idle_ms, found.deliveries) == (0, 1_000_000_000)


@pytest.mark.parametrize(
    ("holder_idle", "other_idle", "message_idle", "gone"),
    [
        (60_000, 100, 60_000, True),
        (60_000, 31_000, 60_000, False),
        (60_000, 30_000, 60_000, True),
        (29_999, 0, 29_999, False),
        (30_000, 0, 30_000, True),
        (100, 100, 900_000, True),
        (900_000, 890_000, 900_000, False),
        (900_000, 10, 5, True),
    ],
    ids=[
        "dead beside one that works",
        "both silent for about as long",
        "silent for just 30 s longer",
        "a moment too early",
        "just late enough",
        "its clock was moved by a claim, its messages were not",
        "a quiet evening before Redis 7.2",
        "silent, although its message was claimed for it a moment ago",
    ],
)
def test_a_holder_is_gone_when_it_is_silent_while_another_works(
    holder_idle: int, other_idle: int, message_idle: int, gone: bool
) -> None:
    reader = PendingEntriesReader("q", group((b"old", holder_idle), (b"new", other_idle)))
    reader.receive([row(1, b"old", message_idle)])
    assert (b"old" in reader.gone_consumers()) is gone
    assert b"new" not in reader.gone_consumers(), "who holds nothing is not asked"


def test_alone_a_slow_consumer_and_a_dead_one_look_the_same() -> None:
    reader = PendingEntriesReader("q", group((b"only", 900_000)))
    reader.receive([row(1, b"only", 900_000)])
    assert reader.gone_consumers() == set()


def test_a_holder_that_was_deleted_from_the_group_is_gone() -> None:
    reader = PendingEntriesReader("q", group((b"new", 0)))
    reader.receive([row(1, b"deleted", 100_000)])
    assert reader.gone_consumers() == {b"deleted"}

"""The pending entries list: what is stuck, whose holder is gone; and what was trimmed unread, or cannot be known."""

import pytest

from blueplane_doctor.custody.groups import PAGE, Pending, PendingReader, trimmed_unread
from blueplane_doctor.pipeline import CURRENT
from blueplane_doctor.sources.streams import Consumer, EntryId, Group, StreamState, id_text

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
    assert Pending((1, 0), b"c", idle, deliveries).stuck is stuck


def test_pages_are_read_up_to_what_is_needed() -> None:
    reader = PendingReader("q", group())
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
    reader = PendingReader("q", group(last=(5, 0)))
    reader.receive([row(4, idle=50_000), row(5), row(6, idle=90_000, deliveries=9)])
    assert list(reader.take(LATE)) == [(4, 0), (5, 0)]
    assert (reader.stuck, reader.longest_idle_ms, reader.most_deliveries) == (1, 50_000, 1)
    assert reader.command(LATE) is None


def test_odd_numbers_of_the_server_are_bounded() -> None:
    reader = PendingReader("q", group())
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
    reader = PendingReader("q", group((b"old", holder_idle), (b"new", other_idle)))
    reader.receive([row(1, b"old", message_idle)])
    assert (b"old" in reader.gone()) is gone
    assert b"new" not in reader.gone(), "who holds nothing is not asked"


def test_alone_a_slow_consumer_and_a_dead_one_look_the_same() -> None:
    reader = PendingReader("q", group((b"only", 900_000)))
    reader.receive([row(1, b"only", 900_000)])
    assert reader.gone() == set()


def test_a_holder_that_was_deleted_from_the_group_is_gone() -> None:
    reader = PendingReader("q", group((b"new", 0)))
    reader.receive([row(1, b"deleted", 100_000)])
    assert reader.gone() == {b"deleted"}


READ = (500, 0)


def loser(name: str = "processors", last: EntryId = READ, entries_read: int | None = 500) -> Group:
    return Group(name.encode(), last, 0, entries_read, None, ())


def stream(*groups: Group, added: int | None = 30_500, length: int = 10_015) -> StreamState:
    return StreamState(
        layout=CURRENT,
        queue="q",
        dead_letters=(),
        length=length,
        first=(1, 0) if length else None,
        last_generated=(30_500, 0),
        entries_added=added,
        groups=groups,
    )


@pytest.mark.parametrize(
    ("added", "read", "waiting", "lost"),
    [
        (30_500, 500, 10_015, 19_985),
        (30_500, 20_485, 10_015, 0),
        (30_500, 30_500, 0, 0),
        (30_500, 30_499, 0, 1),
        (10_016, 1, 10_015, 0),
    ],
)
def test_added_less_read_less_waiting(added: int, read: int, waiting: int, lost: int) -> None:
    found = trimmed_unread(stream(loser(entries_read=read), added=added), "processors", waiting)
    assert (found.group, found.count, found.cause) == ("processors", lost, "")


@pytest.mark.parametrize(
    ("state", "waiting", "said"),
    [
        (stream(loser(), added=None), 10_015, "older than Redis 7.0"),
        (stream(), None, "does not exist"),
        (stream(loser(entries_read=None)), 10_015, "entries-read is not set"),
        (stream(loser()), None, "trimmed while they were counted"),
        (stream(loser(entries_read=30_000)), 10_015, "contradict each other"),
        (stream(loser(last=(0, 0), entries_read=None), loser("other")), 10_015, "has not read anything yet"),
        (stream(loser(last=(0, 0), entries_read=0), loser("other")), 10_015, "20,485 messages were trimmed"),
    ],
)
def test_what_cannot_be_known_is_not_guessed(state: StreamState, waiting: int | None, said: str) -> None:
    found = trimmed_unread(state, "processors", waiting)
    assert found.count is None
    assert said in found.cause


@pytest.mark.parametrize("groups", [(), (loser(entries_read=None),), (loser(last=(0, 0), entries_read=0),)])
def test_where_nothing_was_ever_removed_nothing_is_lost(groups: tuple[Group, ...]) -> None:
    assert trimmed_unread(stream(*groups, added=77, length=77), "processors", None).count == 0


@pytest.mark.parametrize("read", [None, 0])
def test_where_nobody_ever_read_everything_that_was_trimmed_is_lost(read: int | None) -> None:
    never = loser(last=(0, 0), entries_read=read), loser("claude_processors", last=(0, 0), entries_read=read)
    assert trimmed_unread(stream(*never), "processors", 10_015).count == 20_485

"""What was trimmed before a group was given it, and what cannot be known of that."""

import pytest

from blueplane_doctor.custody.losses import trimmed_unread
from blueplane_doctor.pipeline import CURRENT
from blueplane_doctor.sources.entry_ids import EntryId
from blueplane_doctor.sources.streams import Group, StreamState

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
    loss = trimmed_unread(stream(loser(entries_read=read), added=added), "processors", waiting)
    assert (loss.group, loss.trimmed_unread, loss.cause) == ("processors", lost, "")


@pytest.mark.parametrize(
    ("state", "waiting", "words"),
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
def test_what_cannot_be_known_is_not_guessed(state: StreamState, waiting: int | None, words: str) -> None:
    loss = trimmed_unread(state, "processors", waiting)
    assert loss.trimmed_unread is None
    assert words in loss.cause


@pytest.mark.parametrize("groups", [(), (loser(entries_read=None),), (loser(last=(0, 0), entries_read=0),)])
def test_where_nothing_was_ever_removed_nothing_is_lost(groups: tuple[Group, ...]) -> None:
    assert trimmed_unread(stream(*groups, added=77, length=77), "processors", None).trimmed_unread == 0


@pytest.mark.parametrize("read", [None, 0])
def test_where_nobody_ever_read_everything_that_was_trimmed_is_lost(read: int | None) -> None:
    never = loser(last=(0, 0), entries_read=read), loser("claude_processors", last=(0, 0), entries_read=read)
    assert trimmed_unread(stream(*never), "processors", 10_015).trimmed_unread == 20_485

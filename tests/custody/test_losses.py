"""What was trimmed before a group was given it, and what cannot be known of that."""

import pytest

from blueplane_doctor.custody.losses import (
    GroupLoss,
    RowsElsewhere,
    forgets_losses,
    trimmed_before_writers,
    trimmed_unread,
)
from blueplane_doctor.layouts import CURRENT
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
        (30_500, 0, 10_015, 20_485),
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
        (stream(loser(entries_read=387), added=1_935, length=1_000), 0, "still in the stream"),
        (stream(loser(), added=9_000), 0, "fewer messages were ever added"),
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


BEGINNING = (0, 0)


@pytest.mark.parametrize(
    ("last", "read", "elsewhere", "words"),
    [
        pytest.param((30_500, 0), 20_000, RowsElsewhere(rows=10_486, rewound=0), "10,486 rows", id="stale"),
        pytest.param(BEGINNING, None, RowsElsewhere(rows=3, rewound=0), "3 rows of messages", id="anew"),
        pytest.param(BEGINNING, None, RowsElsewhere(rows=0, rewound=1), "made anew or moved back", id="rewound"),
    ],
)
def test_rows_are_evidence_that_somebody_read(
    last: EntryId, read: int | None, elsewhere: RowsElsewhere, words: str
) -> None:
    state = stream(loser(last=last, entries_read=read))
    loss = trimmed_unread(state, "processors", 500, elsewhere=elsewhere)
    assert loss.trimmed_unread is None
    assert words in loss.cause


@pytest.mark.parametrize(
    ("last", "read", "elsewhere", "count"),
    [
        pytest.param((30_500, 0), 20_000, RowsElsewhere(rows=10_485, rewound=0), 10_000, id="as many as can be"),
        pytest.param((0, 5), 500, RowsElsewhere(rows=70_000, rewound=0), 19_985, id="before what is left"),
        pytest.param(BEGINNING, None, RowsElsewhere(rows=0, rewound=0), 20_485, id="nobody ever read"),
    ],
)
def test_rows_that_contradict_nothing_change_nothing(
    last: EntryId, read: int | None, elsewhere: RowsElsewhere, count: int
) -> None:
    state = stream(loser(last=last, entries_read=read))
    waiting = 500 if read == 20_000 else 10_015
    assert trimmed_unread(state, "processors", waiting, elsewhere=elsewhere).trimmed_unread == count


@pytest.mark.parametrize(
    ("counts", "least", "most"),
    [([], 0, 0), ([7], 7, 7), ([7, 7], 7, 7), ([0, 3_011], 0, 3_011), ([None, 5], 0, None), ([None], 0, None)],
)
def test_what_one_writer_was_given_is_lost_only_if_it_was_the_others(
    counts: list[int | None], least: int, most: int | None
) -> None:
    losses = [GroupLoss(group="g", trimmed_unread=count) for count in counts]
    trimmed = trimmed_before_writers(losses)
    assert (trimmed.at_least, trimmed.at_most) == (least, most)


def test_a_group_that_was_given_nothing_missed_no_more_than_was_trimmed() -> None:
    state = stream(loser(last=BEGINNING, entries_read=None), loser("other"))
    elsewhere = RowsElsewhere(rows=3, rewound=0)
    losses = [trimmed_unread(state, name, 10_015, elsewhere=elsewhere) for name in ("processors", "other")]
    assert (losses[0].trimmed_unread, losses[0].at_most) == (None, 20_485)
    trimmed = trimmed_before_writers(losses)
    assert (trimmed.at_least, trimmed.at_most) == (0, 20_485)


@pytest.mark.parametrize(
    ("fields", "forgets"),
    [
        ({"redis_version": "7.0.15"}, False),
        ({"redis_version": "7.4.1"}, False),
        ({"redis_version": "7.4.2"}, True),
        ({"redis_version": "8.0.0"}, True),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.0"}, True),
        ({}, False),
    ],
)
def test_which_servers_forget(fields: dict[str, str], forgets: bool) -> None:
    assert forgets_losses(fields) == forgets

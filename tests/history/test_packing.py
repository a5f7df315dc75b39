"""What a reader makes of entries that do not begin where they should, and of writers that meet."""

import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.history.link import Link
from blueplane_doctor.history.packing import pack, series_of, unpack_all
from blueplane_doctor.history.samples import Sample
from blueplane_doctor.history.stream_store import StreamStore

MINUTE_MS = 60_000


def test_nothing_is_made_of_changes_whose_beginning_was_trimmed() -> None:
    changes = pack({1: 1000.0}, {1: 1001.0}, 0)
    whole = pack(None, {1: 1002.0}, 0)
    entries = ([MINUTE_MS, 2 * MINUTE_MS], [changes, whole])
    assert series_of(1, entries) == {120: 1002}


def test_a_metric_that_is_gone_leaves_no_value() -> None:
    first = pack(None, {1: 5.0, 2: 6.0}, 0)
    then = pack({1: 5.0, 2: 6.0}, {2: 6.0}, 0)
    entries = ([MINUTE_MS, 2 * MINUTE_MS], [first, then])
    assert series_of(1, entries) == {60: 5}
    assert series_of(2, entries) == {60: 6, 120: 6}
    state: dict[int, float] = {}
    for data in entries[1]:
        unpack_all(data, state)
    assert state == {2: 6}


def test_a_quiet_minute_takes_few_bytes() -> None:
    values = dict.fromkeys(range(100), 1.5)
    assert len(pack(values, values, 0)) == 8


def test_writers_that_meet_in_one_moment_both_get_their_sample(valkey: RunningServer) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.delete("meet:samples", "meet:names")
    link, other_link = Link(valkey.url), Link(valkey.url)
    store, other = StreamStore(link, "meet:"), StreamStore(other_link, "meet:")
    store.write(Sample(600, {"a": 100}))
    append, met = store._append, []

    def meet(*given: object) -> bool:
        if not met:
            met.append(True)
            other.write(Sample(660, {"a": 7, "b": 3}))
        return append(*given)  # type: ignore[arg-type]

    store._append = meet  # type: ignore[method-assign, assignment]
    store.write(Sample(660, {"a": 110}))
    store.write(Sample(720, {"a": 111}))
    read = other.read(["a", "b"], 600, 720, 60)
    assert read == {"a": [(600, 100), (660, 110), (720, 111)], "b": [(600, None), (660, 3), (720, None)]}
    link.close()
    other_link.close()

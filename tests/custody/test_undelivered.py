"""What a writer group was not given: what waits, what is written, and how far it may be moved on."""

import pytest

from blueplane_doctor.custody.undelivered import Undelivered


@pytest.mark.parametrize(
    ("states", "waiting", "written", "up_to", "later"),
    [
        pytest.param("", 0, 0, None, 0, id="nothing"),
        pytest.param("www", 0, 3, (3, 0), 0, id="all written"),
        pytest.param("wwo", 1, 2, (2, 0), 0, id="then one waits"),
        pytest.param("oww", 1, 2, None, 2, id="the first waits"),
        pytest.param("wowow", 2, 3, (1, 0), 2, id="mixed"),
    ],
)
def test_it_is_moved_on_up_to_the_first_that_waits(
    states: str, waiting: int, written: int, up_to: tuple[int, int] | None, later: int
) -> None:
    group = Undelivered()
    for number, letter in enumerate(states, start=1):
        group.count((number, 0), "written_not_delivered" if letter == "w" else "waiting")
    assert (group.waiting, group.written, group.written_up_to, group.written_later) == (waiting, written, up_to, later)


def test_of_many_the_first_ids_are_kept() -> None:
    group = Undelivered()
    for number in range(1, 100):
        group.count((number, 0), "written_not_delivered")
    assert group.written_ids == ["1-0", "2-0", "3-0"]


def test_what_was_enqueued_again_is_counted_apart() -> None:
    group = Undelivered()
    group.count((1, 0), "written_not_delivered", is_repeat=True)
    group.count((2, 0), "written_not_delivered")
    assert (group.written, group.repeats) == (2, 1)

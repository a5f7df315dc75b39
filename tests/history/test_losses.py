"""What was trimmed unread between samples."""

import pytest

from blueplane_doctor.history.losses import losses_between
from blueplane_doctor.history.trend import GroupSample
from blueplane_doctor.text.times import iso_of_seconds

START = 1_795_360_020


def counted(*moments: tuple[int | None, int | None, int | None]) -> list[GroupSample]:
    """Samples of (added, read, undelivered)."""
    return [GroupSample(START + 60 * i, a, r, u, 0, None) for i, (a, r, u) in enumerate(moments)]


@pytest.mark.parametrize(
    ("moments", "count"),
    [
        pytest.param([(10, 10, 0), (20, 12, 8)], 0, id="what waits is not lost"),
        pytest.param([(10, 3, 7), (20, 3, 2), (20, 20, 0)], 15, id="seen once, then erased by the next read"),
        pytest.param([(10, 3, 2), (20, 13, 2), (20, 15, 0)], 0, id="an old loss that the server keeps showing"),
        pytest.param([(10, 3, 2), (20, 3, 2), (20, 5, 0)], 10, id="more of it beside an old one"),
        pytest.param([(9, 3, 1), (9, 9, 0), (20, 9, 8)], 3, id="erased, then another"),
        pytest.param([(20, 10, 5), (30, 25, 2)], 3, id="another, smaller, after an erased one"),
        pytest.param([(10, 10, 0), (None, None, 4), (20, 10, 5)], 5, id="an unknown sample in between"),
        pytest.param([(10, 10, 0)], None, id="one sample compares with nothing"),
        pytest.param([], None, id="none"),
        pytest.param([(100, 90, 10), (5, 0, 2)], None, id="the server was restarted in between"),
        pytest.param([(100, 90, 10), (5, 0, 5), (9, 0, 7)], 2, id="restarted, then a loss"),
        pytest.param([(10, 10, 0), (10, 20, 0)], None, id="counters that contradict each other"),
    ],
)
def test_loss_between_samples(moments: list[tuple[int | None, int | None, int | None]], count: int | None) -> None:
    assert losses_between(counted(*moments), "processors").lost == count


def test_when_a_loss_was_seen_and_what_could_not_be_compared() -> None:
    samples = counted((10, 3, 7), (20, 3, 2), (20, 20, 0), (4, 0, 4), (None, 0, 1))
    result = losses_between(samples, "processors")
    assert result.losses == {iso_of_seconds(START + 60): 15}
    assert list(result.not_compared) == [iso_of_seconds(START + 180), iso_of_seconds(START + 240)]
    assert "restarted" in result.not_compared[iso_of_seconds(START + 180)]

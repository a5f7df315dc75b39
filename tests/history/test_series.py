"""The course of one number: rate, rise, and when it reaches a limit."""

import pytest

from blueplane_doctor.history.series import increase, is_fresh, minutes_until, rate_per_minute

START = 1_795_360_020


@pytest.mark.parametrize(
    ("values", "rate"),
    [([0, 10, 20], 10), ([5, 5, 5], 0), ([None, 30, None, 10], -10), ([1], None), ([None, None], None), ([], None)],
)
def test_rate_a_minute(values: list[float | None], rate: float | None) -> None:
    assert rate_per_minute([(START + 60 * i, v) for i, v in enumerate(values)]) == (rate and pytest.approx(rate))


@pytest.mark.parametrize(
    ("values", "added"), [([1, 4, 2, 5], 6), ([3, 3], 0), ([None, 2, None, 9], 7), ([4], None), ([], None)]
)
def test_increase(values: list[float | None], added: float | None) -> None:
    assert increase([(START + 60 * i, v) for i, v in enumerate(values)]) == added


@pytest.mark.parametrize(
    ("values", "minutes"),
    [
        pytest.param([100, 200, 300], 7, id="at its rate"),
        pytest.param([1, 2, 1000], 0, id="reached"),
        pytest.param([300, 200, 100], None, id="falling"),
        pytest.param([5, 5, 5], None, id="level"),
        pytest.param([1, 900], None, id="two points are a guess"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_minutes_until_a_limit(values: list[float | None], minutes: float | None) -> None:
    found = minutes_until([(START + 60 * i, v) for i, v in enumerate(values)], 1000)
    assert found == (minutes and pytest.approx(minutes))


def test_freshness() -> None:
    assert is_fresh([(START, 1), (START + 60, None)], START + 180)
    assert not is_fresh([(START, 1), (START + 60, None)], START + 181)
    assert not is_fresh([], START)

"""Until when room lasts: only where it shrinks, by samples that are enough and new."""

import pytest

from blueplane_doctor.history.room import METRICS, forecast_of, forecasts
from blueplane_doctor.history.samples import Sample

NOW = 1_795_360_020.0


def minutes(values: list[float], *, age: int = 0) -> list[tuple[int, float]]:
    """One value a minute, the last of them `age` minutes ago."""
    newest = int(NOW) - 60 * age
    return [(newest - 60 * (len(values) - 1 - place), value) for place, value in enumerate(values)]


def falling(count: int, by: float, last: float) -> list[float]:
    return [last + by * place for place in range(count - 1, -1, -1)]


@pytest.mark.parametrize(
    ("sentence", "values", "minutes_left"),
    [
        ("an hour of steady use", falling(60, 1.0, 90.0), 90.0),
        ("three samples are the fewest", [103.0, 102.0, 101.0], 101.0),
        ("two are too few", [103.0, 102.0], None),
        ("nothing changes", [500.0] * 60, None),
        ("it grows", falling(60, -1.0, 90.0), None),
        ("one large file, and nothing since", [900.0] * 30 + [500.0] * 30, None),
        ("one large file among three", [900.0, 500.0, 500.0], None),
        ("a file that is written anew: down and up again", [500.0, 499.0, 498.0, 497.0, 496.0] * 12, None),
        ("jitter around the same", [500.0, 499.0, 501.0, 500.0, 499.5, 500.5] * 10, None),
        ("what has only begun shows in ten minutes", [500.0] * 52 + falling(8, 10.0, 420.0), 48.1),
        ("one large file, and a slow use: the slow one counts", [9_000.0] * 20 + falling(40, 1.0, 60.0), 60.0),
        ("longer than a week", falling(60, 0.001, 90_000.0), None),
        ("nothing is left already", falling(60, 1.0, 0.0), None),
    ],
)
def test_only_room_that_shrinks_has_an_end(sentence: str, values: list[float], minutes_left: float | None) -> None:
    forecast = forecast_of(minutes(values), NOW)
    assert (forecast and forecast.minutes_left) == pytest.approx(minutes_left, abs=0.1), sentence


def test_old_samples_say_nothing_of_now() -> None:
    assert forecast_of(minutes(falling(30, 1.0, 90.0), age=4), NOW) is None


def test_what_it_rests_on_is_said() -> None:
    forecast = forecast_of(minutes(falling(30, 2.0, 90.0)), NOW)
    assert forecast is not None
    assert (forecast.mb_per_minute, forecast.samples, forecast.minutes_seen) == (2.0, 30, 29.0)


def test_memory_is_what_is_left_below_the_limit_and_samples_without_one_do_not_count() -> None:
    used, limit = "redis.used_memory_mb", "redis.maxmemory_mb"
    assert {used, limit} < set(METRICS)
    samples = []
    for place, (time, value) in enumerate(minutes(falling(10, -5.0, 80.0))):
        samples.append(Sample(time, {used: value, limit: 100.0} if place else {used: value}))
    assert forecasts(samples, NOW)["memory"].minutes_left == pytest.approx(4.0)


def test_each_disk_is_told_by_itself() -> None:
    samples = []
    for time, value in minutes(falling(10, 5.0, 50.0)):
        samples.append(Sample(time, {"disk_space.database_free_mb": value, "disk_space.redis_free_mb": 800.0}))
    assert list(forecasts(samples, NOW)) == ["database"]

"""Times of every shape that the pipeline writes, and durations in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from blueplane_doctor.errors import UsageError
from blueplane_doctor.text.times import (
    from_milliseconds,
    iso,
    iso_of_milliseconds,
    parse_time,
    readable,
    seconds_in,
    span,
    to_milliseconds,
)

NINE = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-03-14T09:26:53Z", NINE, id="z"),
        pytest.param("2026-03-14T09:26:53.589Z", NINE + timedelta(milliseconds=589), id="z-and-fraction"),
        pytest.param("2026-03-14T11:26:53+02:00", NINE, id="offset"),
        pytest.param("2026-03-14T03:56:53.000001-05:30", NINE + timedelta(microseconds=1), id="offset-and-fraction"),
        pytest.param("2026-03-14 09:26:53", NINE, id="sqlite-without-zone-is-utc"),
        pytest.param("  2026-03-14T09:26:53Z \n", NINE, id="spaces"),
        pytest.param("2026-03-14", datetime(2026, 3, 14, tzinfo=UTC), id="day-alone"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="null"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("2026-13-14T09:26:53Z", None, id="no-such-month"),
        pytest.param("0001-01-01T00:00:00+14:00", None, id="before-the-first-year"),
        pytest.param("2026-03-14T09:26:53Z" + " " * 60, None, id="too-long"),
        pytest.param(1773480413, None, id="a-number"),
    ],
)
def test_parse_time(text: str | None, moment: datetime | None) -> None:
    found = parse_time(text)
    assert found == moment
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("milliseconds", "moment"),
    [
        (1773480413589, NINE + timedelta(milliseconds=589)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-5, datetime(1970, 1, 1, tzinfo=UTC)),
        (1 << 63, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
    ids=["a-stream-id", "zero", "negative", "beyond-what-a-datetime-holds"],
)
def test_from_milliseconds(milliseconds: int, moment: datetime) -> None:
    assert from_milliseconds(milliseconds) == moment
    assert iso_of_milliseconds(milliseconds) == iso(moment)


def test_to_milliseconds_and_back() -> None:
    assert from_milliseconds(to_milliseconds(NINE)) == NINE


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NINE, "2026-03-14T09:26:53.000Z"),
        (NINE.astimezone(timezone(timedelta(hours=2))), "2026-03-14T09:26:53.000Z"),
        (NINE + timedelta(microseconds=589_999), "2026-03-14T09:26:53.589Z"),
        (None, None),
    ],
    ids=["utc", "another-zone", "fraction-cut", "none"],
)
def test_iso(moment: datetime | None, text: str | None) -> None:
    assert iso(moment) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-03-14T10:26:53.589123+01:00", "2026-03-14 09:26:53 UTC"),
        ("2026-03-14T09:26:53Z", "2026-03-14 09:26:53 UTC"),
        ("at an unknown time", "at an unknown time"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_time_as_people_read_it(text: str | None, shown: str) -> None:
    assert readable(text) == shown


def test_a_time_as_people_read_it_is_as_exact_as_asked_for() -> None:
    assert readable("2026-03-14T09:26:53Z", "milliseconds") == "2026-03-14 09:26:53.000 UTC"


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "0 ms"),
        (450, "450 ms"),
        (999, "999 ms"),
        (999.7, "1 s"),
        (1_000, "1 s"),
        (0.42, "0.4 ms"),
        (4.2, "4.2 ms"),
        (-3.2, "-3.2 ms"),
        (2_500, "2.5 s"),
        (5_040, "5 s"),
        (12_400, "12 s"),
        (360_301, "6 min"),
        (89_400, "89 s"),
        (89_900, "90 s"),
        (90_000, "2 min"),
        (300_000, "5 min"),
        (89 * 60_000, "89 min"),
        (90 * 60_000, "1 h 30 min"),
        (2 * 3_600_000, "2 h"),
        (200 * 60_000, "3 h 20 min"),
        (47 * 3_600_000, "47 h"),
        (48 * 3_600_000, "2 days"),
        (100 * 3_600_000, "4 days"),
    ],
)
def test_span(milliseconds: float, said: str) -> None:
    assert span(milliseconds) == said


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("6h", 21_600), ("2d", 172_800), ("0.3s", 0.3), ("45", 45), (" 5 M ", 300), ("0", 0)],
)
def test_a_span_of_time_in_words(text: str, seconds: float) -> None:
    assert seconds_in(text, "--wait") == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5w", "1e9s", "inf", "nan", "5m5s", "9999999999s"])
def test_what_is_no_span_of_time_is_refused_by_the_name_of_its_option(text: str) -> None:
    with pytest.raises(UsageError, match="--wait .*: not a span of time"):
        seconds_in(text, "--wait")

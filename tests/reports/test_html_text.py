"""Names, numbers and times as the page shows them."""

import pytest

from blueplane_doctor.reports.html_text import begin_time, favicon, label, number, title, utc


def test_the_dot_beside_the_title_has_the_colour_of_the_status() -> None:
    dots = {status: favicon(status) for status in ("green", "yellow", "orange", "red", "unknown")}
    assert len(set(dots.values())) == 5
    assert favicon("odd") == dots["unknown"]


def test_names_lose_their_hyphens_and_units() -> None:
    assert title("queue-depth") == "Queue depth"
    assert title("wal-size") == "WAL size"
    assert label("oldest_pending_age_ms") == "Oldest pending"
    assert label("first_seen_age_ms") == "First seen age"
    assert label("oldest of them ms") == "Oldest of them"
    assert number(0.0) == "0"


def test_names_of_the_pipeline_are_not_changed() -> None:
    assert label("claude_processors") == "claude_processors"
    assert label("telemetry:message_queue") == "telemetry:message_queue"
    assert label("afterFileEdit") == "afterFileEdit"
    assert label("buffered_events") == "Buffered events"


def test_a_name_that_several_records_use_has_no_label_of_one_of_them() -> None:
    assert label("written") == "Written"
    assert label("messages") == "Messages"


def test_only_whole_times_are_times() -> None:
    assert utc("2026-03-14T10:26:53.589+01:00") == "2026-03-14 09:26:53"
    assert utc("2026-03-14") is None
    assert utc("1773479901310-0") is None


@pytest.mark.parametrize(
    ("begin", "end", "shown"),
    [
        ("2026-03-13T09:15:00.000Z", "2026-03-14T09:15:00.000Z", "2026-03-13 09:15"),
        ("2026-03-14T03:15:00.000Z", "2026-03-14T09:15:00.000Z", "03:15"),
        ("no time", "2026-03-14T09:15:00.000Z", ""),
    ],
    ids=["another day", "the same day", "no time"],
)
def test_a_time_axis_tells_the_day_where_it_is_another(begin: str, end: str, shown: str) -> None:
    assert begin_time(begin, end) == shown

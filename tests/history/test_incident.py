"""What changed, and since when a cause is there: on statuses and times alone."""

import pytest

from blueplane_doctor.history.incident import changes, gaps, open_since
from blueplane_doctor.history.status_log import StatusEntry

CAUSE = "cause:server-down"
CHECK = "check:server-alive"


def entry(minute: int, **statuses: str) -> StatusEntry:
    names = {"report": "report", "cause": CAUSE, "check": CHECK}
    return StatusEntry(60 * minute, {names[name]: status for name, status in statuses.items()})


def minutes(*numbers: int) -> list[int]:
    return [60 * number for number in numbers]


def test_the_report_first_then_causes_then_checks() -> None:
    entries = [entry(0, report="green"), entry(8, report="red", check="red", cause="red"), entry(10, report="green")]
    assert changes(entries, 0) == [
        (0, "report", None, "green"),
        (480, "report", "green", "red"),
        (480, CAUSE, "green", "red"),
        (480, CHECK, "green", "red"),
        (600, "report", "red", "green"),
        (600, CAUSE, "red", "green"),
        (600, CHECK, "red", "green"),
    ]


def test_what_stood_before_is_known_though_it_is_not_shown() -> None:
    entries = [entry(0, report="yellow"), entry(8, report="red")]
    assert changes(entries, 60) == [(480, "report", "yellow", "red")]
    assert changes([], 0) == []


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (minutes(*range(10)), []),
        (minutes(0, 1, 2, 5, 6), []),
        (minutes(0, 1, 2, 6, 7), [(120, 360)]),
        (minutes(0, 5, 10, 15, 30, 35), []),
        (minutes(0, 5, 10, 15, 31, 36), [(900, 1860)]),
        ([], []),
    ],
    ids=["none", "two missed", "three missed", "every 5 min, two missed", "every 5 min, three missed", "no sample"],
)
def test_a_time_without_samples(times: list[int], expected: list[tuple[int, int]]) -> None:
    assert gaps(times) == expected


OPEN = [entry(0, report="green"), entry(8, report="red", cause="red"), entry(9, report="red", cause="orange")]


@pytest.mark.parametrize(
    ("entries", "times", "now", "expected"),
    [
        (OPEN, minutes(*range(20)), 1200, {CAUSE: 480}),
        (OPEN, minutes(*range(20)), 1140 + 181, {}),
        (OPEN, minutes(*range(12), *range(16, 20)), 1200, {CAUSE: 960}),
        (OPEN, minutes(*range(4), *range(8, 20)), 1200, {CAUSE: 480}),
        (OPEN, minutes(*range(12, 20)), 1200, {CAUSE: 720}),
        ([*OPEN, entry(10, report="green")], minutes(*range(20)), 1200, {}),
        ([*OPEN, entry(10, report="green"), entry(12, report="red", cause="red")], minutes(*range(20)), 1200,
         {CAUSE: 720}),
        ([], minutes(*range(20)), 1200, {}),
        (OPEN, [], 1200, {}),
    ],
    ids=[
        "since its first sample, though its status changed",
        "the newest sample is too old",
        "a gap within it: since the sample after",
        "a gap before it",
        "it is older than the samples",
        "over",
        "over and back again",
        "no statuses",
        "no samples",
    ],
)  # fmt: skip
def test_since_when_a_cause_is_there(
    entries: list[StatusEntry], times: list[int], now: float, expected: dict[str, int]
) -> None:
    assert open_since(entries, times, now) == expected

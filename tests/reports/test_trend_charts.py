"""The small charts of the last day in the HTML report: their geometry, their numbers, and text that means harm."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from blueplane_doctor.model import Report
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.html import render
from blueplane_doctor.reports.trend_charts import trends
from blueplane_doctor.text.times import iso
from tests.reports import samples
from tests.reports.test_html import HOSTILE, INVISIBLE, Page

BEGIN = datetime(2026, 3, 13, 9, 30, tzinfo=UTC)


def series(*values: object, minutes: int = 30, **fields: Any) -> dict[str, Any]:
    """A series of these values, one every so many minutes."""
    times = [iso(BEGIN + timedelta(minutes=minutes * i)) for i in range(len(values))]
    points = [list(pair) for pair in zip(times, values, strict=True)]
    return {"metric": "queue.queue_depth", "label": "Queue depth", "unit": "messages", "points": points} | fields


def report_with(*given: object) -> Report:
    report = samples.mixed()
    return report.model_copy(update={"metrics": report.metrics | {"history": {"series": list(given)}}})


def chart(*values: object, **fields: Any) -> dict[str, Any]:
    made = trends({"history": {"series": [series(*values, **fields)]}})
    assert made
    (one,) = made["series"]
    assert isinstance(one, dict)
    return one


def test_the_line_goes_from_the_first_to_the_last_and_from_zero_to_the_highest() -> None:
    one = chart(0, 5, 10)
    assert one["line"] == "M0.0 64.0L120.0 33.0L240.0 2.0"
    assert one["area"] == "M0.0 64.0L120.0 33.0L240.0 2.0L240.0 64.0L0.0 64.0Z"
    assert (one["lowest"], one["highest"]) == (0, 10)


def test_a_gap_stays_a_gap() -> None:
    one = chart(10, 10, None, 10, 10)
    assert one["line"] == "M0.0 2.0L60.0 2.0M180.0 2.0L240.0 2.0"
    assert one["area"].count("Z") == 2


def test_the_value_of_now_is_what_the_other_records_say() -> None:
    history = {"series": [series(10, 8)]}
    made = trends({"history": history, "queue": {"queue_depth": 3}})
    assert made
    assert made["series"][0]["now"] == 3
    assert chart(10, 8)["now"] is None


def test_a_single_point_is_a_dot() -> None:
    assert chart(7)["line"] == "M240.0 2.0h0.1"
    assert chart(None, 7, None)["line"] == "M120.0 2.0h0.1"
    assert chart(7)["area"] == ""


@pytest.mark.parametrize(("value", "height"), [(0, "64.0"), (5, "2.0"), (-5, "64.0")])
def test_all_equal(value: int, height: str) -> None:
    assert chart(value, value)["line"] == f"M0.0 {height}L240.0 {height}"


def test_below_zero_the_base_is_still_zero() -> None:
    one = chart(-10, 10)
    assert (one["zero"], one["line"]) == ("33.0", "M0.0 64.0L240.0 2.0")


def test_nothing_but_gaps_is_a_chart_without_a_line() -> None:
    one = chart(None, None)
    assert (one["line"], one["area"], one["lowest"]) == ("", "", None)
    assert "nothing was recorded" in render(report_with(series(None, None)), View())


@pytest.mark.parametrize("value", [True, "12", float("nan"), float("inf"), 1e301, 10**400, [], {}])
def test_what_is_no_number_is_a_gap(value: object) -> None:
    assert chart(1, value, 1)["line"] == "M0.0 2.0h0.1M240.0 2.0h0.1"


def test_points_come_in_order_of_time_and_those_without_a_time_are_left_out() -> None:
    one = series(1, 2, 3)
    mixed = one | {"points": [*reversed(one["points"]), ["yesterday", 9], [None, 9], 7, "ab", [1, 2, 3]]}
    made = trends({"history": {"series": [mixed]}})
    assert made
    assert made["series"][0]["line"] == chart(1, 2, 3)["line"]


def test_all_charts_share_one_axis_of_time() -> None:
    made = trends({"history": {"series": [series(1, 1, 1), series(1, 1)]}})
    assert made
    assert made["series"][1]["line"].startswith("M0.0 2.0L120.0 2.0")


def test_an_hour_shows_its_highest_value() -> None:
    assert chart(1, 2, 5, 3)["hours"] == {"2026-03-13 09:00": 1, "2026-03-13 10:00": 5, "2026-03-13 11:00": 3}


@pytest.mark.parametrize(
    "history",
    [None, {}, {"series": []}, {"series": None}, {"series": "abc"}, {"series": [1, "x"]}, {"series": [{}]}, 7, []],
)
def test_without_a_history_there_is_no_section(history: Any) -> None:
    report = samples.mixed()
    assert trends({"history": history}) is None
    if history is None or isinstance(history, dict):
        page = render(report.model_copy(update={"metrics": report.metrics | {"history": history}}), View())
        assert page == render(report, View())


def test_the_page_shows_the_charts_with_their_numbers() -> None:
    page = render(report_with(series(0, None, 1204), series(2500, 2500, 2500, label="Lag", unit="ms")), View())
    section = page[page.index('id="history"') : page.index('id="metrics"')]
    assert section.count("<svg") == 2
    assert section.count('aria-hidden="true" focusable="false"') == 2
    assert "<b>1,420 messages now</b>" in section
    assert "highest 1,204 messages" in section
    assert "lowest 0 messages" in section
    assert "Lag (ms)" in section
    assert '<th scope="row">2026-03-13 10:00</th><td class="number">1,204</td>' in section
    assert "<script" not in section
    assert "style=" not in section


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_stay_words(name: str) -> None:
    text = HOSTILE[name] + INVISIBLE
    harmless = Page(render(report_with(series(1, 2, unit="u")), View()))
    page = render(report_with(series(1, 2, label=text, unit=text, metric=text)), View())
    assert [tag for tag, _ in Page(page).tags] == [tag for tag, _ in harmless.tags]
    assert not re.search("[\x00\x07\x1b\x7f\u202e\u2066\ufeff]", page)


@pytest.mark.parametrize("label", [None, "", 7, ["a"], {"<b>": 1}])
def test_a_label_that_is_no_text_does_no_harm(label: object) -> None:
    assert "</html>" in render(report_with(series(1, 2, label=label, metric=None, unit=label)), View())


def test_a_day_of_minutes_keeps_the_page_small() -> None:
    many = [series(*range(1440), minutes=1, label=f"Number {i}") for i in range(12)]
    assert len(render(report_with(*many), View())) - len(render(samples.mixed(), View())) < 1_000_000


def test_a_line_breaks_off_where_nothing_was_recorded() -> None:
    points = [(f"2026-03-13T09:0{minute}:00Z", value) for minute, value in enumerate([0, 10, None, 4])]
    drawn = trends({"history": {"series": [{"label": "Depth", "unit": "messages", "points": points}]}})
    assert drawn is not None
    (chart,) = drawn["series"]
    assert (chart["lowest"], chart["highest"], chart["now"]) == (0, 10, None)
    assert chart["line"] == "M0.0 64.0L80.0 2.0M240.0 39.2h0.1"
    assert chart["area"] == "M0.0 64.0L80.0 2.0L80.0 64.0L0.0 64.0Z"
    assert chart["heading"] == "Depth (messages)"

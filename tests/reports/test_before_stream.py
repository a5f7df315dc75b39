"""The stage before the stream, as every face shows it."""

from typing import Any

import pytest

from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.before_stream import before_stream, lines_by_time
from blueplane_doctor.reports.html import FORMAT as HTML
from blueplane_doctor.reports.table import FORMAT as TABLE
from tests.reports import samples

TRANSCRIPTS = {
    "since": "24h",
    "states": {"written": 4_812, "too_young": 0, "missing": 192},
    "projects": [{"number": 3, "lines": 300, "written": 108, "missing": 192, "unfindable_reason": "a dot"}],
}
CURSOR = {"since": "24h", "by_outcome": {"written": 40, "never_captured": 1}}


def test_a_source_is_told_as_a_sum_and_as_a_bar() -> None:
    transcripts, cursor = before_stream({"transcripts": TRANSCRIPTS, "cursor": CURSOR})
    assert transcripts.equation == "5,004 lines = 4,812 written + 192 missing"
    assert transcripts.missing == 192
    assert [part["kind"] for part in transcripts.parts] == ["done", "break"]
    assert sum(part["width"] for part in transcripts.parts) == pytest.approx(100, abs=0.1)
    assert cursor.equation == "41 items = 40 written + 1 never captured"


@pytest.mark.parametrize("record", [None, [], {}, {"states": None}, {"states": {"written": 0}}, {"states": {"a": "b"}}])
def test_what_was_not_looked_at_is_not_shown(record: Any) -> None:
    assert before_stream({"transcripts": record}) == []


BUCKETS: list[dict[str, Any]] = [
    {"start": "2026-11-28T10:00:00.000Z", "states": {"written": 40, "repeated": 5}},
    {"start": "2026-11-28T10:10:00.000Z", "states": {"written": 3, "missing": 7, "too_young": 2, "in_stream": 1}},
]


def test_lines_by_ten_minutes_are_a_chart_and_a_table() -> None:
    transcripts = {**TRANSCRIPTS, "buckets": BUCKETS}
    (first, second), table = lines_by_time({"transcripts": transcripts})
    assert table[1] == {"start": BUCKETS[1]["start"], "lines": 13, **BUCKETS[1]["states"]}
    assert first["enqueued"] == 45 and first["written"] == 40
    assert (second["enqueued"], second["waiting"], second["broken"]) == (13, 3, 7)
    report = samples.mixed()
    report = report.model_copy(update={"metrics": {**report.metrics, "transcripts": transcripts}})
    page = HTML.render(report, View())
    assert "45 lines" in page and "Lines of Claude&#39;s transcripts by ten minutes" in page
    for strange in (None, 5, [5], [{}], [{"start": 1, "states": [1]}, {"states": {"written": "x"}}]):
        assert all(bar["enqueued"] == 0 for bar in lines_by_time({"transcripts": {"buckets": strange}}).bars)


def test_table_and_page_show_it() -> None:
    report = samples.mixed()
    report = report.model_copy(update={"metrics": {**report.metrics, "transcripts": TRANSCRIPTS}})
    table = TABLE.render(report, View(width=200))
    assert "Before the stream, Claude's transcripts: 5,004 lines = 4,812 written + 192 missing" in table
    page = HTML.render(report, View())
    assert "Before the stream" in page and "<b>192 missing</b>" in page and "a dot" in page

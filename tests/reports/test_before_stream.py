"""The stage before the stream, as every face shows it."""

from typing import Any

import pytest

from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.before_stream import before_stream
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


def test_table_and_page_show_it() -> None:
    report = samples.mixed()
    report = report.model_copy(update={"metrics": {**report.metrics, "transcripts": TRANSCRIPTS}})
    table = TABLE.render(report, View(width=200))
    assert "Before the stream, Claude's transcripts: 5,004 lines = 4,812 written + 192 missing" in table
    page = HTML.render(report, View())
    assert "Before the stream" in page and "<b>192 missing</b>" in page and "a dot" in page

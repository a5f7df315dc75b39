"""JSON: whole outputs, and that nothing is lost in them."""

import json

import pytest

from blueplane_doctor.model import Finding, Report, Status
from blueplane_doctor.reports import json as json_format
from blueplane_doctor.reports.base import View
from tests.golden.compare import Golden
from tests.reports import samples

REPORTS = {"healthy": samples.healthy, "mixed": samples.mixed, "empty": samples.empty}


@pytest.mark.parametrize("report", REPORTS)
def test_json_is_as_the_golden_file(report: str, golden: Golden) -> None:
    golden(f"{report}.json", json_format.render(REPORTS[report](), View()))


@pytest.mark.parametrize("report", REPORTS)
def test_json_is_the_report_whatever_the_view(report: str) -> None:
    text = json_format.render(REPORTS[report](), View())
    assert Report.model_validate_json(text) == REPORTS[report]()
    assert text == json_format.render(REPORTS[report](), View(verbose=True, quiet=True, color=True, width=20))
    assert text.endswith("}\n")


def test_words_of_every_script_stay_readable() -> None:
    finding = Finding(status=Status.GREEN, summary="größer als 漢字 ≥ 5", id="x", area="y")
    assert "größer als 漢字 ≥ 5" in json_format.render(samples.report_of([finding]), View())


def test_a_file_name_that_is_no_text_does_not_break_the_report() -> None:
    finding = Finding(status=Status.GREEN, summary="x", id="x", area="y", evidence={"a\udce4b": ["a\udce4b"]})
    shown = json.loads(json_format.render(samples.report_of([finding]), View()))
    assert shown["findings"][0]["evidence"] == {"a\ufffdb": ["a\ufffdb"]}

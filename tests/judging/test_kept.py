"""Reports and evidence of earlier runs: read again as they were written, or refused in a sentence."""

import json
from pathlib import Path

import pytest

from blueplane_doctor.errors import UsageError
from blueplane_doctor.judging.kept import evidence_from, read_report
from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.reports.base import View
from tests.reports import samples
from tests.reports.hostile import REPORTS, compared

FORMATS = find_formats()


def kept(folder: Path, text: str | bytes | None = None) -> Path:
    """A file with this text; by default, a report."""
    path = folder / "report.json"
    given = FORMATS["json"].render(compared(), View()) if text is None else text
    path.write_bytes(given.encode() if isinstance(given, str) else given)
    return path


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_that_json_can_hold_is_read_again(name: str, tmp_path: Path) -> None:
    """As it is, but for names that no monitor lets into a record: of these only fingerprints are taken over."""
    text = FORMATS["json"].render(REPORTS[name](), View())
    again = read_report(kept(tmp_path, text))
    taken_over = FORMATS["json"].render(again, View())
    if "hidden-" not in taken_over:
        assert taken_over == text
    assert {**json.loads(taken_over), "metrics": {}} == {**json.loads(text), "metrics": {}}
    assert FORMATS["json"].render(read_report(kept(tmp_path, taken_over)), View()) == taken_over


REPORT = json.loads(FORMATS["json"].render(samples.mixed(), View()))


def test_a_report_whose_record_is_not_known_keeps_it(tmp_path: Path) -> None:
    again = read_report(kept(tmp_path, json.dumps(REPORT | {"metrics": {"weather": {"sun": 1}, "chain": None}})))
    assert again.metrics == {"weather": {"sun": 1}, "chain": None}


def test_the_value_of_a_wrong_field_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_report(kept(tmp_path, json.dumps(REPORT | {"exit_code": "secret"})))
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "not JSON", id="no JSON"),
        pytest.param("[]", "no evidence", id="no evidence"),
        pytest.param('{"evidence_version": 99}', "another version", id="another version"),
        pytest.param('{"evidence_version": 2}', "not whole", id="not whole"),
        pytest.param(
            '{"evidence_version": 2, "taken_at": "", "duration_ms": 0, "missing": {}, "durations": {}, '
            '"records": {"redis": {"server": "redis"}}}',
            "RedisHealth.version",
            id="a record with a hole",
        ),
    ],
)
def test_bad_evidence_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        evidence_from(text, Path("kept.json"))
    assert said in error.value.message

"""Beside pytest's own options, pytest-xdist and pytest-html, as they are installed."""

import html
import json
import re

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from tests.pytest_plugin.support import BUILT_IN, OWN_CHECK, cases, examining, kept_evidence, one_reading

HOSTILE = """
from blueplane_doctor import Finding, Remedy, Scale, Status

def check_hostile(queue):
    return Finding(
        status=Status.RED, summary="<script>alert(1)</script>", observed="\\x1b[2J", unit="]]>",
        scale=Scale.states(red="<b>"), remedy=Remedy(text="<img src=x onerror=alert(1)>", commands=["echo '\\u202e'"]),
        evidence={"name": "a\\nb\\u202e"},
    )
"""


@pytest.fixture
def sick(pipeline: Pipeline) -> Pipeline:
    """Twelve lost messages."""
    FAULTS["malformed-payloads"].apply(pipeline)
    return pipeline


def rows(page: str) -> list[list[str]]:
    """The cells of the table of a page that pytest-html made."""
    found = re.search(r'data-jsonblob="([^"]*)"', page)
    assert found
    tests = json.loads(html.unescape(found[1]))["tests"]
    return [test["resultsTableRow"] for runs in tests.values() for test in runs]


@pytest.mark.slow
def test_with_xdist_the_controller_reads_once_and_the_workers_agree(pytester: pytest.Pytester, sick: Pipeline) -> None:
    pytester.makepyfile(check_own=OWN_CHECK, test_mine="def test_mine(blueplane_chain, blueplane_report): pass")
    with one_reading(sick):
        shown = cases(pytester, *examining(sick), "-n", "2", "--dist", "load")
    assert set(shown) == {*BUILT_IN, "own-groups", "test_mine"}
    assert shown["chain-breaks"].outcome == "failure" and "observed: 12 messages" in shown["chain-breaks"].text
    assert shown["test_mine"].outcome == shown["own-groups"].outcome == "passed"


@pytest.mark.slow
def test_with_xdist_errors_come_once_and_plainly(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--blueplane", "-n", "2", "--blueplane-select", "quue")
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR)
    result.stdout.fnmatch_lines(["*quue is no check, no area and no pattern; did you mean queue?"])
    result.assert_outcomes(errors=1)


@pytest.mark.slow
def test_the_page_of_pytest_html_shows_scale_and_remedy(pytester: pytest.Pytester, sick: Pipeline) -> None:
    pytester.makepyfile(test_mine="def test_mine(): pass")
    file = pytester.path / "health.html"
    pytester.runpytest_subprocess(*examining(sick), f"--html={file}", "--self-contained-html")
    table = {row[1]: row for row in rows(file.read_text(encoding="utf-8"))}
    assert re.search(
        "<th.*?Test</th>.*?<th>Finding</th>.*?<th>Scale</th>.*?<th>Remedy</th>", file.read_text(), re.DOTALL
    )
    row = table['<td class="col-testId">blueplane::chain-breaks</td>']
    assert row[2].startswith("<td>red: 12 ")
    assert "orange ≥ 1 and &lt; 10" in row[3]
    assert len(row[4]) > len("<td></td>")
    assert table['<td class="col-testId">test_mine.py::test_mine</td>'][2:5] == ["<td></td>"] * 3


@pytest.mark.slow
def test_hostile_text_is_inert(pytester: pytest.Pytester, sick: Pipeline) -> None:
    pytester.makepyfile(check_hostile=HOSTILE)
    page = pytester.path / "health.html"
    shown = cases(pytester, *examining(sick), f"--html={page}", "check_hostile.py")
    assert shown["hostile"].outcome == "failure"
    (row,) = rows(page.read_text(encoding="utf-8"))
    assert not any(tag in "".join(row) for tag in ("<script", "<img", "<b>", "\x1b", "\u202e"))
    assert "&lt;script&gt;" in row[2]


@pytest.mark.slow
def test_the_names_of_files_are_inert_too(pytester: pytest.Pytester, pipeline: Pipeline) -> None:
    folder = pytester.mkdir("health")
    (folder / "check_<img src=x>.py").write_text("1 / 0")
    result = pytester.runpytest_subprocess(*examining(pipeline), "--blueplane-checks", "health", "-k", "check-file")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["FAILED blueplane::check-file - *"])


@pytest.mark.slow
def test_x_stops_at_the_first_failure(pytester: pytest.Pytester, sick: Pipeline) -> None:
    file = kept_evidence(sick, pytester.path / "evidence.json")
    result = pytester.runpytest_subprocess(*examining(sick), f"--blueplane-from-evidence={file}", "-x")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*stopping after 1 failures*"])


@pytest.mark.slow
def test_lf_runs_what_failed_again(pytester: pytest.Pytester, sick: Pipeline) -> None:
    options = [*examining(sick), "-k", "chain-breaks or queue-depth"]
    pytester.runpytest_subprocess(*options).assert_outcomes(failed=1, passed=1)
    pytester.runpytest_subprocess(*options, "--lf").assert_outcomes(failed=1)

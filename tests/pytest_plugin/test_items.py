"""Colours as outcomes: the same verdicts as on the command line."""

import json

import pytest

from blueplane_doctor.demo.faults import FAULTS, healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.kept import read_evidence
from blueplane_doctor.model import Status
from tests.helpers import settings_for
from tests.parameters import one_quick
from tests.pytest_plugin.support import cases, examining, kept_evidence, one_reading

BREAKS = """
def check_breaks(queue):
    raise RuntimeError("private")
"""


@pytest.fixture
def sick(pipeline: Pipeline) -> Pipeline:
    """Some lost messages, some dead letters, no recorder: every outcome is there."""
    healthy(pipeline, minutes=3)
    FAULTS["malformed-payloads"].apply(pipeline)
    FAULTS["dead-letter-growth"].apply(pipeline)
    return pipeline


@pytest.mark.parametrize(
    ("options", "flags", "outcomes"),
    one_quick(
        [
            (
                [],
                {},
                {
                    "orange": "failure",
                    "red": "failure",
                    "unknown": "skipped",
                    "skipped": "skipped",
                    "not_set_up": "skipped",
                },
            ),
            (
                ["--blueplane-fail-on=yellow", "--blueplane-strict"],
                {"fail_on": "yellow", "strict": True},
                dict.fromkeys(["yellow", "orange", "red", "unknown", "skipped"], "failure") | {"not_set_up": "skipped"},
            ),
            (
                ["--blueplane-fail-on=red"],
                {"fail_on": "red"},
                {"red": "failure", "unknown": "skipped", "not_set_up": "skipped"},
            ),
        ]
    ),
    ids=["by default", "strict from yellow on", "from red on"],
)
def test_every_finding_has_its_outcome(
    pytester: pytest.Pytester, sick: Pipeline, options: list[str], flags: dict[str, object], outcomes: dict[str, str]
) -> None:
    own = pytester.path / "check_breaks.py"
    own.write_text(BREAKS)
    file = kept_evidence(sick, pytester.path / "evidence.json")
    settings = settings_for(sick, checks=[own], **flags)
    report = Doctor(settings).judge(read_evidence(file))
    shown = cases(pytester, *examining(sick), *options, f"--blueplane-from-evidence={file}", "--blueplane-checks", own)
    assert {f.status for f in report.findings} >= {
        Status.GREEN,
        Status.YELLOW,
        Status.RED,
        Status.NOT_SET_UP,
        Status.ERROR,
    }
    expected = {f.id: {"error": "failure", **outcomes}.get(f.status, "passed") for f in report.findings}
    assert {name: case.outcome for name, case in shown.items()} == expected
    for finding in report.findings:
        assert shown[finding.id].properties["blueplane_summary"] == finding.summary


@pytest.mark.slow
def test_a_failure_says_all_that_is_known(pytester: pytest.Pytester, sick: Pipeline) -> None:
    result = pytester.runpytest_subprocess(*examining(sick), "blueplane::chain-breaks")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "red: 12 *",
            "observed: 12 messages",
            "scale: green *, orange *, red *",
            "what to do: *",
            "evidence:",
            "FAILED blueplane::chain-breaks - Failed: red: 12 *",
        ]
    )


@pytest.mark.slow
def test_the_summary_tells_the_causes_and_a_finding_names_its_own(pytester: pytest.Pytester, sick: Pipeline) -> None:
    result = pytester.runpytest_subprocess(*examining(sick), "blueplane::chain-breaks")
    result.stdout.fnmatch_lines(["follows from: *", "*= causes =*", "* (red, *since *)", "  Next: *", "  explains: *"])
    assert "cause: " not in "\n".join(result.stdout.lines)


@pytest.mark.slow
def test_a_run_without_health_checks_examines_nothing_for_its_summary(
    pytester: pytest.Pytester, sick: Pipeline
) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess(*examining(sick), "test_a_run_without_health_checks*.py")
    assert "causes" not in "\n".join(result.stdout.lines)


@pytest.mark.slow
def test_a_failure_stands_where_the_check_stands(pytester: pytest.Pytester, sick: Pipeline) -> None:
    result = pytester.runpytest_subprocess(*examining(sick), "--tb=line", "blueplane::chain-breaks")
    result.stdout.fnmatch_lines(["*check_chain.py:*: Failed: red: 12 *"])


@pytest.mark.slow
def test_what_passes_and_is_not_green_is_named(pytester: pytest.Pytester, sick: Pipeline) -> None:
    result = pytester.runpytest_subprocess(*examining(sick), "blueplane::redis-durability", "blueplane::queue-depth")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*= health below --blueplane-fail-on =*", "blueplane::redis-durability - yellow: *"])
    result.stdout.no_fnmatch_line("blueplane::queue-depth - *")


@pytest.mark.slow
def test_what_is_skipped_says_why_and_where(pytester: pytest.Pytester, pipeline: Pipeline) -> None:
    options = [*examining(pipeline)[:2], "--blueplane-redis-url=redis://127.0.0.1:1"]
    result = pytester.runpytest_subprocess(*options, "-rs", "blueplane::queue-depth", "blueplane::redis-reachable")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*check_queue.py:*: queue-depth: skipped: *127.0.0.1:1*"])


@pytest.mark.slow
def test_a_waived_finding_is_an_expected_failure(pytester: pytest.Pytester, sick: Pipeline) -> None:
    waivers = pytester.path / "waivers.yaml"
    shared = {"owner": "on-call", "expires": "2999-01-01"}
    rules = [{"id": "chain-breaks", "reason": "the March outage"} | shared, {"id": "nothing", "reason": "-"} | shared]
    waivers.write_text(json.dumps(rules))
    arguments = [*examining(sick), "--blueplane-waivers", str(waivers), "-k", "chain-breaks or waiver"]
    result = pytester.runpytest_subprocess(*arguments, "-rx")
    result.assert_outcomes(xfailed=1, passed=2)
    result.stdout.fnmatch_lines(
        [
            "blueplane::waiver:2 - yellow: The waiver for nothing names no check",
            "XFAIL blueplane::chain-breaks - *waived by on-call until 2999-01-01: the March outage (red, waived: 12 *",
        ]
    )
    pytester.runpytest_subprocess(*arguments, "--runxfail").assert_outcomes(failed=1, passed=2)


@pytest.mark.slow
def test_only_what_is_new_fails_beside_a_baseline(pytester: pytest.Pytester, sick: Pipeline) -> None:
    file = kept_evidence(sick, pytester.path / "evidence.json")
    settings = settings_for(sick)
    report = Doctor(settings).judge(read_evidence(file))
    baseline = pytester.path / "baseline.json"
    baseline.write_text(report.model_dump_json())
    options = [*examining(sick), f"--blueplane-from-evidence={file}", f"--blueplane-baseline={baseline}"]
    shown = cases(pytester, *options, "--blueplane-fail-on=new:orange")
    assert report.exit_code == 1 and "failure" not in {case.outcome for case in shown.values()}
    assert shown["chain-breaks"].properties["blueplane_status"] == "red, same"


@pytest.mark.slow
def test_the_pipeline_is_read_once_and_only_when_asked(pytester: pytest.Pytester, sick: Pipeline) -> None:
    pytester.makepyfile("def test_mine(blueplane_queue, blueplane_report, blueplane_chain): pass")
    with one_reading(sick):
        pytester.runpytest_subprocess(*examining(sick), "--collect-only")
        pytester.runpytest_subprocess(*examining(sick), "--tb=no")

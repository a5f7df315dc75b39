"""Health records in people's own tests, with `--blueplane` or without."""

import pytest

from blueplane_doctor.demo.faults import healthy
from blueplane_doctor.demo.simulator import Pipeline
from tests.helpers import settings_for
from tests.pytest_plugin.support import BUILT_IN, examining, one_reading

OWN_TESTS = f"""
def test_queue(blueplane_queue):
    assert blueplane_queue.queue_depth == 0

def test_records(blueplane_database, blueplane_capture, blueplane_chain, blueplane_server, blueplane_redis):
    assert blueplane_chain.chain_break_count == 0
    assert blueplane_database.db_size_mb > 0

def test_report(blueplane_report):
    assert {{f.id for f in blueplane_report.findings}} == {BUILT_IN!r}
    assert blueplane_report.metrics["queue"]["queue_depth"] == 0

def test_found_on_the_way(request):
    assert request.getfixturevalue("blueplane_redis").model_dump()
"""


@pytest.mark.slow
def test_records_need_no_suite_and_are_read_once(pytester: pytest.Pytester, pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=2)
    pytester.makepyfile(OWN_TESTS)
    with one_reading(pipeline):
        pytester.runpytest_subprocess(*examining(pipeline)[1:]).assert_outcomes(passed=4)


@pytest.mark.slow
def test_what_could_not_be_read_skips_with_its_cause(pytester: pytest.Pytester, pipeline: Pipeline) -> None:
    pytester.makepyfile(
        """
        def test_queue(blueplane_queue): pass
        def test_report(blueplane_report): assert blueplane_report.exit_code == 1
        """
    )
    options = [f"--blueplane-home={pipeline.home}", "--blueplane-redis-url=redis://127.0.0.1:1"]
    result = pytester.runpytest_subprocess(*options, "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*the health record queue could not be read: *127.0.0.1:1*"])


@pytest.mark.slow
def test_settings_that_cannot_be_used_fail_the_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUEPLANE_DOCTOR_REDIS_URL", "http://:secret@elsewhere")
    pytester.makepyfile("def test_queue(blueplane_queue): pass\ndef test_else(): pass")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*BLUEPLANE_DOCTOR_REDIS_URL: redis_url: must be a URL that begins with redis://*"])
    assert "secret" not in result.stdout.str()


@pytest.mark.slow
def test_a_selected_suite_beside_own_tests_reads_all_records(pytester: pytest.Pytester, pipeline: Pipeline) -> None:
    pytester.makepyfile("def test_mine(request): request.getfixturevalue('blueplane_database')")
    options = [*examining(pipeline), "--blueplane-select=redis-reachable"]
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=2)


@pytest.mark.slow
def test_own_thresholds_are_not_taken_for_others(pytester: pytest.Pytester, pipeline: Pipeline) -> None:
    (pipeline.home / "doctor.yaml").write_text("thresholds: {queue-depth: {yellow: 7}}\n")
    pytester.makepyfile("def test_report(blueplane_report): assert blueplane_report.other_thresholds == []")
    pytester.runpytest_subprocess(*examining(pipeline)[1:]).assert_outcomes(passed=1)


def test_the_report_is_the_command_lines(pytester: pytest.Pytester, pipeline: Pipeline) -> None:
    settings = settings_for(pipeline, fail_on="red", select="queue")
    pytester.makepyfile(
        """
        def test_report(blueplane_report):
            assert blueplane_report.findings and {f.area for f in blueplane_report.findings} == {"queue"}
        """
    )
    options = [
        *examining(pipeline)[1:],
        "--blueplane-select",
        *settings.select,
        "--blueplane-fail-on",
        settings.fail_on,
    ]
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=1)


@pytest.mark.slow
def test_the_variable_of_the_waivers_is_that_of_the_command_line(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLUEPLANE_DOCTOR_WAIVERS", "nowhere.yaml")
    result = pytester.runpytest_subprocess("--blueplane", "blueplane")
    assert result.ret != 0
    assert "nowhere.yaml: cannot be read" in result.stdout.str() + result.stderr.str()

"""Running checks: those that raise, hang, return nonsense or ask for what is not there."""

import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

from blueplane_doctor.judging import check_runner
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.model import Finding, Report, Status
from blueplane_doctor.plugins.discovery import AvailableChecks
from blueplane_doctor.settings.values import Settings
from tests.checks.builders import queue
from tests.judging.test_diagnose import judged, named, well
from tests.waiting import PATIENCE_SECONDS


def raising(error: BaseException) -> Callable[[Any], Finding]:
    """A check that raises this."""

    def function(queue: Any) -> Finding:
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("with private text"), "RuntimeError"),
        (KeyError("private"), "KeyError"),
        (SystemExit("private"), "SystemExit"),
        (RecursionError("private"), "RecursionError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_a_check_that_raises_is_one_error_and_the_others_still_run(error: BaseException, told: str) -> None:
    report = judged(named("a"), named("bad", raising(error)), named("z"))
    assert {f.id: f.status for f in report.findings} == {"a": "green", "bad": "error", "z": "green"}
    found = report.findings[0]
    assert found.summary == "The check bad itself broke"
    assert told in found.cause and "test_check_runner.py line " in found.cause
    assert "private" not in found.cause, "an error's text may quote what was examined"
    assert report.exit_code == 3


@pytest.mark.parametrize("value", [None, True, "green", {"status": "green"}])
def test_a_check_that_returns_no_finding(value: object) -> None:
    def function(queue: Any) -> object:
        return value

    (found,) = judged(named("bad", function)).findings
    assert found.status is Status.ERROR
    assert found.cause == f"it returned {type(value).__name__} instead of a Finding"


def test_evidence_that_no_report_could_show_is_the_checks_own_error() -> None:
    def function(queue: Any) -> Finding:
        return Finding(status=Status.GREEN, summary="well", evidence={"x": object()})

    report = judged(named("bad", function), named("good"))
    assert {f.id: f.status for f in report.findings} == {"bad": "error", "good": "green"}
    report.model_dump_json()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging check waits for, so that none is left behind."""
    event = threading.Event()
    yield event
    event.set()


def test_a_check_that_hangs_is_left_behind_and_the_others_still_run(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_runner, "JUDGING_SECONDS", 0.2)

    def function(queue: Any) -> Finding:
        gate.wait(PATIENCE_SECONDS)
        return well(queue)

    began = monotonic()
    report = judged(named("a"), named("hangs", function), named("hangs-too", function), named("z"))
    assert monotonic() - began < 5
    assert {f.id: f.status for f in report.findings} == {
        "a": "green",
        "hangs": "error",
        "hangs-too": "error",
        "z": "green",
    }
    assert "no verdict within 0.2 s" in report.findings[0].cause


def test_a_check_that_still_hangs_is_not_begun_again(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a service would leave a thread behind with each look."""
    monkeypatch.setattr(check_runner, "JUDGING_SECONDS", 0.2)
    begun: list[int] = []

    def function(queue: Any) -> Finding:
        begun.append(1)
        gate.wait(PATIENCE_SECONDS)
        return well(queue)

    available = AvailableChecks([named("a"), named("hangs", function)], [])
    doctor = Doctor(Settings(), available=available)
    evidence = Evidence("2026-03-14T09:26:53.589Z", 12.5, {"queue": queue()})
    assert "no verdict within" in finding_of(doctor.judge(evidence), "hangs").cause
    for _ in range(5):
        assert "an earlier run of it still hangs" in finding_of(doctor.judge(evidence), "hangs").cause
    assert len(begun) == 1
    gate.set()
    for _ in range(1_000):
        if finding_of(doctor.judge(evidence), "hangs").status is Status.GREEN:
            break
        threading.Event().wait(0.01)
    assert finding_of(doctor.judge(evidence), "hangs").status is Status.GREEN, "it is run again once it has ended"


def finding_of(report: Report, check_id: str) -> Finding:
    return next(one for one in report.findings if one.id == check_id)


def test_a_check_of_a_record_that_could_not_be_read_is_skipped_with_the_cause() -> None:
    def function(queue: Any, database: Any, server: Any) -> Finding:
        raise AssertionError("never called")

    (found,) = judged(named("needs-all", function)).findings
    assert found.status is Status.SKIPPED
    assert found.summary == "Title of needs-all: not examined"
    assert found.cause == "the database is locked", "said once, though two records lack for it"


def test_a_check_of_a_record_that_nobody_reads_is_an_error() -> None:
    def function(queue: Any, weather: Any) -> Finding:
        raise AssertionError("never called")

    (found,) = judged(named("bad", function)).findings
    assert found.status is Status.ERROR
    assert found.cause.startswith("test_check_runner.py line ")
    assert "there is no health record named 'weather', there are " in found.cause


def test_the_engine_signs_every_finding() -> None:
    def function(queue: Any) -> Finding:
        return Finding(status=Status.GREEN, summary="well", id="forged", area="forged", duration_ms=99)

    (found,) = judged(named("mine", function)).findings
    assert (found.id, found.area, found.duration_ms) == ("mine", "mine", 7.5)


def test_without_threads_the_checks_are_run_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    report = judged(named("first"), named("second"))
    assert {finding.id: finding.status for finding in report.findings} == {
        "first": Status.GREEN,
        "second": Status.GREEN,
    }

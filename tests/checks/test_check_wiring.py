"""Capture's wiring: what is sure to keep events away is orange, what may is yellow, each with what to do."""

import pytest

from blueplane_doctor.capture.hook_wiring import WiringFault
from blueplane_doctor.model import Status
from blueplane_doctor.monitoring.capture_wiring import CaptureWiring
from tests.checks.builders import run, wiring

PLACE = "Claude Code's settings.json"


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("not_used", "orange", "The editor does not use Claude Code's settings.json: it is not a text (hooks.Stop)"),
        ("may_be_skipped", "yellow", "The editor may skip Claude Code's settings.json: it is not a text"),
        ("hooks_disabled", "orange", "Hooks are switched off in Claude Code's settings.json"),
        ("managed_only", "orange", "Only managed hooks run"),
        ("command_missing", "orange", "The program of hooks.Stop in Claude Code's settings.json is gone"),
        ("command_not_executable", "orange", "may not be run"),
        ("command_not_on_path", "yellow", "is not on the PATH"),
        ("hooks_missing", "yellow", "tells the server of no session any more: it is not a text"),
        ("extension_missing", "orange", "is not there any more"),
        ("folder_not_found", "orange", "The server cannot find"),
        ("folder_elsewhere", "orange", "The server does not read Claude Code's settings.json: it is not a text"),
        ("versions_differ", "yellow", "has another version"),
    ],
)
def test_each_fault_has_its_colour_and_its_words(kind: str, status: str, words: str) -> None:
    fault = WiringFault(kind=kind, place=PLACE, entry="hooks.Stop", reason="it is not a text")
    finding = run("capture-wiring", wiring=wiring(fault))
    assert finding.status == status
    assert words in finding.summary


def test_a_command_of_somebody_else_that_is_gone_is_yellow() -> None:
    fault = WiringFault(kind="command_missing", place="the hooks of Cursor", entry="stop", ours=False)
    assert run("capture-wiring", wiring=wiring(fault)).status is Status.YELLOW


def test_all_faults_are_told_and_the_worst_first() -> None:
    doubt = WiringFault(kind="versions_differ", place="blueplane-hook", reason="version 2, and this is 1")
    broken = WiringFault(kind="not_used", place=PLACE, reason="it is not valid JSON")
    finding = run("capture-wiring", wiring=wiring(doubt, broken))
    expected = "The editor does not use Claude Code's settings.json: it is not valid JSON; blueplane-hook has "
    expected += "another version: version 2, and this is 1"
    assert (finding.status, finding.summary) == (Status.ORANGE, expected)
    assert finding.remedy is not None
    assert "strict JSON" in finding.remedy.text and "with the program that you use" in finding.remedy.text


def test_entries_of_one_file_are_told_together_and_there_is_a_bound() -> None:
    gone = [WiringFault(kind="command_missing", place=PLACE, entry=f"Hook{number}") for number in range(5)]
    summary = run("capture-wiring", wiring=wiring(*gone)).summary
    assert summary == f"The program of Hook0 and Hook1 and Hook2 and 2 more in {PLACE} is gone"
    many = [WiringFault(kind="not_used", place=f"file {number}", reason="no JSON") for number in range(10)]
    summary = run("capture-wiring", wiring=wiring(*many)).summary
    assert summary.count("the editor does not use", 1) == 7
    assert summary.endswith("; 2 more faults")


def test_sessions_that_cannot_be_read_are_unknown_where_claude_code_is_used() -> None:
    cause = "the telemetry database is damaged"
    record = wiring(open_sessions=None, unfindable_sessions=None, sessions_cause=cause)
    finding = run("capture-wiring", wiring=record)
    assert (finding.status, finding.cause) == (Status.UNKNOWN, cause)
    broken = WiringFault(kind="not_used", place=PLACE, reason="it is not valid JSON")
    record = wiring(broken, open_sessions=None, unfindable_sessions=None, sessions_cause=cause)
    assert run("capture-wiring", wiring=record).status is Status.ORANGE


def test_good_wiring_is_green_and_no_editor_is_not_judged() -> None:
    finding = run("capture-wiring", wiring=wiring())
    assert (finding.status, finding.observed) == (Status.GREEN, "wired")
    assert finding.summary.endswith("8 commands of hooks can be run")
    finding = run("capture-wiring", wiring=CaptureWiring())
    assert (finding.status, finding.observed) == (Status.GREEN, None)

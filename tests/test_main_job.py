"""The main job: what --wait says while it waits, and --fail-on never. tests/test_examine.py runs it from outside."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor import main_job
from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.main_job import Waiting
from blueplane_doctor.model import Finding, Report, Status
from blueplane_doctor.settings.values import Settings
from tests.cursor_files import write_workspace
from tests.doctor_command import DOCTOR
from tests.parameters import one_quick
from tests.reports import samples


class Terminal(io.StringIO):
    """A standard error that a person looks at."""

    def isatty(self) -> bool:
        return True


def report_of(*findings: Finding) -> Report:
    """A report with these findings alone."""
    return samples.mixed().model_copy(update={"findings": list(findings), "status": Status.RED})


def finding(check_id: str, status: Status) -> Finding:
    return Finding(id=check_id, area="queue", status=status, summary="…")


@pytest.fixture
def doctor() -> Doctor:
    return Doctor(Settings())


def test_a_person_is_told_at_once_what_is_waited_for(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    waiting = Waiting(doctor, 60)
    waiting.tell(report_of(finding("queue-depth", Status.RED), finding("wal-size", Status.YELLOW)), 58)
    assert terminal.getvalue() == "blueplane-doctor: red; waits at most 58 s more for queue-depth red\n"


def test_it_is_said_again_only_when_it_changes(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    waiting = Waiting(doctor, 60)
    for left in (58, 56, 54):
        waiting.tell(report_of(finding("queue-depth", Status.RED)), left)
    waiting.tell(report_of(finding("queue-depth", Status.ORANGE)), 52)
    assert terminal.getvalue().count("\n") == 2
    assert terminal.getvalue().endswith("waits at most 52 s more for queue-depth orange\n")


def test_a_log_is_told_only_of_a_wait_that_lasts(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    waiting = Waiting(doctor, 60)
    waiting.tell(report_of(finding("queue-depth", Status.RED)), 58)
    assert log.getvalue() == ""
    waiting.tell(report_of(finding("queue-depth", Status.RED)), 50)
    assert "waits at most 50 s more for queue-depth red" in log.getvalue()


def test_many_findings_are_counted(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    Waiting(doctor, 60).tell(report_of(*(finding(f"c{number}", Status.RED) for number in range(7))), 58)
    assert terminal.getvalue().endswith("c4 red and 2 more\n")


@pytest.mark.parametrize(("fail_on", "code"), [("red", 1), ("never", 0)])
def test_never_lets_no_finding_fail_the_run(fail_on: str, code: int) -> None:
    doctor = Doctor(Settings(fail_on=fail_on))  # type: ignore[arg-type]  # as a file gives it
    assert doctor.exit_code([finding("queue-depth", Status.RED)]) == code


def test_never_still_tells_what_could_not_be_judged() -> None:
    doctor = Doctor(Settings(fail_on="never"))
    assert doctor.exit_code([finding("queue-depth", Status.ERROR)]) == 3


@pytest.mark.parametrize("is_terminal", one_quick([True, False]), ids=["terminal", "pipe"])
def test_private_places_are_shown_on_a_terminal_alone(is_terminal: bool, tmp_path: Path) -> None:
    """What goes through a pipe ends in logs and tickets."""
    home = tmp_path / "of-a-person"
    home.mkdir()
    command = [*DOCTOR, "--home", str(home), "--redis-url", "redis://127.0.0.1:1", "--select", "server-alive"]
    ours, theirs = pty.openpty()
    try:
        stdout: int = theirs if is_terminal else subprocess.PIPE
        process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        piped, _ = process.communicate(timeout=60)
        text = os.read(ours, 65_536) if is_terminal else piped
    finally:
        os.close(theirs)
        os.close(ours)
    assert (b"of-a-person/server.log" in text) is is_terminal
    assert (b"tail -n 50 <home>/server.log" in text) is not is_terminal
    assert (b"<home> stands for what is private" in text) is not is_terminal


def test_reveal_names_projects_and_workspaces_on_a_terminal_alone(
    guarded_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (guarded_home / ".claude" / "projects" / "-home-me-app").mkdir(parents=True)
    write_workspace(guarded_home / ".config" / "Cursor" / "User", "aaa", {}, workspace="/home/me/my%20app")
    for stdout, expected in (
        (Terminal(), "project 1: -home-me-app\nworkspace 1: /home/me/my app\n"),
        (io.StringIO(), ""),
    ):
        monkeypatch.setattr(sys, "stdout", stdout)
        main_job._reveal_projects(Invocation())
        assert stdout.getvalue() == expected

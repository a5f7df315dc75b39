"""Real receivers: webhook, ntfy, mail and a command; slow, hanging, refusing and redirecting ones."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.model import Status
from blueplane_doctor.notifying import delivery
from blueplane_doctor.notifying.delivery import deliver
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.message import Sender, message_of
from blueplane_doctor.notifying.news import News
from blueplane_doctor.notifying.reasons import FOREIGN, NOT_INSTALLED, TOO_LATE
from blueplane_doctor.settings.notification_rules import NotifyRule
from tests.notifying.receivers import Web, mail, web

NEWS = News(Kind.OPENED, "poison-message", "poison-message", Status.RED, 0.0, sentence="40 messages are stuck.")
MESSAGE = message_of([NEWS], Status.RED, Sender("work-laptop"), 60.0)


def told(url: str, seconds: float = 20.0) -> str:
    return deliver(NotifyRule.model_validate(url), MESSAGE, seconds)


def test_a_webhook() -> None:
    with web() as server:
        assert told(f"json://user:pass@{server.place}/hook") == ""
    (request,) = server.requests
    document = request.document()
    assert request.path == "/hook"
    assert document["title"].endswith(" on work-laptop")
    assert document["message"] == "40 messages are stuck."
    assert document["type"] == "failure"


@pytest.mark.slow
def test_ntfy() -> None:
    with web() as server:
        assert told(f"ntfy://{server.place}/alerts") == ""
    document = server.requests[0].document()
    assert document["topic"] == "alerts"
    assert document["message"] == "40 messages are stuck."


@pytest.mark.slow
def test_mail() -> None:
    with mail() as server:
        assert told(f"mailto://127.0.0.1:{server.port}?from=doctor@example.org&to=me@example.org") == ""
        server.answer = "550 refused"
        assert told(f"mailto://127.0.0.1:{server.port}?from=doctor@example.org&to=me@example.org")
    assert len(server.messages) == 2, "the second was refused after it had come"
    assert "Subject: Blueplane RED since" in server.messages[0]
    assert "40 messages are stuck." in server.messages[0]


def refusing(server: Web) -> str:
    server.status = 403
    return "the service answered 403"


def redirecting(server: Web) -> str:
    server.status = 302
    server.location = f"http://{server.place}/elsewhere"
    return "it answers with a redirection, which is not followed"


def hanging(server: Web) -> str:
    server.hangs.set()
    return "it could not be reached, or did not answer in time"


@pytest.mark.slow
@pytest.mark.parametrize("behave", [refusing, redirecting, hanging])
def test_a_service_that_does_not_take_it(behave: object) -> None:
    with web() as server:
        reason = behave(server)  # type: ignore[operator]
        assert told(f"json://tok3n@{server.place}/hook?rto=1") == reason
        assert len(server.requests) == 1


@pytest.mark.slow
def test_a_library_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_SPARE_SECONDS", 0.0)
    with web() as server:
        server.hangs.set()
        assert told(f"json://{server.place}/?rto=600", 3.0) == TOO_LATE


@pytest.mark.slow
def test_nobody_there() -> None:
    assert told("json://127.0.0.1:9/") == "it could not be reached, or did not answer in time"


@pytest.mark.slow
def test_a_url_that_means_nothing() -> None:
    assert told("nosuch://s3cret/") == "apprise does not know this URL"


def test_what_was_delivered_while_the_recorder_was_stopped_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on long after its time is up; the process that it waited for has ended meanwhile."""
    told_to = tmp_path / "told"
    rule = NotifyRule.model_validate({"command": ["sh", "-c", f"cat > '{told_to}'"]})
    communicate = subprocess.Popen.communicate
    calls = []

    def late(process: Any, text: bytes | None = None, timeout: float | None = None) -> Any:
        calls.append(timeout)
        result = communicate(process, text, 60)
        if len(calls) == 1:
            raise subprocess.TimeoutExpired("sh", 1)
        return result

    monkeypatch.setattr(subprocess.Popen, "communicate", late)
    assert deliver(rule, MESSAGE) == ""
    assert json.loads(told_to.read_text())["title"] == MESSAGE.title


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "find_spec", lambda name: None)
    assert told("json://127.0.0.1:9/") == NOT_INSTALLED


def program(folder: Path, text: str) -> NotifyRule:
    """A command that is this Python program."""
    file = folder / "told.py"
    file.write_text(text)
    return NotifyRule(command=[sys.executable, str(file)])


def test_a_command_gets_json(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    rule = program(tmp_path, f"import sys\nopen({str(out)!r}, 'w').write(sys.stdin.read())\n")
    assert deliver(rule, MESSAGE) == ""
    document = json.loads(out.read_text())
    assert document == MESSAGE.as_document()


def test_a_command_does_not_learn_the_other_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUEPLANE_DOCTOR_NOTIFY", "ntfy://s3cret/x")
    code = "import os, sys\nsys.exit(3 if 'BLUEPLANE_DOCTOR_NOTIFY' in os.environ else 0)\n"
    assert deliver(program(tmp_path, code), MESSAGE) == ""


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(7)", "it ended with exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "it ended with exit code -9"),
    ],
)
def test_a_command_that_fails(tmp_path: Path, code: str, reason: str) -> None:
    assert deliver(program(tmp_path, code), MESSAGE) == reason


def test_a_command_that_is_not_there() -> None:
    rule = NotifyRule(command=["/nonexistent/s3cret"])
    assert deliver(rule, MESSAGE) == "it cannot be started: No such file or directory"


def test_a_command_that_others_may_change_is_not_run(tmp_path: Path) -> None:
    tell = tmp_path / "tell"
    tell.write_text("#!/bin/sh\n")
    tell.chmod(0o755)
    assert deliver(NotifyRule(command=[str(tell)]), MESSAGE) == ""
    tell.chmod(0o777)
    assert deliver(NotifyRule(command=[str(tell)]), MESSAGE) == FOREIGN


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_command_that_no_system_can_start(name: str) -> None:
    assert deliver(NotifyRule(command=[name]), MESSAGE) == "it cannot be started: Invalid argument"


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    assert deliver(program(tmp_path, code), MESSAGE, 3.0) == TOO_LATE
    pid = int((tmp_path / "pid").read_text())
    while is_running(pid):
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

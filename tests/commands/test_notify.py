"""`notify`: the targets tried, the test message shown, and what was told."""

import json
import time
from pathlib import Path

import pytest

from blueplane_doctor.commands.notify import _shown_title
from blueplane_doctor.model import Status
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.message import Sender, message_of
from blueplane_doctor.notifying.news import News
from blueplane_doctor.notifying.state import Attempt, State, write_state
from blueplane_doctor.notifying.state_file import STATE_FILE
from tests.doctor_command import Ended, assert_refused, doctor
from tests.notifying.receivers import web

SECRET = "s3cret-t0ken"


def notify(home: Path, *words: str) -> Ended:
    return doctor("--home", home, "notify", *words)


def settings(home: Path, text: str) -> None:
    file = home / "doctor.yaml"
    file.write_text(text)
    file.chmod(0o600)


def test_dry_run_shows_the_message_and_no_secret(tmp_path: Path) -> None:
    settings(
        tmp_path,
        f"notify:\n- url: ntfy://{SECRET}@h/t\n- {{command: [tell, me], from: red}}\nmachine_name: work-laptop\n",
    )
    ended = notify(tmp_path, "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("Blueplane test on work-laptop\n\nThis is a test")
    assert "would go to ntfy 1, from orange\n" in ended.stdout
    assert "would go to command 2, from red\n" in ended.stdout
    document = json.loads(ended.stdout[ended.stdout.index("{") :])
    assert document["kinds"] == ["test"]
    assert SECRET not in ended.stdout + ended.stderr


def test_test_sends_one_to_every_target(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    settings(tmp_path, f"notify:\n- command: [tee, {out}]\n- command: ['false']\n")
    ended = notify(tmp_path, "--test")
    assert ended.returncode == 1
    assert ended.stdout == "command 1: delivered\ncommand 2: it ended with exit code 1\n"
    assert json.loads(out.read_text())["title"] == "Blueplane test"


@pytest.mark.slow
def test_a_target_of_the_command_line(tmp_path: Path) -> None:
    with web() as server:
        ended = notify(tmp_path, "--test", "--notify", f"json://{SECRET}@{server.place}/hook")
    assert (ended.returncode, ended.stdout) == (0, "json 1: delivered\n"), ended.stderr
    assert server.requests[0].document()["title"] == "Blueplane test"
    assert SECRET not in ended.stdout + ended.stderr


def test_nobody_to_tell(tmp_path: Path) -> None:
    assert_refused(notify(tmp_path, "--test"), 2, "the settings name nobody to tell", "docs/NOTIFY.md")


def test_what_was_told(tmp_path: Path) -> None:
    attempts = []
    for reason in ("", "the service answered 500"):
        attempts.append(
            Attempt(
                at=time.time(),
                target="ntfy 1",
                kinds=(Kind.OPENED,),
                status=Status.RED,
                causes=("server-down",),
                title="Blueplane RED since 22:06",
                reason=reason,
            )
        )
    write_state(tmp_path, State(attempts=tuple(attempts)))
    ended = notify(tmp_path)
    assert ended.returncode == 0, ended.stderr
    _, _, first, second = ended.stdout.splitlines()
    assert first.endswith("ntfy 1    Blueplane RED since 22:06  delivered")
    assert second.endswith("the service answered 500")


@pytest.mark.parametrize(
    "text", ["sk_live_s3cret", "\x1b]52;c;QQ\x07", "Blueplane RED since\n::error::x", "ASIAS3CRET99"]
)
def test_text_that_others_wrote_into_the_state_is_not_shown(tmp_path: Path, text: str) -> None:
    attempt = Attempt(
        at=1.0, target=text, kinds=(Kind.OPENED,), status=Status.RED, causes=(text,), title=text, reason=text
    )
    write_state(tmp_path, State(attempts=(attempt,)))
    ended = notify(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert text not in ended.stdout
    assert ended.stdout.count("<hidden-") == 2
    assert ended.stdout.rstrip().endswith("for a reason that is not shown")


def test_titles_of_messages_are_shown() -> None:
    for status, kind in ((Status.RED, Kind.OPENED), (Status.ORANGE, Kind.OVER), (Status.GREEN, Kind.OVER)):
        for seconds in (0.4, 59.0, 7_500.0, 2e6):
            for lost in (None, 1_200):
                news = News(kind, "own", "own", status, 10.0, until=10.0 + seconds, lost=lost)
                message = message_of([news, news], status, Sender("work-laptop: 1_a"), 60.0)
                assert _shown_title(message.title, "work-laptop: 1_a") == message.title
    assert "b0x_7" not in _shown_title("Blueplane test on b0x_7", "work-laptop")


def test_nothing_was_told(tmp_path: Path) -> None:
    ended = notify(tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "nobody was told anything yet" in ended.stderr


def test_a_broken_state(tmp_path: Path) -> None:
    (tmp_path / STATE_FILE).write_text("{")
    assert_refused(notify(tmp_path), 3, "is no state of notifications")

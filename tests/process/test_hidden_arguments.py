"""No address of a target stands in the process list."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.errors import ExitCode
from blueplane_doctor.process.hidden_arguments import take_or_hide, without_secrets

SECRET = "ntfy://s3cret@host/topic"


@pytest.mark.parametrize(
    ("arguments", "masked"),
    [
        ([], []),
        (["record", "--once"], ["record", "--once"]),
        (["record", "--notify", SECRET, "--once"], ["record", "--notify", "***", "--once"]),
        (["record", f"--notify={SECRET}"], ["record", "--notify=***"]),
        (["--notify", SECRET, "serve", "--notify", SECRET], ["--notify", "***", "serve", "--notify", "***"]),
        (["instrument", "--", "x", "--notify", "y"], ["instrument", "--", "x", "--notify", "y"]),
        (["record", "--notify"], ["record", "--notify"]),
        (["--redis-url", "redis://me:s3cret@h", "record"], ["--redis-url", "***", "record"]),
        (["--history-url=unix:///s?password=s3cret"], ["--history-url=***"]),
        (["--redis-url", "redis://h:1/0", "-v"], ["--redis-url", "redis://h:1/0", "-v"]),
        (["record", "--notify", "--notify", SECRET], ["record", "--notify", "***", "***"]),
    ],
)
def test_without_secrets(arguments: list[str], masked: list[str]) -> None:
    assert without_secrets(arguments) == masked


PROGRAM = """
import sys, time
from blueplane_doctor.process.hidden_arguments import take_or_hide
take_or_hide()
print(sys.argv[1:], flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads the command line as ps does")
def test_the_command_line_and_the_environment_hide_it(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    words = ["record", "--notify", SECRET, f"--notify={SECRET}", "--redis-url", "redis://:s3cret@h", "--once"]
    with subprocess.Popen(
        [sys.executable, str(file), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(words)
        for name in ("cmdline", "environ"):
            assert b"s3cret" not in Path(f"/proc/{process.pid}/{name}").read_bytes()
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0


def test_the_stand_alone_executable_refuses_what_it_cannot_hide(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "argv", ["blueplane-doctor", "record", "--notify", SECRET])
    with pytest.raises(SystemExit) as ended:
        take_or_hide()
    assert ended.value.code == ExitCode.USAGE
    message = capsys.readouterr().err
    assert "BLUEPLANE_DOCTOR_NOTIFY" in message
    assert "s3cret" not in message


def test_the_command_takes_the_true_arguments(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "blueplane_doctor", "--home", str(tmp_path), "notify", "--dry-run", "--notify", SECRET],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert "would go to ntfy 1" in ended.stdout
    assert "s3cret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("number", ["99999999999999999999", "4000", "-1", "x", "\u00b2", "\u0663"])
def test_a_number_that_is_no_pipe_of_ours_changes_nothing(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    monkeypatch.setenv("BLUEPLANE_DOCTOR_ARGUMENTS_FD", number)
    before = list(sys.argv)
    take_or_hide()
    assert sys.argv == before


def test_another_programs_pipe_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setenv("BLUEPLANE_DOCTOR_ARGUMENTS_FD", str(reading))
    before = list(sys.argv)
    take_or_hide()
    assert sys.argv == before
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("content", [b"5", b'{"a": 1}', b"[1]", b"garbage", b""])
def test_what_is_handed_over_is_a_list_of_words_or_nothing(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    monkeypatch.setenv("BLUEPLANE_DOCTOR_ARGUMENTS_FD", str(reading))
    before = list(sys.argv)
    take_or_hide()
    assert sys.argv == before


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "<&-"])
def test_the_pipe_takes_the_place_of_no_stream_that_was_closed(tmp_path: Path, closed: str) -> None:
    command = [sys.executable, "-m", "blueplane_doctor", "notify", "--test", "--notify", "json://127.0.0.1:1/"]
    ended = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *command],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (ExitCode.FINDINGS, "")

"""What goes where: the document to stdout or a file, everything else to stderr; files whole or not at all."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.errors import UsageError
from blueplane_doctor.text import console
from tests.doctor_command import DOCTOR


class Terminal(io.StringIO):
    """A stream that a person looks at, or types into."""

    def isatty(self) -> bool:
        return True


def test_documents_and_messages_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    console.show("document\n")
    console.show_json({"ä": 1})
    console.complain("wrong", "this instead")
    out, err = capsys.readouterr()
    assert out == 'document\n{\n  "ä": 1\n}\n'
    assert err == "blueplane-doctor: wrong\n  try: this instead\n"


def test_a_message_without_a_hint_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    console.complain("wrong")
    assert capsys.readouterr().err == "blueplane-doctor: wrong\n"


def test_a_standard_error_that_is_gone_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    console.say("nobody reads this")


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("yo\n", False)]
)
def test_only_yes_is_yes(
    answer: str, agreed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert console.confirmed("Do it?") is agreed
    assert capsys.readouterr() == ("", "Do it? [y/N]\n")


@pytest.mark.parametrize("stdin", [io.StringIO("y\n"), None], ids=["a pipe", "closed"])
def test_a_pipe_agrees_to_nothing(stdin: io.StringIO | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(UsageError) as caught:
        console.confirmed("Do it?")
    assert "--yes" in caught.value.hint


def test_progress_is_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with console.progress() as tell:
        assert tell is None


def test_progress_waits_a_second_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(console.time, "monotonic", lambda: now)
    with console.progress() as tell:
        assert tell is not None
        now += 0.9
        tell(10, 5_000)
        assert terminal.getvalue() == "", "a short run shows nothing"
        now += 0.5
        tell(1_200, 5_000)
        tell(1_300, 5_000)  # in the same moment: not shown again
        now += 0.5
        tell(6_000, 5_000)  # the stream has grown meanwhile
    shown = terminal.getvalue()
    assert "1,200 of 5,000 messages read" in shown
    assert "1,300" not in shown
    assert "6,000 of 6,000 messages read" in shown
    assert shown.endswith("\r\x1b[K"), "the line is cleared"


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o640)])
def test_a_file_has_the_mode_that_the_umask_lets(private: bool, mode: int, tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        console.write_file(tmp_path / "a.json", "ä", private=private)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == mode
    assert (tmp_path / "a.json").read_bytes() == "ä".encode()


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")

    def refuse(source: str, destination: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(console.os, "replace", refuse)
    with pytest.raises(UsageError) as caught:
        console.write_file(target, "new")
    assert caught.value.message == f"{target} cannot be written: No space left on device"
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_document_goes_to_the_named_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console.show_or_write("text", tmp_path / "out")
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "out").read_text() == "text"
    console.show_or_write("text", None)
    assert capsys.readouterr().out == "text"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux' own")
@pytest.mark.parametrize("words", ["schema report", "--version", "--help", "trace --help"])
def test_a_full_standard_output_is_told_and_is_no_internal_error(words: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*DOCTOR, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("blueplane-doctor: the output cannot be written: No space left on device\n")
    assert "Exception ignored" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux' own")
def test_a_usage_error_that_cannot_be_written_keeps_its_exit_code() -> None:
    with open("/dev/full", "w") as full:
        assert subprocess.run([*DOCTOR, "nonsense"], stderr=full, timeout=60, check=False).returncode == 2


@pytest.mark.parametrize(("closed", "open_one"), [(">&-", "stderr"), ("2>&-", "stdout")])
def test_a_closed_stream_changes_nothing_but_what_is_seen(closed: str, open_one: str) -> None:
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *DOCTOR, "schema", "report"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) is (open_one == "stdout")


def test_a_reader_that_takes_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as out, os.fdopen(writing, "w") as into:
        monkeypatch.setattr(sys, "stderr", into)
        for _ in range(3_000):  # far more than a pipe holds
            console.say_if_read("x" * 100)
        os.set_blocking(out.fileno(), False)
        assert out.read(10) == b"x" * 10


def test_a_closed_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, "w") as closed:
        pass
    monkeypatch.setattr(sys, "stderr", closed)
    console.say_if_read("text")

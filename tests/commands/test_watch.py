"""`watch` as a real process: on a terminal, into a pipe, ended by keys and signals, Redis going and coming back."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from tests.parameters import one_quick
from tests.waiting import PATIENCE_SECONDS

DOCTOR = (sys.executable, "-m", "blueplane_doctor")
NOBODY = ("--redis-url", "redis://127.0.0.1:1/0")


def watch(*options: str, rounds: int, every: str = "0.2s") -> "subprocess.CompletedProcess[str]":
    command = [*DOCTOR, *options, "watch", "--every", every, "--rounds", str(rounds)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_without_a_terminal_each_round_is_a_line_of_json(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(7)
    ended = watch("--home", str(pipeline.home), "--redis-url", pipeline.redis_url, "--select", "queue", rounds=3)
    rounds = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (ended.returncode, ended.stderr) == (rounds[-1]["exit_code"], "")
    assert [one["round"] for one in rounds] == [1, 2, 3]
    fields = {"round", "generated_at", "status", "since", "causes", "opened", "over", "exit_code", "counts", "changed"}
    fields |= {"unread", "metrics", "since_bound"}
    assert all(set(one) == fields for one in rounds)
    assert [one["metrics"]["queue.queue_depth"] for one in rounds] == [7, 7, 7]
    assert [one["changed"] for one in rounds] == [[], [], []]


@pytest.mark.slow
def test_it_ends_with_the_code_of_the_last_round() -> None:
    ended = watch(*NOBODY, "--select", "redis-reachable", rounds=1)
    assert (ended.returncode, json.loads(ended.stdout)["status"]) == (1, "red")


@pytest.mark.parametrize("every", one_quick(["0s", "0.1s", "soon"]))
def test_looking_too_often_is_refused(every: str) -> None:
    ended = watch(*NOBODY, rounds=1, every=every)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"--every {every}" in ended.stderr


@contextlib.contextmanager
def watching(*options: str) -> Iterator["subprocess.Popen[str]"]:
    """A watcher that writes into a pipe; killed afterwards if it has not ended."""
    command = [*DOCTOR, *options, "watch", "--every", "0.2s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        guard = threading.Timer(60, process.kill)  # a line that never comes must not hold the test up
        guard.start()
        try:
            yield process
        finally:
            guard.cancel()
            process.kill()


def next_round(process: "subprocess.Popen[str]") -> dict[str, object]:
    lines: IO[str] | None = process.stdout
    assert lines is not None
    read: dict[str, object] = json.loads(lines.readline())
    return read


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signals_end_it_between_whole_lines(number: int, code: int) -> None:
    with watching(*NOBODY, "--select", "redis-reachable") as process:
        next_round(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert (process.returncode, err) == (code, "")
        assert all(json.loads(line) for line in out.splitlines())


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_failure() -> None:
    with watching(*NOBODY, "--select", "redis-reachable") as process:
        next_round(process)
        assert process.stdout
        process.stdout.close()
        assert process.wait(PATIENCE_SECONDS) == 0
        assert process.stderr
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_it_goes_on_when_redis_goes_away_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "server.log").touch()  # an empty Redis beside an empty home is no pipeline at all
    options = ("--home", str(tmp_path), "--select", "redis-reachable,queue")
    with contextlib.ExitStack() as stack:
        with run_server(tcp=True) as server:
            process = stack.enter_context(watching(*options, "--redis-url", server.url))
            assert "redis" not in next_round(process)["unread"]  # type: ignore[operator]
        wait_for(process, "new")
        port = server.url.rpartition(":")[2].partition("/")[0]
        with run_server(arguments=("--port", port, "--bind", "127.0.0.1")):
            wait_for(process, "fixed")


def wait_for(process: "subprocess.Popen[str]", change: str) -> None:
    """Read rounds until Redis' own check changed in this way."""
    for _ in range(100):
        changed = next_round(process)["changed"]
        if any(one["id"] == "redis-reachable" and one["change"] == change for one in changed):  # type: ignore[attr-defined]
            return
    raise AssertionError(f"redis-reachable never was {change}")


class Terminal:
    """A pseudo-terminal of 120 × 30 with a watcher on it."""

    def __init__(self, *options: str, **variables: str) -> None:
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        self.shown = b""
        self.process = subprocess.Popen(
            [*DOCTOR, *NOBODY, "--select", "redis-reachable", "watch", "--every", "0.2s", *options],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env=os.environ | {"TERM": "xterm-256color"} | variables,
            preexec_fn=_control_terminal,
        )
        self.guard = threading.Timer(60, self.process.kill)
        self.guard.start()

    def read_until(self, words: bytes) -> None:
        while words not in self.shown:
            assert self.process.poll() is None, self.shown
            self.shown += os.read(self.ours, 65_536)

    def type(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def ended(self) -> int:
        """The exit code, after everything was read."""
        while self.process.poll() is None or _readable(self.ours):
            if _readable(self.ours):
                self.shown += os.read(self.ours, 65_536)
        return self.process.returncode

    def close(self) -> None:
        self.guard.cancel()
        self.process.kill()
        self.process.wait()
        os.close(self.theirs)
        os.close(self.ours)


def _control_terminal() -> None:
    """Make it the terminal of a session of its own, so that Ctrl-C becomes SIGINT as it does for a person."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _readable(number: int) -> bool:
    import select

    return bool(select.select([number], [], [], 0.05)[0])


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def end_by_signal(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGTERM)


ENDS = {
    "q": (lambda terminal: terminal.type(b"xq"), 0),
    "Ctrl-C": (lambda terminal: terminal.type(b"\x03"), 130),
    "SIGTERM": (end_by_signal, 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", ENDS)
def test_the_terminal_is_left_as_it_was_found(terminal: Terminal, how: str) -> None:
    end, code = ENDS[how]
    terminal.read_until(b"round 2")
    assert b"\x1b[?1049h" in terminal.shown
    assert b"\x1b[?25l" in terminal.shown
    assert b" RED " in terminal.shown
    end(terminal)
    assert terminal.ended() == code
    last = terminal.shown[terminal.shown.rindex(b"round") :]
    assert b"\x1b[?1049l" in last
    assert b"\x1b[?25h" in last
    assert b"\x1b[?25l" not in last
    left = last[last.index(b"\x1b[?1049l") :]
    assert b" RED " in left, "the last verdict stays on the screen"
    assert b"redis-reachable" in left
    assert b"\x1b[?1049h" not in left
    assert termios.tcgetattr(terminal.theirs) == terminal.before


@pytest.mark.slow
def test_ctrl_z_does_not_leave_the_screen_behind(terminal: Terminal) -> None:
    terminal.read_until(b"round 1")
    terminal.type(b"\x1a")
    terminal.read_until(b"round 3")
    terminal.type(b"q")
    assert terminal.ended() == 0


@pytest.mark.slow
def test_a_terminal_that_cannot_move_its_cursor_gets_lines() -> None:
    terminal = Terminal("--rounds", "1", TERM="dumb")
    try:
        assert terminal.ended() == 1
        assert json.loads(terminal.shown)["status"] == "red"
    finally:
        terminal.close()


def test_rich_is_loaded_only_to_watch() -> None:
    program = (
        "import sys; from blueplane_doctor.cli import app; app(['--version'], standalone_mode=False);"
        "assert not {m for m in sys.modules if m.startswith(('rich', 'blueplane_doctor.watching'))}"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)

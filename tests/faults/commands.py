"""The commands of the matrix, each run as a process, and what a run left."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.stage import TIMEOUT_SECONDS, Stage
from tests.preloaded import preloaded_doctor, session_of_runs
from tests.truth.redis_process import NOBODY
from tests.waiting import PATIENCE_SECONDS

_DOCTOR = [sys.executable, "-m", "blueplane_doctor"]
_NOT_JUDGED = "the first examination has not ended yet"
_BUSY_MACHINE_SECONDS = 5.0
"""Beside the time limit, where others use the processors."""
_PAGES = ("/", "/metrics", "/api/v1/health/queue", "/api/v1/health/database")
_SERVED = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True)
class Run:
    """One run of a command, ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    left: tuple[str, ...] = ()
    """What it left behind: processes, and files in its temporary folder."""

    @property
    def text(self) -> str:
        return self.stdout + self.stderr


@dataclass(frozen=True)
class Command:
    """One command of the doctor."""

    name: str
    arguments: Callable[[Stage], list[str]]
    """The whole command line."""
    codes: tuple[int, ...]
    """The documented exit codes that it may have."""
    writes: tuple[str, ...] = ()
    """Keys of Redis and files of the home, by their beginning, that it is there to write."""
    extra_seconds: float = 0.0
    """Beside `--timeout`, what it was told to wait."""
    examines: bool = False
    """Whether its output has to name the cause of what is wrong with the pipeline."""
    given: str | None = None
    """What it reads from stdin."""
    makes: tuple[str, ...] = ()
    """Ends of names of files that it is there to make where there is none."""


def _doctor(*words: str) -> Callable[[Stage], list[str]]:
    """The doctor with these words, on the stage's pipeline. `{message}`, `{report}` and the like are filled in."""

    def arguments(stage: Stage) -> list[str]:
        filled = [_filled(word, stage) for word in words]
        return [*_DOCTOR, "--home", str(stage.home), "--redis-url", stage.redis_url, *filled]

    return arguments


def _filled(word: str, stage: Stage) -> str:
    if word in ("{report}", "{evidence}"):
        return str(stage.input(word.strip("{}")))
    if word == "{message}":
        return stage.message
    return word.replace("{scratch}", str(stage.scratch))


def _convert(stage: Stage) -> list[str]:
    return [*_DOCTOR, "convert", str(stage.input("report")), "--format", "html"]


def _hook(stage: Stage) -> list[str]:
    hook = [sys.executable, "-m", "blueplane_hook", "beforeSubmitPrompt"]
    return [*hook, "--server", stage.receiver.url, "--home", str(stage.home)]


def _pytest(stage: Stage) -> list[str]:
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(stage.scratch), "--blueplane"]
    options += [f"--blueplane-home={stage.home}", f"--blueplane-redis-url={stage.redis_url}"]
    return [sys.executable, "-m", "pytest", *options]


_PYTEST_STARTS_SECONDS = 2.0
"""Pytest itself, before and after the examination."""
_APPRISE_STARTS_SECONDS = 2.0
"""The process that sends a message."""
EXAMINED = (0, 1, 3)
_HISTORY = "key blueplane:health:"
_OWN_FILES = ("doctor-", "blueplane_doctor", ".cursor", "install", "hook")
COMMANDS = {
    command.name: command
    for command in (
        Command("examine", _doctor("--format", "json"), EXAMINED, examines=True),
        Command("trace", _doctor("trace", "{message}", "--format", "json"), (0, 1, 2, 3)),
        Command("dlq", _doctor("dlq", "list"), (0, 1, 3)),
        Command("watch", _doctor("watch", "--rounds", "1", "--format", "json"), EXAMINED),
        Command("record", _doctor("record", "--once"), (0, 1, 3), writes=(_HISTORY,)),
        Command("history", _doctor("history", "queue.queue_depth"), (0, 1, 3)),
        Command("status", _doctor("history", "--status"), (0, 1, 3)),
        Command("told", _doctor("notify"), (0, 3)),
        Command("repair", _doctor("repair"), (0, 1, 3), writes=("repair",)),
        Command(
            "notify",
            _doctor("notify", "--test", "--notify", f"json://127.0.0.1:{NOBODY}/"),
            (0, 1),
            extra_seconds=_APPRISE_STARTS_SECONDS,
        ),
        Command("serve", _doctor("serve", "--port", "0"), (0,), examines=True),
        Command(
            "instrument",
            _doctor("instrument", "--", sys.executable, "-c", "print('done')"),
            (0,),
            writes=(_HISTORY,),
        ),
        Command(
            "probe",
            _doctor("probe", "--yes", "--wait", "1s"),
            (0, 1, 3),
            writes=("key telemetry:message_queue",),
            extra_seconds=1,
        ),
        Command(
            "install",
            _doctor("install", "--yes", "--only", "redis", "--only", "database", "--only", "hooks"),
            (0, 1, 3),
            writes=_OWN_FILES,
            makes=("telemetry.db",),
        ),
        Command(
            "hook",
            _hook,
            (0,),
            writes=("hook", "key telemetry:message_queue"),
            given='{"prompt": "private", "conversation_id": "c"}',
        ),
        Command("support", _doctor("support", "-o", "{scratch}/bundle.zip"), (0,)),
        Command(
            "evidence", _doctor("--save-evidence", "{scratch}/kept.json", "--format", "json"), EXAMINED, examines=True
        ),
        Command("judge", _doctor("--from-evidence", "{evidence}", "--format", "json"), EXAMINED),
        Command("convert", _convert, (0,)),
        Command("pytest", _pytest, (0, 1), extra_seconds=_PYTEST_STARTS_SECONDS, examines=True),
    )
}
_STARTED = ("serve", "instrument")
"""Commands that are always started: one is ended by a signal, and both import half of the world."""
_MADE = ("bundle.zip", "kept.json")
"""Files of the scratch folder that a command was told to write."""


def run(command: Command, stage: Stage) -> Run:
    """Run it to its end."""
    arguments = command.arguments(stage)
    is_forked = _may_be_forked(command, stage)
    if is_forked:
        arguments = [*preloaded_doctor(), *arguments[len(_DOCTOR) :]]
    began = time.monotonic()
    process = _started(arguments, stage)
    if stage.meanwhile is not None:
        stage.meanwhile(process.pid)
    if command.name == "serve":
        stdout, stderr, seconds = _serve(process)
    else:
        stdout, stderr = _to_its_end(process, command.given)
        seconds = time.monotonic() - began
    session = process.pid
    if is_forked:
        session = session_of_runs()
    return Run(process.returncode, stdout, stderr, seconds, tuple(_left(session, stage.scratch)))


def _may_be_forked(command: Command, stage: Stage) -> bool:
    """Whether nothing of the fault concerns the process itself: then its start need not be paid for."""
    is_of_process = stage.launcher or stage.meanwhile or stage.stdout is not None or stage.variables or stage.without
    is_doctor = command.arguments(stage)[: len(_DOCTOR)] == _DOCTOR
    return is_doctor and command.name not in _STARTED and not is_of_process


def _started(arguments: list[str], stage: Stage) -> "subprocess.Popen[str]":
    stdout = stage.stdout
    if stdout is None:
        stdout = subprocess.PIPE
    return subprocess.Popen(
        [*stage.launcher, *arguments],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=stage.scratch,
        env=stage.environment(),
        start_new_session=True,
    )


def _to_its_end(process: "subprocess.Popen[str]", given: str | None) -> tuple[str, str]:
    try:
        stdout, stderr = process.communicate(given, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:  # it has failed long before
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
    return stdout or "", stderr


@dataclass(frozen=True)
class Served:
    """A running service."""

    process: "subprocess.Popen[str]"
    port: int

    def get(self, path: str) -> str:
        """Code and body of an answer."""
        return _get(f"http://127.0.0.1:{self.port}{path}")


@contextlib.contextmanager
def served(arguments: list[str], stage: Stage) -> Iterator[Served]:
    """The service until the block ends; it must then end well."""
    process = _started(arguments, stage)
    address, before = _address(process)
    assert address, before
    try:
        yield Served(process, int(address.rpartition(":")[2]))
    finally:
        process.terminate()
        _, stderr = _to_its_end(process, None)
    assert (process.returncode, stderr) == (0, ""), (process.returncode, stderr)


def _address(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Where the service listens, empty if it ended before; and what it wrote."""
    assert process.stderr is not None
    written = ""
    while line := process.stderr.readline():
        written += line
        match = _SERVED.search(line)
        if match:
            return match.group(1), written
    return "", written


def _serve(process: "subprocess.Popen[str]") -> tuple[str, str, float]:
    """Wait for the service, ask for the verdict until there is one, and end it. Its seconds are those of the end."""
    address, before = _address(process)
    answers = ""
    if address:
        answers = _verdict(address)
    ended = time.monotonic()
    process.terminate()
    stdout, stderr = _to_its_end(process, None)
    return stdout + answers, before + stderr, time.monotonic() - ended


def _verdict(address: str) -> str:
    """The first whole report that the service gives; it has to come soon after the time limit."""
    deadline = time.monotonic() + 2 * TIMEOUT_SECONDS + _BUSY_MACHINE_SECONDS
    health = "no verdict came\n"
    while time.monotonic() < deadline:
        health = _get(f"{address}/api/v1/health")
        # The page shows the whole report: until one is there it is answered with 503.
        is_judged = '"measured_at":"' in health and _NOT_JUDGED not in health
        if is_judged and _get(f"{address}/").startswith("200"):
            break
        time.sleep(TIMEOUT_SECONDS / 40)
    return health + "".join(_get(address + path) for path in _PAGES)


def _get(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PATIENCE_SECONDS) as answer:
            return f"{answer.status} {answer.read().decode()}\n"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read().decode()}\n"
    except OSError as error:
        return f"{type(error).__name__}\n"


def _left(session: int, scratch: Path) -> list[str]:
    """Processes of the run's session, and files in its folder."""
    left = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.pid != session:
                left.append(f"process {process.name()}")
        except (psutil.Error, OSError):
            continue
    for path in sorted(scratch.rglob("*")):
        is_cache = "__pycache__" in path.parts
        if path.name not in _MADE and not is_cache:
            left.append(f"file {path.name}")
    return left

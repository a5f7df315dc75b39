"""Faults of what surrounds a run: output that nobody takes, signals, limits, variables, clocks, disks without room."""

import contextlib
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.registry import Apply, Fault, add
from tests.faults.stage import Stage
from tests.installing.test_small_disk import LAUNCHERS, may_mount

_PRINTING = (
    *("examine", "trace", "dlq", "watch", "history", "status"),
    *("convert", "judge", "support", "record", "repair", "notify"),
)
_ALL = (*_PRINTING, "install", "instrument", "hook", "probe", "serve", "pytest")
_SOME = ("examine", "trace", "dlq", "record", "history", "support", "install", "hook", "repair", "notify")


def _through(script: str) -> Apply:
    """The command is started by a shell: `"$@"` is the command."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        stage.launcher = ["sh", "-c", script, "sh"]
        yield

    return apply


def _with(*without: str, **variables: str) -> Apply:
    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        stage.without = list(without)
        stage.variables = variables
        yield

    return apply


@contextlib.contextmanager
def _full(stage: Stage) -> Iterator[None]:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    stage.stdout = descriptor
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _nobody_reads(stage: Stage) -> Iterator[None]:
    reading, writing = os.pipe()
    os.close(reading)
    stage.stdout = writing
    try:
        yield
    finally:
        os.close(writing)


OUTPUT: dict[str, Apply] = {
    "stdout-closed": _through('exec "$@" >&-'),
    "stdout-full": _full,
    "stdout-nobody-reads": _nobody_reads,
}
for _name, _apply in OUTPUT.items():
    add(Fault(_name, "surroundings", _apply, (*_PRINTING, "install", "probe"), codes=(1, 2, 3, 141), silent=True))
add(Fault("stdin-closed", "surroundings", _through('exec "$@" <&-'), _SOME))
add(Fault("stderr-closed", "surroundings", _through('exec "$@" 2>&-'), _SOME))

# Signals


def _signalled(number: signal.Signals, seconds: float) -> Apply:
    """The signal comes so long after the start. There is nothing to wait for: any moment has to be right."""

    def send(pid: int) -> None:
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        stage.meanwhile = send
        yield

    return apply


_ENDED_BY: dict[signal.Signals, tuple[int, ...]] = {
    signal.SIGINT: (0, 130, -signal.SIGINT),
    signal.SIGTERM: (0, 143, -signal.SIGTERM),
    signal.SIGHUP: (0, 129, -signal.SIGHUP),
}
MOMENTS = (0.03, 0.15, 0.4)
# Until pytest has loaded our plugin an interrupt is pytest's own; tests/pytest_plugin/ begins there.
_OURS = tuple(command for command in _ALL if command != "pytest")
for _number, _codes in _ENDED_BY.items():
    for _seconds in MOMENTS:
        _fault = Fault(
            f"{_number.name.lower()}-after-{_seconds * 1000:.0f}-ms",
            "surroundings",
            _signalled(_number, _seconds),
            _OURS if _number is signal.SIGINT else ("examine", "record", "support", "install", "serve"),
            codes=(*_codes, 2),
            silent=True,
        )
        add(_fault)

# Limits, variables

LIMITS = {
    "nofile-32": 'ulimit -n 32; exec "$@"',
    "file-size-0": 'ulimit -f 0; exec "$@"',
    "no-core-small-stack": 'ulimit -c 0; ulimit -s 1024; exec "$@"',
    "umask-777": 'umask 777; exec "$@"',
    "umask-000": 'umask 000; exec "$@"',
    "folder-removed": 'mkdir gone && cd gone && rmdir ../gone && exec "$@"',
    "hangup-ignored": 'trap "" HUP INT TERM; exec "$@"',
}
_WITHOUT_FILES = ("file-size-0", "umask-777")
for _name, _script in LIMITS.items():
    _codes = (1, 2, 3) if _name in _WITHOUT_FILES else ()
    add(Fault(_name, "surroundings", _through(_script), (*_SOME, "evidence"), codes=_codes))


def _own_state_elsewhere(apply: Apply) -> Apply:
    """Where HOME does not say it the system does: what the doctor itself keeps must not come into that home."""

    @contextlib.contextmanager
    def both(stage: Stage) -> Iterator[None]:
        with apply(stage):
            stage.variables["XDG_STATE_HOME"] = str(stage.situation.folder / "state")
            yield

    return both


@contextlib.contextmanager
def _home_that_is_not_there(stage: Stage) -> Iterator[None]:
    stage.variables = {"HOME": str(stage.situation.folder / "nowhere" / "at" / "all")}
    yield


_OF_THE_SYSTEM = ("no-home", "empty-home")
"""There the home is the one of this user: nothing that writes into it is tried."""
VARIABLES: dict[str, Apply] = {
    "no-home": _own_state_elsewhere(_with("HOME")),
    "empty-home": _own_state_elsewhere(_with(HOME="")),
    "home-that-is-not-there": _home_that_is_not_there,
    "home-that-is-a-file": _with(HOME="/dev/null"),
    "no-path": _with("PATH"),
    "no-temporary-folder": _with(TMPDIR="/nowhere"),
    "locale-c": _with("PYTHONUTF8", LC_ALL="C", LANG="C"),
    "locale-unknown": _with(LC_ALL="xx_YY.KOI8-R"),
    "output-in-ascii": _with(PYTHONIOENCODING="ascii"),
    "output-in-utf-16": _with(PYTHONIOENCODING="utf-16"),
    "time-zone-unknown": _with(TZ="Nowhere/None"),
    "time-zone-far": _with(TZ="Pacific/Kiritimati"),
    "time-zone-of-half-hours": _with(TZ="XXX-27:30"),
    "one-column": _with(COLUMNS="1"),
    "columns-of-letters": _with(COLUMNS="many", LINES="-3"),
    "no-terminal": _with("TERM"),
    "warnings-are-errors": _with(PYTHONWARNINGS="error", PYTHONWARNDEFAULTENCODING="1"),
    "optimised": _with(PYTHONOPTIMIZE="2"),
}
_UNUSABLE = ("no-home", "empty-home", "home-that-is-not-there", "home-that-is-a-file", "no-path")
for _name, _apply in VARIABLES.items():
    _codes = (2, 3) if _name in _UNUSABLE else ()
    _commands = _SOME if _name in _UNUSABLE else ("examine", "dlq", "history", "convert")
    if _name in _OF_THE_SYSTEM:
        _commands = tuple(name for name in _commands if name != "install")
    add(Fault(_name, "surroundings", _apply, _commands, codes=_codes, silent="utf-16" in _name))

_WITHOUT_THREADS = """
import threading

def start(thread):
    raise RuntimeError("can't start new thread")

threading.Thread.start = start
"""


@contextlib.contextmanager
def _no_threads(stage: Stage) -> Iterator[None]:
    """As where the user has as many processes as may be (ulimit -u, pids.max)."""
    folder = stage.situation.folder / "threads"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_WITHOUT_THREADS)
    stage.variables = {"PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}"}
    yield


_SINGLE = ("trace", "dlq", "watch", "record", "history", "repair", "support", "convert", "judge", "instrument")
add(Fault("no-more-threads", "surroundings", _no_threads, _SINGLE, codes=(3,)))

# Clocks

_CLOCK = """
import time
real = time.monotonic
import freezegun
frozen = freezegun.freeze_time({start!r}, tick=True).start()
time.monotonic = real
{more}
"""
_STEP = """
import threading
timer = threading.Timer(0.5, lambda: frozen.move_to({to!r}))
timer.daemon = True
timer.start()
"""


def _clock(start: str, to: str = "") -> Apply:
    """The process believes that it is then; after half a second `to`."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        folder = stage.situation.folder / "clock"
        folder.mkdir()
        more = _STEP.format(to=to) if to else ""
        (folder / "sitecustomize.py").write_text(_CLOCK.format(start=start, more=more))
        stage.variables = {"PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}"}
        yield

    return apply


CLOCKS = {
    "clock-1970": _clock("1970-01-01T00:00:01"),
    "clock-2100": _clock("2100-03-01T00:00:00"),
    "clock-9999": _clock("9999-12-31T23:59:00"),
    "clock-stepping-back": _clock("2026-06-01T12:00:00", "2026-06-01T11:00:00"),
    "clock-stepping-forward": _clock("2026-06-01T12:00:00", "2036-06-01T12:00:00"),
}
for _name, _apply in CLOCKS.items():
    add(Fault(_name, "surroundings", _apply, ("examine", "trace", "dlq", "record", "history", "support")))

# Disks


def _mounted(script: str) -> Callable[[Stage], contextlib.AbstractContextManager[None]]:
    """In a mount namespace of its own; `$SCRATCH` and `$BLUEPLANE` are the folders."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        spare = stage.situation.folder / "spare"
        spare.mkdir()
        folders = f"SCRATCH={shlex.quote(str(stage.scratch))}; BLUEPLANE={shlex.quote(str(stage.home))}; "
        folders += f"SPARE={shlex.quote(str(spare))}; "
        stage.launcher = [*_namespace(spare), "sh", "-c", folders + script + ' && exec "$@"', "sh"]
        yield

    return apply


def _namespace(folder: Path) -> list[str]:
    for launcher in LAUNCHERS:
        if may_mount(launcher, folder):
            return launcher
    return []


_COPIED = (
    'cp -a "$BLUEPLANE/." "$SPARE" && mount -t tmpfs -o size=1m tmpfs "$BLUEPLANE" && cp -a "$SPARE/." "$BLUEPLANE"'
)
DISKS = {
    "tiny-temporary-folder": 'mount -t tmpfs -o size=4k tmpfs "$SCRATCH" && printf x >"$SCRATCH/ballast"',
    "temporary-folder-read-only": 'mount -t tmpfs -o ro tmpfs "$SCRATCH"',
    "home-read-only": f'{_COPIED} && mount -o remount,bind,ro "$BLUEPLANE"',
    "home-full": f'{_COPIED}; cat /dev/zero >"$BLUEPLANE/ballast" 2>/dev/null; true',
}
for _name, _script in DISKS.items():
    _commands = ("examine", "trace", "record", "support", "evidence", "install", "hook", "repair", "notify")
    add(Fault(_name, "surroundings", _mounted(_script), _commands, codes=(1, 2, 3), needs_mounts=True))

KILLED = ("examine", "record", "support", "install", "watch", "repair")
"""Commands that are killed at random moments."""

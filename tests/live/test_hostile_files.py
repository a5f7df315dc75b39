"""Whatever stands in the place of a file: the run ends in time, without memory, names the cause and judges the rest."""

import os
import resource
import subprocess

import pytest

from blueplane_doctor.demo.faults import healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.model import Report
from tests.doctor_command import DOCTOR
from tests.helpers import finding
from tests.hostile_files import HOSTILE, put
from tests.live.test_bad_input import as_nobody

FILES = ("server.pid", "server.log", "server.log.1", "hook-failures.json", "hook-spool.jsonl", "event_buffer.db")
MEMORY = 1_000_000_000
"""Bytes of addresses, of which an interpreter with its libraries takes a third: a sparse file does not fit in."""
FEW_ARENAS = {"MALLOC_ARENA_MAX": "1"}
"""Else the C library reserves 64 MB of addresses for each thread, used or not."""
REASONS = {
    "fifo": "it is a named pipe, not a regular file",
    "device": "it is a device, not a regular file",
    "folder": "Is a directory",
    "circle": "Too many levels of symbolic links",
}
QUICK = ("fifo", "device")


def examined_within_limits(pipeline: Pipeline, *arguments: object) -> Report:
    """The report of a process that may take little memory and little time."""
    given = ["--home", pipeline.home, "--redis-url", pipeline.redis_url, "--timeout", "20", "-f", "json", *arguments]
    ended = subprocess.run(
        [*DOCTOR, *map(str, given)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | FEW_ARENAS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert ended.returncode in (0, 1, 3), ended.stderr
    assert "Traceback" not in ended.stderr
    return Report.model_validate_json(ended.stdout)


def kinds() -> list[object]:
    return [pytest.param(kind, marks=[] if kind in QUICK else [pytest.mark.slow]) for kind in HOSTILE]


@pytest.mark.parametrize("kind", kinds())
def test_files_of_the_home(pipeline: Pipeline, kind: str) -> None:
    healthy(pipeline, minutes=2)
    hooks = pipeline.home / "hooks.json"
    for path in (*(pipeline.home / name for name in FILES), hooks):
        put(kind, path)
    report = examined_within_limits(pipeline)
    assert report.metrics["queue"] and report.metrics["chain"] and report.metrics["database"]
    for check in ("queue-depth", "database-reachable", "chain-breaks"):
        assert finding(report, check).status == "green"
    assert not [f for f in report.findings if f.status == "error"]
    if kind not in REASONS:
        return
    reason = REASONS[kind]
    assert reason in finding(report, "server-alive").summary
    assert reason in finding(report, "server-errors").cause
    assert reason in finding(report, "hook-spool").cause
    assert reason in finding(report, "undrained-buffer").cause


@pytest.mark.parametrize("kind", kinds())
def test_a_file_of_checks(pipeline: Pipeline, kind: str) -> None:
    folder = pipeline.home / "checks"
    folder.mkdir(mode=0o755)
    put(kind, folder / "check_mine.py")
    report = examined_within_limits(pipeline, "--select", "queue-depth")
    problem = next(f for f in report.findings if f.id == "check-file:check_mine.py")
    assert problem.status == "error"
    assert finding(report, "queue-depth").status == "green"


def test_paths_in_a_folder_that_is_closed(pipeline: Pipeline) -> None:
    closed = pipeline.home.parent / "closed"
    closed.mkdir(mode=0o700)
    names = ("database", "event_buffer", "cursor_hooks")
    (pipeline.home / "doctor.yaml").write_text("".join(f"{name}: {closed / name}\n" for name in names))
    if os.geteuid() != 0:
        closed.chmod(0o000)
    report = as_nobody(pipeline)
    closed.chmod(0o700)
    assert "Permission denied" in finding(report, "database-reachable").summary
    assert "Permission denied" in finding(report, "undrained-buffer").cause
    assert not [f for f in report.findings if f.status == "error"]

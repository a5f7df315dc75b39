"""The hook's spool as the doctor sees it: written by the hook itself, read without touching it."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.spool_health import SpoolHealth
from blueplane_hook.spool import COUNTS_FILE, LOCK_FILE, ROOM, SPOOL_FILE, Spool
from tests.helpers import examined, finding
from tests.monitoring.support import collected
from tests.waiting import PATIENCE_SECONDS


def call_hook(pipeline: Pipeline, given: bytes) -> None:
    """The hook as an editor calls it, with nobody to take its event."""
    command = [sys.executable, "-m", "blueplane_hook", "stop", "--server", "http://127.0.0.1:1"]
    subprocess.run([*command, "--home", str(pipeline.home)], input=given, check=True, timeout=PATIENCE_SECONDS)


def test_a_home_without_a_spool_has_nothing_waiting(pipeline: Pipeline) -> None:
    record = collected(SpoolHealth, pipeline)
    assert (record.waiting_events, record.lost, record.room_bytes, record.cause) == (0, 0, ROOM, "")


def test_what_hooks_kept_and_what_they_could_not_read_is_counted(pipeline: Pipeline) -> None:
    call_hook(pipeline, b'{"conversation_id": "c"}')
    call_hook(pipeline, b'{"conversation_id": "c"}')
    call_hook(pipeline, b"garbage")
    call_hook(pipeline, b"")
    before = {name: (pipeline.home / name).read_bytes() for name in (SPOOL_FILE, COUNTS_FILE, LOCK_FILE)}
    record = collected(SpoolHealth, pipeline)
    assert (record.waiting_events, record.spooled, record.not_understood, record.lost) == (2, 2, 1, 1)
    assert record.unreadable == 1
    assert record.waiting_bytes == len(before[SPOOL_FILE])
    assert record.last_failure_timestamp is not None
    assert {name: (pipeline.home / name).read_bytes() for name in before} == before


def test_both_checks_judge_what_the_hook_left(pipeline: Pipeline) -> None:
    waiting = Spool(str(pipeline.home))
    for _ in range(100):
        waiting.add(b"{}")
    waiting.add(b"x" * ROOM)  # finds no room
    waiting.count("refused")
    report = examined(pipeline)
    kept, lost = finding(report, "hook-spool"), finding(report, "hook-losses")
    assert (kept.status, kept.observed) == ("orange", 100)
    assert (lost.status, lost.observed, lost.evidence["dropped"]) == ("orange", 2, 1)
    assert report.metrics["spool"] is not None


def test_it_is_judged_even_where_neither_redis_nor_the_database_answers(pipeline: Pipeline, tmp_path: Path) -> None:
    Spool(str(pipeline.home)).add(b"{}")
    report = examined(pipeline, redis_url="redis://127.0.0.1:1/0", database=tmp_path / "none.db")
    assert finding(report, "hook-spool").status == "yellow"


def test_a_home_that_is_a_file_is_unknown_with_its_cause(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    record = collected(SpoolHealth, pipeline, home=tmp_path / "home")
    assert (record.waiting_events, record.lost) == (None, None)
    assert record.cause == f"the hook's spool cannot be read: {os.strerror(errno.ENOTDIR)}"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00" * 100, b"", b"{" * 10_000])
def test_garbage_in_its_files_harms_nobody(pipeline: Pipeline, content: bytes) -> None:
    for name in (SPOOL_FILE, COUNTS_FILE):
        (pipeline.home / name).write_bytes(content)
    record = collected(SpoolHealth, pipeline)
    assert (record.waiting_events, record.waiting_bytes, record.lost) == (0, len(content), 0)

"""The doctor leaves no trace: not in Redis, not in the home, not in the database's folder."""

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from blueplane_doctor.demo import schema
from blueplane_doctor.demo.faults import FAULTS, healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.model import Status
from blueplane_doctor.sources.redis_source import READ_COMMANDS
from tests.helpers import buffer_events, examined, finding
from tests.live.support import doctor, states
from tests.waiting import PATIENCE_SECONDS

BESIDE = {"AUTH", "HELLO", "SELECT", "MULTI", "EXEC"}
WITH_SUBCOMMAND = {"XINFO", "CONFIG", "ACL", "CLIENT"}
TRANSIENT = re.compile(r"idle|inactive|seen|active|radix|age|time-since")


def listened(url: str, act: Callable[[], object]) -> set[str]:
    """The commands that the server was sent while `act` ran, by anybody else."""
    heard: list[str] = []
    began = threading.Event()
    with redis.Redis.from_url(url) as client, client.monitor() as monitor:

        def listen() -> None:
            began.set()
            for entry in monitor.listen():
                words = entry["command"].split()
                if words[:2] == ["ECHO", "end"]:
                    return
                name = words[0].upper()
                heard.append(f"{name} {words[1].upper()}" if name in WITH_SUBCOMMAND else name)

        listener = threading.Thread(target=listen)
        listener.start()
        began.wait()
        act()
        with redis.Redis.from_url(url, protocol=2) as other:
            other.echo("end")
        listener.join(PATIENCE_SECONDS)
        assert not listener.is_alive()
    return {name for name in heard if not name.startswith("CLIENT SETINFO")}


@pytest.mark.server
@pytest.mark.parametrize("fault", ["", "retry-storm", "dead-letter-growth", "malformed-payloads"])
def test_only_read_commands_are_sent(any_pipeline: Pipeline, fault: str) -> None:
    healthy(any_pipeline, minutes=1)
    if fault:
        FAULTS[fault].apply(any_pipeline)
    sent = listened(any_pipeline.redis_url, lambda: examined(any_pipeline))
    assert {"XRANGE", "XPENDING", "XINFO STREAM", "MULTI"} <= sent, "the listener heard the examination"
    assert sent <= READ_COMMANDS | BESIDE


def test_the_command_itself_sends_only_read_commands(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=1)
    sent = listened(pipeline.redis_url, lambda: doctor(pipeline))
    assert "XRANGE" in sent
    assert sent <= READ_COMMANDS | BESIDE


def dump(client: Any) -> dict[str, Any]:
    """All that the server holds, but for times since."""
    held: dict[str, Any] = {}
    for key in sorted(client.keys("*")):
        kind = client.type(key)
        if kind != b"stream":
            held[key] = client.dump(key)
            continue
        held[key] = [client.xrange(key), stable(client.execute_command("XINFO", "STREAM", key))]
        for group in client.execute_command("XINFO", "GROUPS", key):
            name = group[1]
            rows = client.xpending_range(key, name, "-", "+", 100_000)
            held[key] += [
                stable(group),
                [stable(c) for c in client.execute_command("XINFO", "CONSUMERS", key, name)],
                [(r["message_id"], r["consumer"], r["times_delivered"]) for r in rows],
            ]
    return held


def stable(info: Any) -> Any:
    """XINFO without what changes by itself."""
    items = info.items() if isinstance(info, dict) else zip(info[::2], info[1::2], strict=True)
    return [(name, value) for name, value in items if not TRANSIENT.search(str(name))]


@pytest.mark.server
def test_what_redis_holds_is_the_same_afterwards(any_pipeline: Pipeline) -> None:
    healthy(any_pipeline, minutes=1)
    FAULTS["orphaned-messages"].apply(any_pipeline, messages=20)
    FAULTS["dead-letter-growth"].apply(any_pipeline)
    with redis.Redis.from_url(any_pipeline.redis_url, protocol=2) as client:
        before = dump(client)
        for _ in range(3):
            examined(any_pipeline)
        assert dump(client) == before
        assert len(before) == 3


def look(folder: Path, *, but: str = "") -> dict[str, tuple[int, int, int, str]]:
    """Every file below a folder: mode, size, time of change, hash of its content."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        state = path.stat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        if not but or not path.name.endswith(but):
            found[str(path)] = (state.st_mode, state.st_size, state.st_mtime_ns, content)
    return found


@contextmanager
def nothing_open(pipeline: Pipeline) -> Iterator[str]:
    yield ""


@contextmanager
def rollback_journal(pipeline: Pipeline) -> Iterator[str]:
    with closing(schema.connect(pipeline.database)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    yield ""


@contextmanager
def held_open(pipeline: Pipeline) -> Iterator[str]:
    """A writer that keeps its connection, with rows in the log; readers mark their place in -shm."""
    with closing(schema.connect(pipeline.database)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE cursor_raw_traces SET item_key = 'x'")
        assert pipeline.database.with_name("telemetry.db-wal").stat().st_size > 0
        yield "-shm"


@pytest.mark.slow
@pytest.mark.parametrize("state", [nothing_open, rollback_journal, held_open])
def test_the_home_is_byte_for_byte_the_same_afterwards(pipeline: Pipeline, state: Any) -> None:
    healthy(pipeline, minutes=2)
    buffer_events(pipeline, 3)
    with state(pipeline) as may_change:
        before = look(pipeline.home, but=may_change)
        names = sorted(os.listdir(pipeline.home))
        for _ in range(2):
            assert states(examined(pipeline)) == {"written": 54, "skipped": 4}
        assert doctor(pipeline).returncode == 1
        assert sorted(os.listdir(pipeline.home)) == names
        assert look(pipeline.home, but=may_change) == before
    assert {"event_buffer.db", "telemetry.db"} <= set(names)


def test_what_a_dead_writer_left_in_its_log_is_read_and_left(pipeline: Pipeline, tmp_path: Path) -> None:
    """After kill -9 the newest rows are in -wal alone: they count as written, and stay where they are."""
    import shutil

    pipeline.enqueue_cursor(10, at=pipeline.ago(seconds=20))
    with closing(schema.connect(pipeline.database)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        pipeline.drain()
        copies = tmp_path / "copies"
        copies.mkdir()
        for file in pipeline.home.glob("telemetry.db*"):
            shutil.copy(file, copies)
    for file in copies.iterdir():
        shutil.copy(file, pipeline.home)
    (pipeline.home / "telemetry.db-shm").unlink()
    before = look(pipeline.home, but="-shm")
    report = examined(pipeline)
    assert states(report) == {"written": 10}
    after = look(pipeline.home, but="-shm")
    before.pop(str(pipeline.home)), after.pop(str(pipeline.home))
    assert after == before


def test_an_empty_home_stays_empty(pipeline: Pipeline, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    examined(pipeline, home=empty)
    assert look(empty).keys() == {str(empty)}


@pytest.mark.slow
@pytest.mark.timeout(300)  # the doctor steps aside for a busy server, and takes its time
def test_a_writer_at_full_speed_is_neither_disturbed_nor_misjudged(pipeline: Pipeline) -> None:
    """Every batch opens and closes its own connection, so the log comes and goes while the doctor reads."""
    failed: list[BaseException] = []
    stop = threading.Event()
    batches = 0

    def work() -> None:
        nonlocal batches
        try:
            while not stop.is_set():
                pipeline.enqueue_cursor(25)
                pipeline.enqueue_claude(15)
                pipeline.drain()
                batches += 1
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        reports = [examined(pipeline, timeout=20) for _ in range(8)]
    finally:
        stop.set()
        writer.join(PATIENCE_SECONDS)
    assert not failed and batches > 5, failed
    for report in reports:
        chain = report.metrics["chain"]
        assert chain and chain["chain_break_count"] == 0, chain["breaks"]
        assert finding(report, "chain-breaks").status is Status.GREEN
        assert finding(report, "lost-before-delivery").status is Status.GREEN
        assert finding(report, "database-reachable").status is Status.GREEN
        assert not any(f.status is Status.ERROR for f in report.findings)
        assert states(report).keys() <= {"written", "waiting", "in_flight"}
    assert sum(states(report).get("written", 0) for report in reports) > 100
    pipeline.enqueue_cursor(1)
    pipeline.drain()  # who closes last clears the log away; the last time that may have been the doctor, who must not
    assert sorted(p.name for p in pipeline.home.glob("telemetry.db*")) == ["telemetry.db"]

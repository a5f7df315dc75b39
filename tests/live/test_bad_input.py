"""Sources that fail and messages that attack: the doctor says so in a sentence, and judges all the rest."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.faults import healthy
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.model import Report, Status
from tests.helpers import enqueue_raw, examined, finding
from tests.live.support import NOT_JUDGED, colours, doctor, ill, rendered, states
from tests.parameters import one_quick

DATABASE_CHECKS = {"database-reachable", "write-throughput", "write-p95", "write-success", "wal-size"}
RIGHTS = ("+ping", "+info", "+xlen", "+xpending", "+xrange", "+xrevrange", "+xinfo|stream", "+xinfo|groups")
RIGHTS += ("+xinfo|consumers", "+multi", "+exec")


def judged(report: Report) -> set[str]:
    """The checks that came to a colour."""
    return {f.id for f in report.findings if f.status.severity >= 0}


def said_by(report: Report) -> str:
    """All words of all findings."""
    return " ".join(f"{f.summary} {f.cause} {f.remedy.text if f.remedy else ''}" for f in report.findings)


# Redis


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_redis_that_refuses_leaves_the_other_areas_judged(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=2)
    port = free_port()
    began = time.monotonic()
    report = examined(pipeline, redis_url=f"redis://user:geheim@127.0.0.1:{port}/0")
    assert time.monotonic() - began < 3, "a refusal is an answer: nothing is tried for seconds"
    reachable = finding(report, "redis-reachable")
    assert reachable.status is Status.RED
    assert f"127.0.0.1:{port} cannot be reached" in reachable.summary
    assert {"database-reachable", "server-alive", "server-errors", "wal-size"} <= judged(report)
    assert finding(report, "database-reachable").status is Status.GREEN
    assert finding(report, "queue-depth").status is Status.SKIPPED
    assert str(port) in finding(report, "queue-depth").cause
    assert report.metrics["capture"] and report.metrics["capture"]["open_sessions"] == 1
    assert "geheim" not in "".join(rendered(report).values())
    assert report.exit_code == 1


def test_redis_that_refuses_is_one_thing_to_know(pipeline: Pipeline) -> None:
    ran = doctor(pipeline, "--redis-url", f"redis://127.0.0.1:{free_port()}")
    assert ran.returncode == 1
    assert ran.stdout.startswith("RED")
    assert ran.stdout.count("cannot be reached") <= 3, "not once for every check"
    assert ran.stderr == ""


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """A tiny server that answers each command; the URL of it."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def serve(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(0.1)
                while not ended.is_set():
                    try:
                        data = connection.recv(65_536)
                    except TimeoutError:
                        continue
                    except OSError:
                        return
                    if not data:
                        return
                    if reply := answer(data):
                        connection.sendall(reply)

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                except OSError:
                    return
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

        threads = [threading.Thread(target=accept)]
        threads[0].start()
        try:
            yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        finally:
            ended.set()
            for thread in threads:
                thread.join()


def to_every_command(line: bytes) -> Callable[[bytes], bytes]:
    """Answers every command of a batch with this line."""
    return lambda data: line * len(re.findall(rb"^\*\d+\r$", data, re.MULTILINE))


@pytest.mark.slow
def test_redis_that_hangs_costs_no_more_than_the_time_given(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=1)
    with answering(lambda data: b"") as url:
        report = examined(pipeline, redis_url=url, timeout=3)
        assert report.duration_ms < 3_500
    assert finding(report, "redis-reachable").status is Status.RED
    assert "gave no answer" in finding(report, "redis-reachable").summary
    assert finding(report, "database-reachable").status is Status.GREEN
    assert finding(report, "chain-breaks").status in NOT_JUDGED


@pytest.mark.slow
def test_the_command_ends_in_time_when_redis_hangs(pipeline: Pipeline) -> None:
    with answering(lambda data: b"") as url:
        ran = doctor(pipeline, "--redis-url", url, "--timeout", "1", "--format", "json")
    assert ran.returncode == 1
    report = Report.model_validate_json(ran.stdout)
    assert report.duration_ms < 2_000
    assert "gave no answer" in said_by(report) or "the run's 1 s were used up" in said_by(report)


@pytest.mark.parametrize(
    ("line", "said"),
    one_quick(
        [
            (b"-LOADING Redis is loading the dataset in memory\r\n", "still loading"),
            (b"-MISCONF Redis is configured to save RDB snapshots, but it is unable to\r\n", "unable to"),
            (b"-NOAUTH Authentication required.\r\n", "refused the login"),
            (b"-MASTERDOWN Link with MASTER is down\r\n", "lost its master"),
            (b"-ERR max number of clients reached\r\n", "max number of clients"),
            (b"-BUSY Redis is busy running a script.\r\n", "a script that does not end"),
            (b"+OK\r\n", ""),
            (b":1\r\n", ""),
            (b"*0\r\n", ""),
            (b"$-1\r\n", ""),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", ""),
            (b"\x00\xff\x1b[31m\r\n", ""),
        ]
    ),
    ids=lambda value: value.decode("latin-1").split()[0].strip("\x00\xff\x1b") if isinstance(value, bytes) else "",
)
def test_strange_answers_of_redis_are_reported_as_such(pipeline: Pipeline, line: bytes, said: str) -> None:
    healthy(pipeline, minutes=1)
    with answering(to_every_command(line)) as url:
        report = examined(pipeline, redis_url=url, timeout=5)
    assert said in said_by(report)
    assert finding(report, "database-reachable").status is Status.GREEN
    assert finding(report, "queue-depth").status in NOT_JUDGED
    assert finding(report, "chain-breaks").status in NOT_JUDGED
    assert "the monitor broke" not in said_by(report)
    assert_harmless(report)


@pytest.fixture
def password(pipeline: Pipeline) -> Iterator[str]:
    """A user `doctor` with its password; removed afterwards."""
    yield "geheim"
    pipeline.client.acl_deluser("doctor")


def url_of_user(pipeline: Pipeline, word: str) -> str:
    return pipeline.redis_url.replace("unix://", f"unix://doctor:{word}@")


def let_in(pipeline: Pipeline, word: str, *rights: str) -> None:
    pipeline.client.execute_command("ACL", "SETUSER", "doctor", "reset", "on", f">{word}", "-@all", *rights)


def test_a_wrong_password_is_told_and_not_repeated(pipeline: Pipeline, password: str) -> None:
    let_in(pipeline, password, "+ping", "%R~telemetry:*")
    report = examined(pipeline, redis_url=url_of_user(pipeline, "falsch"))
    refused = finding(report, "redis-reachable")
    assert refused.status is Status.RED and "refused the login" in refused.summary
    assert finding(report, "database-reachable").status is Status.GREEN
    assert not {"falsch", password} & set(re.findall(r"\w+", "".join(rendered(report).values())))


def test_the_least_privileged_user_sees_everything(pipeline: Pipeline, password: str) -> None:
    healthy(pipeline, minutes=2)
    let_in(pipeline, password, *RIGHTS, "%R~telemetry:*")
    report = examined(pipeline, redis_url=url_of_user(pipeline, password))
    assert states(report) == {"written": 54, "skipped": 4}
    allowed = {"write-p95", "write-success", "hook-success", "redis-durability"}
    allowed |= {
        "backlog-trend",
        "time-to-loss",
        "wal-growth",
        "loss-between-samples",
    }  # rights of their own: HISTORY.md
    assert {f.id for f in report.findings if f.status in NOT_JUDGED} <= allowed


MISSING = {
    "+info": "info",
    "+xpending": "xpending",
    "+xrange": "xrange",
    "+xinfo|stream": "xinfo|stream",
    "+xinfo|groups": "xinfo|groups",
    "+xinfo|consumers": "xinfo|consumers",
    "%R~telemetry:*": "%R~telemetry:*",
}


@pytest.mark.parametrize("missing", MISSING)
def test_a_missing_permission_is_named(pipeline: Pipeline, password: str, missing: str) -> None:
    healthy(pipeline, minutes=1)
    rights = [right for right in (*RIGHTS, "%R~telemetry:*") if right != missing]
    let_in(pipeline, password, *rights)
    report = examined(pipeline, redis_url=url_of_user(pipeline, password))
    words = said_by(report)
    assert MISSING[missing] in words and "permission" in words
    assert finding(report, "database-reachable").status is Status.GREEN
    assert all(f.status is not Status.ERROR for f in report.findings)
    assert finding(report, "chain-breaks").status in NOT_JUDGED, "never green without having looked"


@pytest.mark.parametrize("unused", ["+ping", "+xlen", "+xrevrange", "+multi", "+exec"])
def test_a_permission_that_is_not_needed_may_be_missing(pipeline: Pipeline, password: str, unused: str) -> None:
    healthy(pipeline, minutes=1)
    let_in(pipeline, password, *(r for r in RIGHTS if r != unused), "%R~telemetry:*")
    report = examined(pipeline, redis_url=url_of_user(pipeline, password))
    assert states(report)["written"] == 27


@pytest.mark.parametrize("make", ["string", "hash", "list"])
def test_a_queue_key_of_another_type_is_told(pipeline: Pipeline, make: str) -> None:
    pipeline.client.delete(pipeline.queue)
    put(pipeline, pipeline.queue, make)
    report = examined(pipeline)
    cause = finding(report, "queue-depth").cause
    assert "not a stream" in cause and "XINFO STREAM telemetry:message_queue" in cause
    assert finding(report, "database-reachable").status is Status.GREEN
    assert finding(report, "redis-reachable").status is Status.GREEN


def test_a_dead_letter_key_of_another_type_is_told(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=1)
    put(pipeline, "telemetry:dlq", "string")
    report = examined(pipeline)
    assert "not a stream" in said_by(report) and "telemetry:dlq" in said_by(report)
    assert finding(report, "dead-letters").status in NOT_JUDGED
    assert "Traceback" not in said_by(report)


def put(pipeline: Pipeline, key: str, kind: str) -> None:
    if kind == "string":
        pipeline.client.set(key, "x")
    elif kind == "hash":
        pipeline.client.hset(key, "x", "y")
    else:
        pipeline.client.rpush(key, "x")


def test_without_any_group_everything_waits(pipeline: Pipeline) -> None:
    for name in pipeline.groups:
        pipeline.client.xgroup_destroy(pipeline.queue, name)
    pipeline.enqueue_cursor(8, at=pipeline.ago(minutes=2))
    pipeline.enqueue_claude(4, at=pipeline.ago(minutes=2))
    report = examined(pipeline)
    assert states(report) == {"waiting": 12}
    missing = finding(report, "writer-missing")
    assert missing.status is Status.RED
    assert "group claude_processors does not exist" in missing.summary
    assert finding(report, "queue-depth").observed == 12


# The database


def spoil_missing(path: Path) -> None:
    path.unlink()


def spoil_text(path: Path) -> None:
    path.write_text("this is no database\n" * 100)


def spoil_empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_tables(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")


def spoil_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def spoil_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def spoil_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


SPOILT = {
    "missing": (spoil_missing, "does not exist"),
    "not a database": (spoil_text, "is not a SQLite database"),
    "empty": (spoil_empty, "none of the tables"),
    "other tables": (spoil_tables, "none of the tables"),
    "a folder": (spoil_folder, "cannot be opened"),
    "overwritten": (spoil_middle, "damaged"),
    "cut off": (spoil_cut, "damaged"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_database_that_cannot_be_read(pipeline: Pipeline, how: str) -> None:
    healthy(pipeline, minutes=2)
    spoil, said = SPOILT[how]
    spoil(pipeline.database)
    report = examined(pipeline)
    words = said_by(report)
    assert said in words
    assert str(pipeline.home) not in words, "a path may hold a person's name"
    assert all(f.status is not Status.ERROR for f in report.findings), words
    assert {"queue-depth", "pending-messages", "stuck-consumers", "dead-letters", "server-alive"} <= judged(report)
    assert finding(report, "queue-depth").status is Status.GREEN
    breaks = finding(report, "chain-breaks")
    assert breaks.status in NOT_JUDGED and said in breaks.cause, "nothing is lost because nobody could look"
    assert states(report) == {"unexamined": 54, "skipped": 4}
    assert report.exit_code == 1


@pytest.mark.slow
def test_a_database_damaged_in_the_middle_of_its_rows(pipeline: Pipeline) -> None:
    """Its first pages are well: it opens, has its tables, and breaks while rows are looked up."""
    pipeline.enqueue_cursor(2_000, at=pipeline.ago(minutes=3), payload_bytes=400)
    pipeline.drain(batch=500)
    content = bytearray(pipeline.database.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = b"\xa5" * third
    pipeline.database.write_bytes(content)
    report = examined(pipeline)
    assert finding(report, "chain-breaks").status in NOT_JUDGED
    assert "damaged" in finding(report, "chain-breaks").cause
    assert all(f.status is not Status.ERROR for f in report.findings)
    assert finding(report, "queue-depth").status is Status.GREEN, "Redis alone tells it"
    assert states(report).keys() <= {"written", "unexamined"}


@pytest.mark.slow
def test_a_database_locked_exclusively_is_waited_for_and_told(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=1)
    with closing(sqlite3.connect(pipeline.database, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        report = examined(pipeline, timeout=10)
        assert report.duration_ms < 8_000
    assert "locked" in said_by(report)
    assert finding(report, "database-reachable").status is Status.RED
    assert finding(report, "queue-depth").status is Status.GREEN
    assert finding(report, "chain-breaks").status in NOT_JUDGED


def test_a_database_in_rollback_journal_mode_is_read(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=2)
    with closing(sqlite3.connect(pipeline.database)) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    report = examined(pipeline)
    assert states(report) == {"written": 54, "skipped": 4}
    assert finding(report, "database-reachable").status is Status.GREEN


UNPRIVILEGED = """
import os, shutil, sys, tempfile, psutil
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.settings.values import load

found = find_checks()

def examine(home):
    settings = load({"home": home, "redis_url": "redis://127.0.0.1:1"}).settings
    return Doctor(settings, available=found).examine()

home = sys.argv[1]
if os.getuid() == 0:
    # The other user may be unable to read this interpreter's packages, as in a checkout below root's own home. So all
    # that an examination of this home imports is imported before, by examining a copy of it.
    with tempfile.TemporaryDirectory() as folder:
        examine(shutil.copytree(home, os.path.join(folder, "home")))
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(examine(home).model_dump_json())
"""


def as_nobody(pipeline: Pipeline) -> Report:
    """The report that a user without rights gets, without Redis; who is not root already is one."""
    with reachable_by_all(pipeline.home):
        ran = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, str(pipeline.home)],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    return Report.model_validate_json(ran.stdout)


@contextmanager
def reachable_by_all(folder: Path) -> Iterator[None]:
    """Let other users pass through the folders above this one, as long as it lasts."""
    opened = []
    for parent in folder.parents:
        mode = parent.stat().st_mode & 0o7777
        if not mode & 0o001:
            parent.chmod(mode | 0o011)
            opened.append((parent, mode))
    try:
        yield
    finally:
        for parent, mode in opened:
            parent.chmod(mode)


@pytest.mark.slow
def test_a_database_in_a_folder_where_nothing_may_be_written_is_read(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=2)
    before = sorted(p.name for p in pipeline.home.iterdir())
    for file in pipeline.home.iterdir():
        file.chmod(0o444)
    pipeline.home.chmod(0o555)
    try:
        report = as_nobody(pipeline)
    finally:
        pipeline.home.chmod(0o755)
    assert finding(report, "database-reachable").status is Status.GREEN, finding(report, "database-reachable").summary
    assert report.metrics["database"] and report.metrics["database"]["written_last_hour"] == 54
    assert sorted(p.name for p in pipeline.home.iterdir()) == before


@pytest.mark.slow
def test_a_database_that_this_user_may_not_read_is_told(pipeline: Pipeline) -> None:
    pipeline.database.chmod(0o000)
    report = as_nobody(pipeline)
    reachable = finding(report, "database-reachable")
    assert reachable.status is Status.RED
    assert "cannot be opened: Permission denied" in reachable.summary


# Messages that attack

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u200b\x00\r\n\t"
HTML = "<script>alert(1)</script><img src=x onerror=alert(2)>&\"'"
HOSTILE = HTML + ESCAPES + PRIVATE_TEXT
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def assert_harmless(report: Report) -> None:
    """No format shows private text, a raw control character, or markup that came from outside."""
    for name, text in rendered(report).items():
        assert PRIVATE_TEXT not in text, name
        assert not CONTROL.search(text), (name, CONTROL.search(text))
        if name == "html":
            assert "<script>alert" not in text and "<img src=x" not in text
        if name == "json":
            assert PRIVATE_TEXT not in json.dumps(json.loads(text), ensure_ascii=False)


FIELDS = ("event_id", "enqueued_at", "platform", "session_id", "external_session_id", "hook_type", "event_type")
FIELDS += ("timestamp", "metadata", "payload")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("acknowledge", one_quick([True, False]), ids=["acknowledged", "held"])
def test_hostile_text_in_any_field_is_never_shown(pipeline: Pipeline, field: str, acknowledge: bool) -> None:
    for number in range(3):
        for platform in ("cursor", "claude_code"):
            base = pipeline.messages.from_hook(pipeline.ago(minutes=9), platform, "stop", "session_start")
            enqueue_raw(pipeline, {**base, field: HOSTILE + str(number)}, at=pipeline.ago(minutes=9))
            nested = json.dumps({"source": HOSTILE, "workspace_hash": HOSTILE, "entry_data": {"uuid": HOSTILE}})
            enqueue_raw(pipeline, {**base, field: nested}, at=pipeline.ago(minutes=9))
    for group in pipeline.writer_groups:
        ids = [i for i, _ in pipeline.deliver(group)]
        if acknowledge:
            pipeline.acknowledge(group, ids)
        else:
            pipeline.age_pending(group, milliseconds=600_000, deliveries=5)
    report = examined(pipeline)
    assert sum(states(report).values()) == 12
    assert not any(f.status is Status.ERROR for f in report.findings)
    assert_harmless(report)


def test_hostile_names_of_groups_and_consumers_are_never_shown(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(5, at=pipeline.ago(minutes=9))
    pipeline.client.xgroup_create(pipeline.queue, HOSTILE, "0")
    pipeline.client.xgroup_createconsumer(pipeline.queue, HOSTILE, HOSTILE)
    pipeline.deliver("processors", consumer=HOSTILE)
    pipeline.age_pending("processors", milliseconds=400_000, consumer=HOSTILE)
    raw = redis.Redis.from_url(pipeline.redis_url)
    with closing(raw):
        raw.xgroup_create(pipeline.queue, b"\xff\xfe\x80 binary", "0")
        raw.xgroup_createconsumer(pipeline.queue, b"\xff\xfe\x80 binary", b"\xc3\x28")
    report = examined(pipeline)
    assert finding(report, "orphaned-messages").observed == 5
    assert_harmless(report)


def test_hostile_dead_letters_are_counted_and_never_shown(pipeline: Pipeline) -> None:
    for fields in (
        {"message_id": HOSTILE, "retry_count": HOSTILE, "event": HOSTILE},
        {"message_id": "1-1", "retry_count": "3", "event": json.dumps({"event_id": HOSTILE})},
        {"original_event_id": HOSTILE, "original_data": HOSTILE, "error_type": HOSTILE, "error_message": HOSTILE},
        {"original_entry_id": HOSTILE, "moved_to_dlq_at": HOSTILE, "stream": HOSTILE, "payload": HOSTILE},
        {HOSTILE: HOSTILE},
        {"event": "[" * 100_000},
        {"message_id": "1-2", "event": "[" * 100_000},
    ):
        pipeline.client.xadd("telemetry:dlq", fields)
    report = examined(pipeline)
    assert finding(report, "dead-letters").observed == 7
    assert_harmless(report)


def binary_messages() -> dict[str, dict[bytes, bytes]]:
    """Messages that no producer of ours would send; all of Cursor's platform where they have one."""
    good = {b"event_id": b"e-1", b"platform": b"cursor", b"metadata": b"{}", b"payload": b"{}"}
    return {
        "binary junk": {bytes([i]): bytes(range(256)) for i in range(20)},
        "invalid utf-8": good | {b"event_id": b"\xff\xfe\x80", b"payload": b'{"a": "\xc3\x28"}'},
        "lone surrogates": good
        | {b"event_id": b"e-2", b"metadata": b'{"source": "\\ud800", "workspace_hash": "\\udfff"}'},
        "surrogate uuid": {
            b"platform": b"claude_code",
            b"hook_type": b"JSONLTrace",
            b"session_id": b"s",
            b"metadata": b"{}",
            b"payload": b'{"entry_data": {"uuid": "\\ud800\\udead\\ud800"}}',
        },
        "deep json": good | {b"event_id": b"e-3", b"metadata": b"[" * 100_000, b"payload": b'{"a":' * 50_000},
        "endless numbers": good | {b"event_id": b"e-4", b"metadata": b"9" * 10_000, b"payload": b"1e999999"},
        "NaN": good | {b"event_id": b"e-5", b"payload": b'{"entry_data": {"uuid": NaN}}', b"metadata": b"Infinity"},
        "empty names": {b"": b"", b"platform": b"cursor", b"event_id": b""},
        "long id": good | {b"event_id": b"x" * 1_000_000},
        "nothing known": {b"x": b"y"},
        "null bytes": good | {b"event_id": b"a\x00b", b"payload": b'{"\\u0000": "\\u0000"}'},
    }


def test_an_unreadable_message_takes_no_row_of_another_at_the_same_time(pipeline: Pipeline) -> None:
    """Without its uuid a Claude message is looked for by session and time, which many lines share."""
    (first, *_) = pipeline.enqueue_claude(3, at=pipeline.ago(seconds=5))
    pipeline.drain()
    with closing(redis.Redis.from_url(pipeline.redis_url)) as raw:
        ((_, fields),) = raw.xrange(pipeline.queue, first, first)
        raw.xadd(pipeline.queue, fields | {b"payload": b"\xff\xfe bad"})
        for group in pipeline.writer_groups:
            raw.xreadgroup(group, "c", {pipeline.queue: ">"}, noack=True)
    assert states(examined(pipeline)) == {"written": 3, "lost": 1}


@pytest.mark.server
@pytest.mark.parametrize("name", binary_messages())
def test_binary_messages_are_accounted_for(any_pipeline: Pipeline, name: str) -> None:
    any_pipeline.enqueue_cursor(3, at=any_pipeline.ago(seconds=5))
    any_pipeline.drain()
    any_pipeline.client.xadd(any_pipeline.queue, binary_messages()[name])  # type: ignore[arg-type]
    raw = redis.Redis.from_url(any_pipeline.redis_url)
    with closing(raw):
        for group in any_pipeline.writer_groups:
            for _, entries in raw.xreadgroup(group, "c", {any_pipeline.queue: ">"}):
                raw.xack(any_pipeline.queue, group, *(i for i, _ in entries))
    report = examined(any_pipeline)
    counted = states(report)
    assert counted.pop("written") == 3
    assert list(counted.values()) == [1] and counted.keys() <= {"lost", "skipped", "untraceable"}
    assert not any(f.status is Status.ERROR for f in report.findings), said_by(report)
    assert_harmless(report)


@pytest.mark.slow
def test_messages_of_megabytes_are_read_in_small_pages(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(40, at=pipeline.ago(seconds=20))
    pipeline.enqueue_cursor(6, at=pipeline.ago(seconds=10), payload_bytes=2_000_000)
    pipeline.enqueue_cursor(3, at=pipeline.ago(seconds=5), payload_bytes=1_000_000)
    pipeline.enqueue_cursor(40, at=pipeline.ago(seconds=2))
    pipeline.drain(batch=10)
    report = examined(pipeline)
    assert states(report) == {"written": 89}
    assert_harmless(report)


def test_a_hostile_log_buffer_and_session_are_never_shown(pipeline: Pipeline) -> None:
    healthy(pipeline, minutes=1)
    with (pipeline.home / "server.log").open("a") as log:
        log.write(f"{HOSTILE}\n")
    pipeline.log("ERROR", HOSTILE, logger="x\x1b[31m")
    (pipeline.home / "server.pid").write_text(HOSTILE)
    with closing(sqlite3.connect(pipeline.database)) as connection, connection:
        connection.execute("INSERT INTO cursor_sessions VALUES (?, ?, ?, ?, NULL)", (HOSTILE,) * 4)
        connection.execute(
            "INSERT INTO cursor_raw_traces (ingested_at, event_id, event_type, timestamp, event_data) "
            "VALUES (?, ?, ?, ?, x'00')",
            (HOSTILE,) * 4,
        )
    report = examined(pipeline)
    assert not any(f.status is Status.ERROR for f in report.findings), said_by(report)
    assert states(report)["written"] == 27
    assert_harmless(report)


def test_both_sources_dead_still_gives_a_report(pipeline: Pipeline) -> None:
    pipeline.database.unlink()
    report = examined(pipeline, redis_url=f"redis://127.0.0.1:{free_port()}")
    assert ill(report).keys() >= {"redis-reachable", "database-reachable", "server-alive"}
    assert all(colours(report)[c] in NOT_JUDGED for c in ("queue-depth", "capture-rate", "chain-breaks", "wal-size"))
    assert DATABASE_CHECKS - judged(report) == DATABASE_CHECKS - {"database-reachable"}
    assert report.exit_code == 1
    assert_harmless(report)

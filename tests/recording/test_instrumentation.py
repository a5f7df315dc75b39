"""A server that knows nothing of it is measured, and does not notice."""

import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.pipeline import PACKAGES, TARGETS, Target
from blueplane_doctor.recording.instrumentation import VARIABLE
from blueplane_doctor.recording.launching import AUTOLOAD, environment_for
from tests.parameters import one_quick
from tests.recording.helpers import NOWHERE, recorded, wait_for
from tests.recording.stand_in import MODULES, OLD_WRITER, StandIn, literal
from tests.waiting import PATIENCE_SECONDS

EVERYTHING = """
cursor, claude, queue = CursorRawTracesWriter(), ClaudeRawTracesWriter(), MessageQueueWriter()
for number in range(20):
    assert cursor._batch_insert(["row"] * 5) == 5
assert cursor._batch_insert(rows=["row", "fail"]) == 0
assert cursor._batch_insert([]) == 0
assert CursorRawTracesWriter._batch_insert(cursor, ["row"]) == 1
for number in range(3):
    assert claude.write_batch_sync([{"a": 1}, {}]) == [0, 1]
assert claude.write_batch_sync([]) == []
try:
    claude.write_batch_sync(["fail"])
    raise SystemExit("nothing was raised")
except RuntimeError as error:
    assert error is ClaudeRawTracesWriter.error
assert queue.enqueue({"hook_type": "stop"}, "cursor", "s") is True
assert queue.enqueue({"hook_type": "stop", "fail": 1}, platform="cursor", session_id="s") is False
assert queue.enqueue(event={"hook_type": "SessionStart"}, platform="claude_code", session_id="s") is True
assert queue.enqueue("no event", "cursor", "s") is False
assert queue.enqueue({"hook_type": ["odd"], "fail": 1}, {"odd": 1}, "s") is False
assert queue.enqueue({"hook_type": "private text: my password"}, "cursor", "s") is True

async def monitors():
    queuer, unified = EventQueuer(), UnifiedCursorMonitor()
    import inspect

    assert inspect.iscoroutinefunction(queuer.queue_event)
    assert await asyncio.gather(*(queuer.queue_event(e) for e in ["ok", "fail", "ok", "ok"])) == [None] * 4
    assert queuer.buffered == ["fail"]
    try:
        await queuer.queue_event("raise")
        raise SystemExit("nothing was raised")
    except ValueError:
        pass
    try:
        await asyncio.wait_for(queuer.queue_event("hang"), 0.01)
    except asyncio.TimeoutError:
        pass
    await unified.on_session_start("a", {})
    await unified.on_session_start("b", {})
    await unified.on_session_end("a")
    await FileWatcher().check_for_changes()
    await WorkspaceMonitor().sync_all_data()

asyncio.run(monitors())
database = CursorDatabaseMonitor()
database.db_connections["a"] = object()
for status in ("synced", "synced", "locked", "error"):
    database._update_health("a", status, None)
"""


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES, ids=[package or "none" for package in PACKAGES])
def test_every_target_is_counted_by_its_own_convention_in_every_layout(
    package: str, tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    ended = StandIn(tmp_path, package).run(valkey.url, EVERYTHING)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    found = recorded(valkey.url)
    cursor, claude = found.writes["cursor_raw_traces"], found.writes["claude_raw_traces"]
    assert (cursor.ok, cursor.failed, cursor.rows) == (21, 1, 101)
    assert (claude.ok, claude.failed, claude.rows) == (3, 1, 6)
    hooks = {name: (hook.ok, hook.failed) for name, hook in found.hooks.items()}
    assert hooks == {
        "cursor/stop": (1, 1),
        "claude_code/SessionStart": (1, 0),
        "cursor/none": (0, 1),
        "cursor/other": (1, 0),
        "none": (0, 1),
    }
    unified = found.monitors["unified_cursor_monitor"]
    assert (unified.events, unified.errors, unified.ok, unified.sessions) == (3, 2, 3 + 5, 1)
    database = found.monitors["cursor_database_monitor"]
    assert (database.events, database.errors, database.ok, database.sessions) == (None, 2, 2, 1)
    assert found.dropped == 0


@pytest.mark.slow
def test_the_earlier_writer_is_measured(tmp_path: Path, store: redis.Redis, valkey: RunningServer) -> None:
    server = StandIn(tmp_path, modules={**MODULES, "processing.database.writer": OLD_WRITER})
    body = """
async def work():
    writer = SQLiteBatchWriter()
    assert await writer.write_batch(["a", "b"]) == [1, 1]
    try:
        await writer.write_batch(["fail"])
    except RuntimeError:
        pass
asyncio.run(work())
"""
    assert server.run(valkey.url, body).stderr == ""
    writes = recorded(valkey.url).writes["raw_traces"]
    assert (writes.ok, writes.failed, writes.rows) == (1, 1, 2)


@pytest.mark.slow
def test_the_p95_is_within_one_percent_of_the_true_one(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    chance = random.Random(3)
    durations = [chance.lognormvariate(-5, 1.2) for _ in range(1000)]
    body = f"stand_in_clock.instead()\nfor seconds in {literal(durations)}:\n"
    body += "    CursorRawTracesWriter()._batch_insert([seconds])"
    StandIn(tmp_path).run(valkey.url, body)
    true = sorted(durations)[math.floor(0.95 * 999)] * 1000
    assert recorded(valkey.url).writes["cursor_raw_traces"].p95_ms == pytest.approx(true, rel=0.01)


@pytest.mark.slow
def test_durations_are_those_of_the_call(tmp_path: Path, store: redis.Redis, valkey: RunningServer) -> None:
    modules = {**MODULES, "processing.cursor.raw_traces_writer": SLOW_WRITER}
    StandIn(tmp_path, modules=modules).run(valkey.url, "CursorRawTracesWriter()._batch_insert(['row'])")
    assert 29 < recorded(valkey.url).write_p95_ms < 500


SLOW_WRITER = """
import time
class CursorRawTracesWriter:
    def _batch_insert(self, rows):
        time.sleep(0.03)
        return 1
"""

CHILDREN = """
import subprocess
stand_in_clock.instead()
if len(sys.argv) > 1:
    for number in range(2500):
        CursorRawTracesWriter()._batch_insert([0.001 * (number % 100 + 1), "fail" if number % 10 == 0 else "row"])
else:
    CursorRawTracesWriter()._batch_insert([0.001])
    children = [subprocess.Popen([sys.executable, __file__, "child"]) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
"""


@pytest.mark.slow
def test_children_inherit_it_and_four_processes_add_up(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    ended = StandIn(tmp_path).run(valkey.url, CHILDREN)
    assert (ended.returncode, ended.stderr) == (0, "")
    writes = recorded(valkey.url).writes["cursor_raw_traces"]
    assert (writes.ok, writes.failed, writes.rows) == (9001, 1000, 18001)
    assert writes.p95_ms == pytest.approx(95, rel=0.0101)


STEADY = """
import time
while True:
    CursorRawTracesWriter()._batch_insert(["row"])
    print(time.time(), flush=True)
    time.sleep(0.01)
"""


@pytest.mark.slow
def test_a_killed_server_loses_at_most_its_last_second(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    with StandIn(tmp_path).start(valkey.url, STEADY) as process:
        assert process.stdout
        times = [float(process.stdout.readline()) for _ in range(200)]
        process.kill()  # the launcher has become the server: this is its process
        times += [float(line) for line in process.stdout.read().splitlines()[:-1]]
    lost = len(times) - (recorded(valkey.url).writes_ok or 0)
    assert lost <= 0 or times[-1] - times[-lost] <= 1.25


@pytest.mark.slow
def test_the_process_keeps_its_id_its_arguments_and_its_exit_code(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    process = StandIn(tmp_path).start(valkey.url, "print(os.getpid(), sys.argv[0])\nsys.exit(7)")
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert out == f"{process.pid} {tmp_path}/scripts/start_server.py\n"
    assert process.returncode == 7


@pytest.mark.slow
def test_it_works_without_redis(tmp_path: Path) -> None:
    ended = StandIn(tmp_path).run(NOWHERE, EVERYTHING)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.slow
def test_a_target_that_is_not_there_is_said_once_and_harms_nothing(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    modules = {
        **MODULES,
        "processing.cursor.raw_traces_writer": "class CursorRawTracesWriter:\n    pass\n",
        "capture.shared.queue_writer": "class MessageQueueWriter:\n    def enqueue(self, message): return 3\n",
    }
    del modules["processing.cursor.database_monitor"]
    server = StandIn(tmp_path, modules=modules)
    server.add("src.processing.cursor.database_monitor", "CursorDatabaseMonitor = None\n")
    body = """
import importlib, subprocess
import src.processing.cursor.raw_traces_writer
assert MessageQueueWriter().enqueue("x") == 3
assert ClaudeRawTracesWriter().write_batch_sync(["a"]) == [0]
if len(sys.argv) == 1:
    assert subprocess.call([sys.executable, __file__, "child"]) == 0
"""
    ended = server.run(valkey.url, body)
    assert ended.returncode == 0
    lines = ended.stderr.splitlines()
    assert len(lines) == 3
    assert [line.partition(": ")[2].split(":")[1].strip() for line in lines] == [
        "src.processing.cursor.raw_traces_writer",
        "src.processing.cursor.database_monitor",
        "src.capture.shared.queue_writer",
    ]
    assert "it has no parameter event" in lines[2]
    assert recorded(valkey.url).writes["claude_raw_traces"].ok == 2


def test_a_server_below_a_process_without_targets_speaks_for_itself(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    modules = {**MODULES, "capture.shared.queue_writer": "class MessageQueueWriter:\n    pass\n"}
    script = StandIn(tmp_path, modules=modules).script("")
    control = "import subprocess, sys; subprocess.check_call([sys.executable, sys.argv[1]])"
    ended = subprocess.run(
        [sys.executable, "-c", control, str(script)],
        env=environment_for(valkey.url, TARGETS, os.environ, tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.stderr.count("not measured: src.capture.shared.queue_writer") == 1


def test_a_module_that_is_never_imported_is_said_at_the_end(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    server = StandIn(tmp_path)
    script = tmp_path / "few.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport src.capture.shared.queue_writer\n")
    environment = environment_for(valkey.url, TARGETS, os.environ, tmp_path)
    ended = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    expected = [t for t in TARGETS if not t.optional and "queue_writer" not in t.where]
    assert len(ended.stderr.splitlines()) == len(expected)
    assert all(f"not measured: {target.where}: no such module" in ended.stderr for target in expected)
    assert server.package == "src."


def test_a_process_that_holds_no_target_is_left_alone(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    code = "import sys, threading; print(threading.active_count(), {'redis', 'msgspec', 'wrapt'} & set(sys.modules))"
    environment = environment_for(valkey.url, TARGETS, os.environ, tmp_path)
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert (ended.stdout, ended.stderr) == ("1 set()\n", "")


@pytest.mark.slow
def test_a_target_of_ones_own(tmp_path: Path, store: redis.Redis, valkey: RunningServer) -> None:
    (tmp_path / "mine.py").write_text("def save(rows):\n    return len(rows)\n")
    own = Target(where="mine:save", packages=("",), records="write", name="mine", argument="rows")
    environment = environment_for(valkey.url, [own], {**os.environ, "PYTHONPATH": str(tmp_path)}, tmp_path)
    code = "import mine; assert mine.save([1, 2]) == 2"
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert ended.stderr == ""
    assert recorded(valkey.url).writes["mine"].rows == 2


BLOCKED = "import sys\nclass Block:\n    def find_spec(self, name, path=None, target=None):\n"
BLOCKED += "        if name.partition('.')[0] == {name!r}: raise ImportError('blocked')\n"
BLOCKED += "sys.meta_path.insert(0, Block())\n"


@pytest.mark.parametrize(
    ("package", "said"),
    one_quick([("wrapt", "package wrapt is not installed"), ("blueplane_doctor", "it cannot be loaded by")]),
)
def test_a_python_without_what_it_takes_runs_unmeasured_and_says_so_once(
    package: str, said: str, tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    server = StandIn(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(BLOCKED.format(name=package))
    body = (
        EVERYTHING
        + "\nimport subprocess\nif len(sys.argv) == 1: subprocess.check_call([sys.executable, __file__, '1'])"
    )
    environment = environment_for(valkey.url, TARGETS, {**os.environ, "PYTHONPATH": str(tmp_path)}, tmp_path)
    ended = subprocess.run(
        [sys.executable, server.script(body)], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert ended.returncode == 0
    assert ended.stderr.count(said) == 1
    assert ended.stderr.count("pip install") == 1
    assert store.dbsize() == 0


@pytest.mark.slow
def test_one_line_measures_a_process(tmp_path: Path, store: redis.Redis, valkey: RunningServer) -> None:
    server = StandIn(tmp_path)
    body = """
import blueplane_doctor.recording
recorder = blueplane_doctor.recording.instrument()
assert recorder is blueplane_doctor.recording.instrument() is not None
CursorRawTracesWriter()._batch_insert(["row"])
recorder.hook("mine", True)
"""
    environment = {**os.environ, "BLUEPLANE_DOCTOR_REDIS_URL": valkey.url}
    script = server.script(body)
    ended = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert ended.stderr == ""
    found = recorded(valkey.url)
    assert (found.writes_ok, found.hooks["mine"].ok) == (1, 1)


@pytest.mark.slow
def test_one_line_with_a_wrong_url_never_raises(tmp_path: Path) -> None:
    body = "import blueplane_doctor.recording\nprint(blueplane_doctor.recording.instrument('nonsense'))\n" + EVERYTHING
    script = StandIn(tmp_path).script(body)
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert (ended.returncode, ended.stdout) == (0, "None\n")
    assert "URL" in ended.stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    one_quick(
        [({"BLUEPLANE_DOCTOR_TIMEOUT": "never"}, "timeout"), ({"BLUEPLANE_DOCTOR_REDIS_URL": "nonsense"}, "redis_url")]
    ),
)
def test_one_line_never_raises(variables: dict[str, str], said: str, tmp_path: Path) -> None:
    body = "import blueplane_doctor.recording\nprint(blueplane_doctor.recording.instrument())\n" + EVERYTHING
    script = StandIn(tmp_path).script(body)
    ended = subprocess.run(
        [sys.executable, script],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert (ended.returncode, ended.stdout) == (0, "None\n")
    assert said in ended.stderr


def test_broken_variables_harm_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(AUTOLOAD), VARIABLE: "{"}
    command = [sys.executable, "-c", "print('hi')"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert (ended.returncode, ended.stdout) == (0, "hi\n")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_server_under_load_is_flushed_while_it_runs(
    tmp_path: Path, store: redis.Redis, valkey: RunningServer
) -> None:
    with StandIn(tmp_path).start(valkey.url, STEADY) as process:
        try:
            wait_for(lambda: recorded(valkey.url).writes_ok)
            before = time.monotonic()
            process.terminate()
            process.wait(PATIENCE_SECONDS)
            assert time.monotonic() - before < 5
        finally:
            process.kill()

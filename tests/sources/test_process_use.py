"""What the system shows of a real process."""

import os
import socket
from pathlib import Path

import psutil
import pytest

from blueplane_doctor.sources.process_use import (
    Address,
    ProcessUse,
    _is_seen_here,
    process_use,
    server_that_listens_on,
)
from tests.sources.server_stand_in import server_stand_in


def test_a_process_shows_its_connections_files_command_and_folder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as redis:
        port = redis.getsockname()[1]
        log = tmp_path / "server.log"
        with server_stand_in(tmp_path / "checkout", ports=[port], files=[log]) as server:
            use = process_use(server.pid)
    assert use.connections == {Address("127.0.0.1", port)}
    assert log.resolve() in (use.files or ())
    assert "scripts/start_server.py" in use.command
    assert use.sees_the_same_files
    assert use.folder == (tmp_path / "checkout").resolve()


def test_connections_of_callers_are_not_its_own(tmp_path: Path) -> None:
    with server_stand_in(tmp_path) as server, socket.create_connection(("127.0.0.1", server.port)) as caller:
        caller.sendall(b"x")
        assert process_use(server.pid).connections == frozenset()


def test_a_process_that_is_gone_shows_nothing(tmp_path: Path) -> None:
    with server_stand_in(tmp_path) as server:
        pass
    assert process_use(server.pid) == ProcessUse(server.pid)
    assert not process_use(server.pid).is_shown


def test_what_the_system_shows_to_others_only_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: psutil.Process, *arguments: object, **named: object) -> object:
        raise psutil.AccessDenied(self.pid)

    for name in ("net_connections", "open_files", "cwd"):
        monkeypatch.setattr(psutil.Process, name, refuse)
    use = process_use(os.getpid())
    assert (use.connections, use.files, use.folder) == (None, None, None)
    assert use.command, "the command line is shown to everybody"


def test_an_open_file_counts_only_where_its_path_leads_to_it(tmp_path: Path) -> None:
    """In a container the path may be that of another file here."""
    log = tmp_path / "server.log"
    with server_stand_in(tmp_path / "checkout", files=[log]) as server:
        (tmp_path / "server.log").rename(tmp_path / "server.log.1")
        assert process_use(server.pid).files == ((tmp_path / "server.log.1").resolve(),)
    with log.open("ab") as file:
        assert _is_seen_here(os.getpid(), file.fileno(), str(log))
        assert not _is_seen_here(os.getpid(), file.fileno(), str(tmp_path / "server.log.1"))


def test_a_server_is_found_by_the_port_on_which_it_listens(tmp_path: Path) -> None:
    with server_stand_in(tmp_path) as server, server_stand_in(tmp_path) as another:
        assert server_that_listens_on(Address("127.0.0.1", server.port)) == server.pid
        assert server_that_listens_on(Address("127.0.0.1", another.port)) == another.pid


def test_another_program_that_listens_is_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = Address(*other.getsockname())
        assert server_that_listens_on(address) is None
    assert server_that_listens_on(address) is None, "nor is nobody"

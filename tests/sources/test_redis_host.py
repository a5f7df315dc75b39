"""Whether a server runs here, and what its configuration file says."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.sources import redis_host
from blueplane_doctor.sources.redis_host import append_only_in_file, runs_here, serves_this_host_alone


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", False),
        ("appendonly yes\n", True),
        ("AppendOnly YES\n", True),
        ('appendonly "yes"\n', True),
        ("# appendonly yes\n", False),
        ("appendonly yes\nappendonly no\n", False),
        ("include /etc/other.conf\n", None),
    ],
)
def test_the_last_line_of_the_file_counts(
    text: str, value: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_host, "runs_here", lambda info: True)
    file = tmp_path / "redis.conf"
    file.write_text(text)
    assert append_only_in_file({"config_file": str(file)}) is value


def test_a_file_of_another_host_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "redis.conf"
    file.write_text("appendonly yes\n")
    info = {"config_file": str(file), "process_id": str(os.getpid()), "executable": "/data/redis-server"}
    assert append_only_in_file({**info, "tcp_port": "6379"}) is None


@pytest.mark.parametrize("info", [{}, {"process_id": "1"}, {"process_id": "x", "executable": "redis-server"}])
def test_a_server_that_does_not_tell_its_process_is_not_known_to_run_here(info: dict[str, str]) -> None:
    assert not runs_here(info)
    assert append_only_in_file({**info, "config_file": "/etc/hostname"}) is None


@pytest.mark.parametrize(
    ("bind", "alone"),
    [("127.0.0.1 -::1", True), ("127.0.0.1", True), ("* -::*", False), ("127.0.0.1 192.0.2.1", False), ("", False)],
)
def test_who_may_connect_is_told_by_the_addresses_on_which_it_listens(
    bind: str, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_host, "runs_here", lambda info: True)
    assert serves_this_host_alone({}, {"bind": bind}) is alone


def test_a_server_of_another_host_may_be_reached_by_others_whatever_it_listens_on() -> None:
    assert not serves_this_host_alone({"process_id": "1"}, {"bind": "127.0.0.1"})

"""`serve`: what it refuses before it listens, and that both places of an option count."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor_command import assert_refused, doctor
from tests.parameters import one_quick

NOBODY = ("--redis-url", "redis://127.0.0.1:1/0")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.slow
def test_a_port_in_use_is_said(taken_port: int, tmp_path: Path) -> None:
    ended = doctor("--home", tmp_path, "serve", *NOBODY, "--port", taken_port)
    assert ended.returncode == 2
    assert "another program listens there" in ended.stderr


@pytest.mark.slow
def test_shared_options_may_stand_behind_the_command(taken_port: int, tmp_path: Path) -> None:
    """The URL behind the command is the one that is refused, and not the good one before it."""
    ended = doctor("--home", tmp_path, *NOBODY, "serve", "--redis-url", "mysql://x", "--port", taken_port)
    assert_refused(ended, 2, "--redis-url: must be a URL")


@pytest.mark.parametrize(
    ("arguments", "messages"),
    one_quick(
        [
            pytest.param(["--unhealthy-at", "purple"], ["--unhealthy-at purple", "yellow, orange or red"], id="colour"),
            pytest.param(["--host", "0.0.0.0"], ["--token-file"], id="open-to-all-without-a-token"),
            pytest.param(["--token-file", "no-such-file"], ["no-such-file"], id="no-token-file"),
            pytest.param(["--port", "65536"], ["--port"], id="port"),
            pytest.param(["--format", "json"], ["--format"], id="an-option-that-it-does-not-take"),
        ]
    ),
)
def test_what_cannot_be_served_is_refused_before_anything_listens(
    arguments: list[str], messages: list[str], tmp_path: Path
) -> None:
    assert_refused(doctor("--home", tmp_path, *NOBODY, "serve", *arguments), 2, *messages)

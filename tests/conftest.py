"""What all tests share: a guarded home and environment, servers to examine, a simulated pipeline."""

import gc
import itertools
import os
import signal
import sys
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from tests.golden.compare import Golden, compare
from tests.servers import EACH_SERVER, require_server

pytest_plugins = ["pytester"]

# What is compiled is kept: else each process of the tests, and each run of the command in them, compiles it all anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# In the background, or under nohup, they are ignored: then each process that a test starts would ignore them too.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

_HOMES = itertools.count()

# How long a busy machine takes to make up an example, or to try it, says nothing about what is tried.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden`: write the golden files anew instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden/ anew")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Twelve thousand tests stay to the end: the garbage collector need look at them neither now nor ever again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a whole output with the golden file of a name."""
    update: bool = request.config.getoption("--update-golden")
    return partial(compare, update=update)


@pytest.fixture(autouse=True)
def guarded_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and no settings from outside: a test that looks at the real ones is a defect."""
    # Numbered by us, in a folder of their own: `mktemp` lists all that it has made before for each new one.
    home = tmp_path_factory.getbasetemp() / "users" / str(next(_HOMES))
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for variable in list(os.environ):
        if variable.startswith("BLUEPLANE_DOCTOR_"):
            monkeypatch.delenv(variable)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    return home


@pytest.fixture(scope="session", params=EACH_SERVER)
def any_server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """Each of the servers that the doctor has to be right on; one process of each for a whole session."""
    with run_server(require_server(request.param)) as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[RunningServer]:
    """The embedded server alone, for what does not differ between servers."""
    with run_server() as server:
        yield server


@pytest.fixture
def pipeline(valkey: RunningServer, tmp_path: Path) -> Iterator[Pipeline]:
    """An empty simulated pipeline on the embedded server, emptied before."""
    yield from _fresh(valkey, tmp_path)


@pytest.fixture
def any_pipeline(any_server: RunningServer, tmp_path: Path) -> Iterator[Pipeline]:
    """The same on every server."""
    yield from _fresh(any_server, tmp_path)


def _fresh(server: RunningServer, folder: Path) -> Iterator[Pipeline]:
    import redis

    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    home = folder / ".blueplane"
    home.mkdir()
    with Pipeline(server.url, home) as pipeline:
        yield pipeline

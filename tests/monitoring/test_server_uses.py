"""What a real process of the server uses, beside what is examined."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination, ServerInfo
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.model import Report
from blueplane_doctor.monitoring.server_uses import ServerUses, ServerUsesMonitor
from blueplane_doctor.settings.values import load
from blueplane_doctor.sources.redis_address import ExaminedRedis
from tests.helpers import finding, settings_for
from tests.sources.server_stand_in import StandIn, server_stand_in


@pytest.fixture(scope="module")
def redis_port() -> Iterator[int]:
    """A Redis that listens on a port, as the pipeline's does."""
    with run_server(tcp=True) as server:
        port = urlsplit(server.url).port
        assert port is not None
        yield port


@pytest.fixture
def pipeline(redis_port: int, tmp_path: Path) -> Iterator[Pipeline]:
    home = tmp_path / ".blueplane"
    home.mkdir()
    with Pipeline(f"redis://127.0.0.1:{redis_port}", home) as running:
        yield running


@contextmanager
def another_redis() -> Iterator[int]:
    """A port on which somebody listens who is not the examined Redis."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def server_of(pipeline: Pipeline, folder: Path, *, port: int | Path, home: Path | None = None) -> Iterator[StandIn]:
    """A server connected to that port, with the log of a home open; the pid file of the examined home names it."""
    home = home or pipeline.home
    with server_stand_in(folder / "checkout", ports=[port], files=[home / "server.log"]) as server:
        (pipeline.home / "server.pid").write_text(str(server.pid))
        yield server


def log(home: Path, text: str) -> None:
    with (home / "server.log").open("a") as file:
        file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} - src.processing.server - INFO - {text}\n")


def port_of(pipeline: Pipeline) -> int:
    return urlsplit(pipeline.redis_url).port or 6379


def uses(pipeline: Pipeline, **flags: object) -> ServerUses:
    evidence = Doctor(settings_for(pipeline, **flags)).collect()
    record = evidence.records["server_uses"]
    assert isinstance(record, ServerUses)
    return record


def report(pipeline: Pipeline, **flags: Any) -> Report:
    return Doctor(settings_for(pipeline, **flags)).examine()


def test_a_connection_proves_that_the_redis_is_the_same(pipeline: Pipeline, tmp_path: Path) -> None:
    with server_of(pipeline, tmp_path, port=port_of(pipeline)):
        used = uses(pipeline)
    assert (used.redis.compared, used.redis.is_proof) == ("the same", True)
    assert (used.database.compared, used.database.shown_by) == ("the same", "its process")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the other end of a unix socket")
def test_unix_sockets_are_compared(pipeline: Pipeline, tmp_path: Path) -> None:
    own = tmp_path / "redis.sock"
    with (
        run_server() as server,
        socket.socket(socket.AF_UNIX) as another,
        closing(Examination(settings_for(pipeline, redis_url=server.url))) as by_file,
        closing(Examination(settings_for(pipeline))) as by_port,
    ):
        used = Path(urlsplit(server.url).path)
        another.bind(str(own))
        another.listen()
        by_port.answers["server_config"] = {"unixsocket": str(used)}
        for port, compared in ((used, "the same"), (own, "another")):
            with server_of(pipeline, tmp_path, port=port), ExitStack() as stack:
                if port == own:
                    stack.enter_context(another.accept()[0])
                for examination in (by_file, by_port):
                    monitor = ServerUsesMonitor(examination)
                    record = monitor.concluded(monitor.collect())
                    assert isinstance(record, ServerUses)
                    redis = record.redis
                    assert redis.compared == compared
                    assert redis.shown_by == "its process"
                    assert redis.is_proof is (compared == "the same")
                    assert str(tmp_path) not in redis.name


def test_two_ports_in_two_configurations_are_both_named(pipeline: Pipeline, tmp_path: Path) -> None:
    """The home's names the examined Redis; the checkout's, by which the server goes, another one."""
    config = tmp_path / "checkout" / "config"
    config.mkdir(parents=True)
    with another_redis() as port:
        (config / "config.yaml").write_text(f"redis: {{connection: {{host: localhost, port: {port}}}}}\n")
        with server_of(pipeline, tmp_path, port=port):
            found = report(pipeline)
    same = finding(found, "same-pipeline")
    assert (same.status, same.observed) == ("red", "another Redis")
    assert f"127.0.0.1:{port} (according to its process)" in same.summary
    assert f"{port_of(pipeline)} is examined" in same.summary
    assert same.evidence["its configuration"] == "config/ of the checkout that it was started from"
    cause = next(one for one in found.causes if one.id == "another-redis")
    assert cause.certain


def test_another_database_of_the_same_redis_is_told(pipeline: Pipeline, tmp_path: Path) -> None:
    config = tmp_path / "checkout" / "config"
    config.mkdir(parents=True)
    port = port_of(pipeline)
    for number, compared in ((0, "another"), (3, "the same")):
        text = f"redis: {{connection: {{host: localhost, port: {port}, db: {number}}}}}\n"
        (config / "config.yaml").write_text(text)
        with server_of(pipeline, tmp_path, port=port):
            redis = uses(pipeline, redis_url=f"redis://127.0.0.1:{port}/3").redis
        assert (redis.compared, redis.shown_by) == (compared, "its configuration" if number == 0 else "its process")


def test_a_configuration_alone_is_likely(pipeline: Pipeline, tmp_path: Path) -> None:
    config = tmp_path / "checkout" / "config"
    config.mkdir(parents=True)
    (config / "config.yaml").write_text("redis: {connection: {host: localhost, port: 6390}}\n")
    with server_stand_in(tmp_path / "checkout") as server:
        (pipeline.home / "server.pid").write_text(str(server.pid))
        used = uses(pipeline)
        found = report(pipeline)
    assert (used.redis.compared, used.redis.shown_by, used.redis.is_proof) == ("another", "its configuration", False)
    assert not next(one for one in found.causes if one.id == "another-redis").certain


def test_a_configuration_that_was_changed_since_does_not_outweigh_a_connection(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    config = tmp_path / "checkout" / "config"
    config.mkdir(parents=True)
    (config / "config.yaml").write_text(f"redis: {{connection: {{port: {port_of(pipeline)}}}}}\n")
    with another_redis() as port, server_of(pipeline, tmp_path, port=port):
        used = uses(pipeline)
    assert (used.redis.compared, used.redis.is_proof, used.redis_port) == ("another", False, port)


def test_the_server_names_what_it_uses(pipeline: Pipeline, tmp_path: Path) -> None:
    with server_of(pipeline, tmp_path, port=port_of(pipeline)) as server:
        evidence = finding(report(pipeline), "same-pipeline").evidence
    assert evidence == {
        "the server's process": server.pid,
        "its configuration": "config.yaml of its home",
        "its Redis": f"127.0.0.1:{port_of(pipeline)}",
        "its database": evidence["its database"],
    }
    assert str(evidence["its database"]).startswith("<hidden-")


def test_a_log_of_another_time_does_not_outweigh_a_connection(pipeline: Pipeline, tmp_path: Path) -> None:
    log(pipeline.home, "Successfully connected to Redis at localhost:6390")
    with server_of(pipeline, tmp_path, port=port_of(pipeline)):
        assert uses(pipeline).redis.compared == "the same"


def test_a_server_of_another_home_is_found_by_its_port(pipeline: Pipeline, tmp_path: Path) -> None:
    """The pid file of the examined home is of an earlier server; whoever answers now writes elsewhere."""
    other = tmp_path / "other" / ".blueplane"
    other.mkdir(parents=True)
    pipeline.create_database()
    with server_stand_in(tmp_path / "checkout", ports=[port_of(pipeline)], files=[other / "server.log"]) as server:
        found = report(pipeline, http_url=f"http://127.0.0.1:{server.port}")
    same = finding(found, "same-pipeline")
    assert (same.status, same.observed) == ("red", "another database")
    assert "<hidden-" in same.summary and "telemetry.db is examined" in same.summary
    assert str(tmp_path) not in found.model_dump_json()


def test_an_open_database_is_proof(pipeline: Pipeline, tmp_path: Path) -> None:
    other = tmp_path / "telemetry.db"
    log(pipeline.home, f"Initialized SQLite database at {pipeline.home / 'telemetry.db'}")
    with server_stand_in(tmp_path / "checkout", ports=[port_of(pipeline)], files=[other]) as server:
        (pipeline.home / "server.pid").write_text(str(server.pid))
        used = uses(pipeline).database
    assert (used.compared, used.is_proof) == ("another", True)


def test_a_path_of_a_log_in_a_container_is_no_path_here(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blueplane_doctor.sources.process_use._sees_the_same_files", lambda pid: False)
    log(pipeline.home, "Initialized SQLite database at /root/.blueplane/telemetry.db")
    with server_stand_in(tmp_path / "checkout", ports=[port_of(pipeline)]) as server:
        (pipeline.home / "server.pid").write_text(str(server.pid))
        used = uses(pipeline)
    assert (used.redis.compared, used.database.compared) == ("the same", "unknown")


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_of_several_nodes_the_server_may_use_any(kind: str, tmp_path: Path) -> None:
    url = f"redis+{kind}://127.0.0.1:7000" + ("/mymaster" if kind == "sentinel" else "")
    examination = Examination(load({"home": tmp_path, "redis_url": url}).settings)
    examination.answers["server_info"] = ServerInfo({"tcp_port": "7000"}, host_ms=0)
    assert ServerUsesMonitor(examination)._examined_redis() == ExaminedRedis(None)
    examination.close()


def test_a_link_leads_to_the_same_database(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.create_database()
    link = tmp_path / "link.db"
    link.symlink_to(pipeline.home / "telemetry.db")
    log(pipeline.home, f"Initialized SQLite database at {link}")
    with server_of(pipeline, tmp_path, port=port_of(pipeline)):
        assert uses(pipeline).database.compared == "the same"


def test_what_the_system_does_not_show_is_no_verdict(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: psutil.Process, *arguments: object, **named: object) -> object:
        raise psutil.AccessDenied(self.pid)

    with another_redis() as port, server_of(pipeline, tmp_path, port=port) as server:
        for name in ("net_connections", "open_files", "cwd"):
            monkeypatch.setattr(psutil.Process, name, refuse)
        same = finding(report(pipeline), "same-pipeline")
    assert same.status == "unknown"
    assert same.cause is not None
    assert f"the system does not show this user what process {server.pid} uses" in same.cause


def test_without_a_server_nothing_is_compared(pipeline: Pipeline) -> None:
    log(pipeline.home, "Successfully connected to Redis at localhost:6390")
    assert uses(pipeline, http_url="http://127.0.0.1:1") == ServerUses(examined_redis=f"127.0.0.1:{port_of(pipeline)}")

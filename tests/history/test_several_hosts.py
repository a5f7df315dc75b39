"""The history and the recorder behind Sentinel and with TLS; in a cluster the history, and not the recorder."""

from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner

from blueplane_doctor.cli import app
from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample
from blueplane_doctor.judging.sampler import RecorderLock
from blueplane_doctor.recording import Recorder
from tests.connection.servers import certificates, cluster, free_port, port_of, sentinel, wait_for
from tests.recording.helpers import recorded
from tests.servers import require_server

NOW = 1_795_360_020


def keeps(url: str) -> None:
    """A sample and a measured write get there and come back."""
    storage = HealthMetricsStorage(url)
    storage.write(Sample(NOW, {"a.b": 7.0}))
    assert storage.read("a.b", NOW, NOW) == [(NOW, 7)]
    storage.close()
    recorder = Recorder(url)
    recorder.write("raw_traces", 3, 0.01, True)
    recorder.close()
    assert recorder.dropped == 0
    assert recorded(url).writes["raw_traces"].rows == 3


def test_behind_sentinel(tmp_path: Path) -> None:
    with ExitStack() as stack:
        master = stack.enter_context(run_server(require_server("valkey-9.1"), tcp=True))
        port = stack.enter_context(sentinel(tmp_path, port_of(master)))
        with redis.Redis(port=port, decode_responses=True) as asked:
            wait_for(lambda: asked.sentinel_get_master_addr_by_name("main") == ("127.0.0.1", port_of(master)))
        keeps(f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/main/0")
        with redis.Redis.from_url(master.url) as client:
            assert client.exists("blueplane:health:history:samples")


def test_with_tls(tmp_path: Path) -> None:
    certificate, key = certificates(tmp_path)
    port = free_port()
    options = ("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    options += ("--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no", "--bind", "127.0.0.1")
    with run_server(require_server("redis-7.0"), arguments=options):
        keeps(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}")


@pytest.mark.slow
def test_a_history_in_a_cluster_is_a_stream_on_one_of_its_nodes() -> None:
    with cluster() as nodes:
        urls = [f"redis+cluster://127.0.0.1:{port_of(node)}" for node in nodes]
        storage = HealthMetricsStorage(urls[0])
        assert (storage.backend, storage.begun()) == ("stream", False)
        lock = RecorderLock(storage.connection, storage.prefix, 60)
        assert lock.hold()
        for minute in range(90):
            storage.write(Sample(NOW + 60 * minute, {"a.b": float(minute), "c": 1.0}))
        lock.release()
        storage.close()
        for url in urls:
            other = HealthMetricsStorage(url)
            assert other.begun()
            assert other.metrics() == ["a.b", "c"]
            assert [value for _, value in other.read("a.b", NOW, NOW + 89 * 60)] == list(range(90))
            other.close()


def test_a_recorder_in_a_cluster_is_refused_before_anything_starts(tmp_path: Path) -> None:
    words = ["--home", str(tmp_path), "--redis-url", "redis+cluster://127.0.0.1:1", "instrument", "--", "true"]
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == SettingsError.exit_code
    assert "not in a cluster" in ended.stderr

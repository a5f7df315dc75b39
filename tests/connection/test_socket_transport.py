"""Plain addresses: every step of a connection ends in time."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis

from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.errors import SourceError, SourceUnreachable
from blueplane_doctor.judging.diagnose import Doctor, diagnose
from blueplane_doctor.model import Status
from blueplane_doctor.settings.values import load
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.redis_source import RedisSource
from tests.connection.servers import SECRET, fill, seen
from tests.helpers import finding
from tests.parameters import one_quick
from tests.servers import require_server


def test_a_password_and_a_unix_socket(tmp_path: Path) -> None:
    with run_server(require_server("valkey-9.1")) as server:
        with redis.Redis.from_url(server.url) as client:
            fill(client)
            client.config_set("requirepass", SECRET)
        seen(server.url.replace("unix://", f"unix://:{quote(SECRET, safe='')}@"), tmp_path)
        refused = Doctor(load({"home": tmp_path, "redis_url": server.url}).settings).collect(names=["queue"])
        assert "refused the login" in refused.missing["queue"]


@pytest.mark.parametrize(
    "refusal", ["-ERR max number of clients reached", "-DENIED Redis is running in protected mode"]
)
def test_why_a_server_closes_the_connection_at_once_is_told(refusal: str) -> None:
    """It says so once, and closes: whatever was asked meanwhile is refused by the system only."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        source = RedisSource(f"redis://127.0.0.1:{listener.getsockname()[1]}", Deadline(5))

        def refuse() -> None:
            connected, _ = listener.accept()
            with connected:
                connected.sendall(refusal.encode() + b"\r\n")

        server = threading.Thread(target=refuse)
        server.start()
        with pytest.raises(SourceError, match=r"max number of clients|DENIED"):
            source.ask(("PING",), ("XLEN", "telemetry:message_queue"))
        server.join()


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full: the next one is neither accepted nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize("options", one_quick(["", "?health_check_interval=5"]))
def test_a_connection_that_never_comes_about_is_not_called_accepted(full_port: int, options: str) -> None:
    source = RedisSource(f"redis://127.0.0.1:{full_port}{options}", Deadline(0.4))
    with pytest.raises(SourceUnreachable, match=r"cannot be reached: (no connection in|Timeout connecting)"):
        source.ask_one("PING")


@pytest.mark.slow
@pytest.mark.parametrize("url", ["redis://db.invalid", "rediss://db.invalid", "redis://db.invalid?protocol=2"])
def test_a_name_that_nobody_resolves_ends_in_time(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red for Redis, and all that needs no Redis is judged as ever."""
    over = threading.Event()
    known = socket.getaddrinfo

    def slow(host: Any, *more: Any, **named: Any) -> Any:
        return over.wait(60) and [] if host == b"db.invalid" else known(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        report = diagnose(load({"home": tmp_path, "redis_url": url, "timeout": 8.0}).settings)
    finally:
        over.set()
    reachable = finding(report, "redis-reachable")
    assert reachable.status is Status.RED
    assert "no name server gave its address in 2 s" in reachable.summary
    assert finding(report, "database-reachable").status is Status.RED
    assert report.duration_ms < 7_000

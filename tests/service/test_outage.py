"""Sources die, hang and come back while clients poll: answers stay honest, and nothing leaks."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from tests.servers import require_server
from tests.service.support import LIMIT_SECONDS, Served, serving, wait_until

CLIENTS = 30
PATHS = ("/api/v1/health", "/api/v1/health/queue", "/api/v1/health/chain", "/metrics", "/health")

pytestmark = pytest.mark.slow


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[RunningServer, Pipeline]]:
    with run_server(require_server("valkey-9.1")) as server, Pipeline(server.url, tmp_path / "home") as pipeline:
        faults.healthy(pipeline)
        yield server, pipeline


class Poll:
    """Many clients that ask all the time; keeps (moment, path, code, status) of every answer."""

    def __init__(self, service: Served) -> None:
        self._url, self.answers, self._going = service.url, list[tuple[float, str, int, str]](), True

    async def run(self, story: Any) -> None:
        """Poll while the story, which blocks, is told in a thread."""
        limits = httpx.Limits(max_connections=CLIENTS)
        async with httpx.AsyncClient(base_url=self._url, timeout=5, trust_env=False, limits=limits) as client:
            polling = [asyncio.create_task(self._one(client, number)) for number in range(CLIENTS)]
            try:
                await asyncio.to_thread(story)
            finally:
                self._going = False
                await asyncio.gather(*polling)

    async def _one(self, client: httpx.AsyncClient, number: int) -> None:
        path = PATHS[number % len(PATHS)]
        while self._going:
            answer = await client.get(path)
            status = answer.json().get("health_status", "") if path != "/metrics" else ""
            self.answers.append((time.monotonic(), path, answer.status_code, status))
            await asyncio.sleep(0.5)


def test_redis_hangs_and_comes_back_while_clients_poll(own: tuple[RunningServer, Pipeline]) -> None:
    server, pipeline = own
    with serving(pipeline) as service:
        service.ready()
        moments: dict[str, float] = {}

        def story() -> None:
            time.sleep(1)
            moments["stopped"] = time.monotonic()
            os.kill(server.pid, signal.SIGSTOP)
            try:
                time.sleep(LIMIT_SECONDS + 3)
            finally:
                os.kill(server.pid, signal.SIGCONT)
            wait_until(lambda: service.status() == "green", 10, "not green again")
            time.sleep(1)
            moments["back"] = time.monotonic()

        poll = Poll(service)
        asyncio.run(poll.run(lambda: None))
        wait_until(lambda: service.get("/healthz").status_code == 200, 5, "not there")
        time.sleep(1)
        before = service.resources()
        poll = Poll(service)
        asyncio.run(poll.run(story))

        hung = (moments["stopped"] + LIMIT_SECONDS, moments["stopped"] + LIMIT_SECONDS + 3)
        in_outage = [a for a in poll.answers if hung[0] < a[0] < hung[1]]
        assert len(in_outage) > CLIENTS
        assert {code for _, path, code, _ in in_outage if path == "/metrics"} == {200}
        told = {status for _, path, _, status in in_outage if path != "/metrics"}
        assert told <= {"red", "unknown"}, "an old good answer outlived the outage"
        assert {code for _, path, code, _ in in_outage if path != "/metrics"} == {503}
        assert {code for _, _, code, _ in poll.answers} <= {200, 503}

        def as_before() -> bool:
            threads, files = service.resources()
            return threads <= before[0] + 1 and files <= before[1] + 2

        wait_until(as_before, 10, f"more than before, {before}")


def test_redis_dies_and_another_takes_its_place(tmp_path: Path) -> None:
    program = require_server("valkey-9.1")
    home = tmp_path / "home"
    with run_server(program, tcp=True) as server:
        with Pipeline(server.url, home) as pipeline:
            faults.healthy(pipeline)
        port = server.url.rsplit(":", 1)[1].split("/")[0]
        with serving(pipeline, redis_url=server.url) as service:
            service.ready()
            os.kill(server.pid, signal.SIGKILL)
            wait_until(lambda: service.status() == "red", LIMIT_SECONDS, "not red")
            assert service.get("/api/v1/health/trace/1-1").status_code == 503
            assert service.get("/metrics").status_code == 200
            assert service.get("/healthz").status_code == 200
            another = run_server(program, arguments=("--port", port, "--bind", "127.0.0.1"))
            with another, Pipeline(server.url, home, seed=8) as pipeline:
                faults.healthy(pipeline)
                wait_until(lambda: service.status() == "green", 10, "not back")


def test_metrics_hold_no_old_verdict_in_an_outage(own: tuple[RunningServer, Pipeline]) -> None:
    server, pipeline = own
    with serving(pipeline) as service:
        service.ready()
        assert "blueplane_doctor_chain_status 0.0" in service.get("/metrics").text
        os.kill(server.pid, signal.SIGSTOP)
        try:
            wait_until(lambda: "chain_status 0.0" not in service.get("/metrics").text, LIMIT_SECONDS, "still there")
            assert "blueplane_doctor_report_status 0.0" not in service.get("/metrics").text
        finally:
            os.kill(server.pid, signal.SIGCONT)

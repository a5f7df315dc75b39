"""Three hundred clients while what `serve` examines dies, hangs and returns: all stays bounded."""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from tests.faults.commands import COMMANDS, Served, served
from tests.faults.results import record
from tests.faults.service_faults import CLIENTS, SERVICE_FAULTS, ServiceFault
from tests.faults.stage import Stage, stage
from tests.waiting import PATIENCE_SECONDS, wait_until

_CALM = {"BLUEPLANE_DOCTOR_IGNORE": "server,stream-lost,redis-durability,dead-letters,dead-letter-growth"}
"""Not of what dies here: there is no server process, and the dead letters are the stage's own."""

pytestmark = [pytest.mark.slow, pytest.mark.server]


@dataclass
class Crowd:
    """Clients that ask again and again, each on a connection of its own."""

    port: int
    going: bool = True
    codes: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    """Connections that the service closed, or on which no answer came."""

    async def ask(self, until: Callable[[], None]) -> None:
        """Ask until this, which blocks, has ended."""
        clients = [asyncio.create_task(self._client(number)) for number in range(CLIENTS)]
        try:
            await asyncio.to_thread(until)
        finally:
            self.going = False
            await asyncio.gather(*clients)

    async def _client(self, number: int) -> None:
        path = ("/api/v1/health", "/healthz", "/metrics", "/api/v1/health/queue")[number % 4]
        await asyncio.sleep(number / CLIENTS)
        while self.going:
            try:
                await self._connected(path)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                self.broken += 1
                await asyncio.sleep(1)

    async def _connected(self, path: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            while self.going:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
                self.codes[int(head.split(b" ")[1])] += 1
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await asyncio.wait_for(reader.readexactly(int(length[0].split(b":")[1])), PATIENCE_SECONDS)
                await asyncio.sleep(1)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _status(service: Served) -> str:
    health = service.get("/api/v1/health").partition(" ")[2]
    return str(json.loads(health)["health_status"])


def _resources(service: Served) -> tuple[int, int]:
    """Threads and open files at rest: the least of some looks."""
    process = psutil.Process(service.process.pid)
    looks = []
    for _ in range(20):
        looks.append((process.num_threads(), process.num_fds()))
        time.sleep(0.02)
    return min(threads for threads, _ in looks), min(files for _, files in looks)


@pytest.mark.parametrize("name", SERVICE_FAULTS)
def test_three_hundred_clients(name: str) -> None:
    fault = SERVICE_FAULTS[name]
    found: list[str] = []
    try:
        with stage() as it, _calm(it), served(COMMANDS["serve"].arguments(it), it) as service:
            it.variables["SERVED_PORT"] = str(service.port)
            found += _outage(fault, it, service)
    except AssertionError as error:
        found.append(str(error))
    record(f"service-{name}", "service", "serve", found)
    assert not found, "\n".join(found)


def _outage(fault: ServiceFault, it: Stage, service: Served) -> Iterator[str]:
    wait_until(lambda: _status(service) == "green", "the first verdict is not green")
    asyncio.run(Crowd(service.port).ask(lambda: time.sleep(1)))  # what is made once for all is there now
    before = _resources(service)
    crowd = Crowd(service.port)

    def story() -> None:
        with fault.happens(it):
            if fault.is_outage:
                wait_until(lambda: _status(service) in ("red", "unknown"), "the outage does not show")
            else:
                wait_until(lambda: _status(service) == "green", "no verdict")
        wait_until(lambda: _status(service) == "green", "it is not green again")

    asyncio.run(crowd.ask(story))
    if crowd.broken:
        yield f"answers: {crowd.broken} connections broke off"
    if set(crowd.codes) - {200, 503}:
        yield f"answers: {dict(crowd.codes)}"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(now > then for now, then in zip(_resources(service), before, strict=True)):
        if time.monotonic() > deadline:
            yield f"left: threads and files {_resources(service)}, before {before}"
            return


@contextlib.contextmanager
def _calm(it: Stage) -> Iterator[None]:
    it.variables = dict(_CALM)
    yield

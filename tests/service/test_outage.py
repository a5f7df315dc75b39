"""Sources die, hang and come back while clients poll: answers stay honest, and nothing leaks."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from blueplane_doctor.demo import faults
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.http_server.connections import REQUEST_SECONDS
from tests.servers import require_server
from tests.service.support import CALM, LIMIT_SECONDS, Served, locked, serving
from tests.waiting import PATIENCE_SECONDS, wait_until

CLIENTS = 200
EVERY_SECONDS = 1.0
"""Between two questions of one client."""
OUTAGE_SECONDS = 3.0
"""For which it goes on at least, once it shows."""
RECOVERY_SECONDS = 90.0
"""After which a busy machine has no excuse any more."""
OVERALL = ("/api/v1/health", "/health")
OF_REDIS = (*OVERALL, "/api/v1/health/queue", "/api/v1/health/chain", "/api/v1/health/capture")
OF_THE_DATABASE = (*OVERALL, "/api/v1/health/database")
BESIDE = ("/metrics", "/api/v1/health/trace/{}-0", "/api/v1/health/history?metric=queue.queue_depth")
"""Asked as well; `{}` is another for each client."""
WITHOUT_STREAM_LOST = (*CALM, "--ignore", "stream-lost", "--ignore", "delivery-delay")
"""The server that takes a dead one's place begins with another stream: yellow for an hour, and rightly so. Its messages
are dated back by the simulation, and their rows are not."""

pytestmark = pytest.mark.slow


@dataclass
class Scene:
    """A healthy pipeline on a server of its own, and what may happen to it."""

    server: RunningServer
    pipeline: Pipeline
    stack: ExitStack

    @contextmanager
    def redis_hangs(self) -> Iterator[None]:
        os.kill(self.server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.server.pid, signal.SIGCONT)

    @contextmanager
    def redis_dies(self) -> Iterator[None]:
        """Another takes its place, on the same port."""
        port = self.server.url.rsplit(":", 1)[1].split("/")[0]
        os.kill(self.server.pid, signal.SIGKILL)
        yield
        arguments = ("--port", port, "--bind", "127.0.0.1")
        self.stack.enter_context(run_server(require_server("valkey-9.1"), arguments=arguments))
        faults.healthy(self.stack.enter_context(Pipeline(self.server.url, self.pipeline.home, seed=8)))

    @contextmanager
    def database_goes(self) -> Iterator[None]:
        away = self.pipeline.database.with_suffix(".away")
        self.pipeline.database.rename(away)
        yield
        away.rename(self.pipeline.database)

    @contextmanager
    def database_hangs(self) -> Iterator[None]:
        """Locked by one who does not end."""
        with locked(self.pipeline.database):
            yield


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        server = stack.enter_context(run_server(require_server("valkey-9.1"), tcp=True))
        pipeline = stack.enter_context(Pipeline(server.url, tmp_path / "home"))
        faults.healthy(pipeline)
        yield Scene(server, pipeline, stack)


@dataclass(frozen=True)
class Answer:
    """One answer to one client."""

    asked: float
    at: float
    path: str
    code: int
    status: str


class Poll:
    """Many clients that ask all the time."""

    def __init__(self, service: Served, paths: tuple[str, ...]) -> None:
        self._url, self._paths = service.url, (*paths, *BESIDE)
        self.answers: list[Answer] = []
        self._going = True

    def asked_since(self, moment: float) -> set[str]:
        """The paths of which an answer is there that was asked for later."""
        return {answer.path for answer in [*self.answers] if answer.asked > moment}

    def bad_since(self, moment: float) -> set[str]:
        """Of these the paths that answered that not all is well."""
        return {answer.path for answer in [*self.answers] if answer.asked > moment and answer.code == 503}

    async def run(self, story: Callable[[], None]) -> None:
        """Poll while the story, which blocks, is told in a thread."""
        limits = httpx.Limits(max_connections=CLIENTS)
        async with httpx.AsyncClient(
            base_url=self._url, timeout=PATIENCE_SECONDS, trust_env=False, limits=limits
        ) as client:
            polling = [asyncio.create_task(self._one(client, number)) for number in range(CLIENTS)]
            try:
                await asyncio.to_thread(story)
            finally:
                self._going = False
                await asyncio.gather(*polling)

    async def _one(self, client: httpx.AsyncClient, number: int) -> None:
        path = self._paths[number % len(self._paths)]
        await asyncio.sleep(EVERY_SECONDS * number / CLIENTS)
        while self._going:
            asked = time.monotonic()
            answer = await _answer(client, path.format(number))
            status = answer.json().get("health_status", "") if path not in BESIDE else ""
            self.answers.append(Answer(asked, time.monotonic(), path, answer.status_code, status))
            await asyncio.sleep(EVERY_SECONDS)


async def _answer(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """The answer; asked for anew where a busy machine sent the request so late that its connection had been closed."""
    while True:
        asked = time.monotonic()
        try:
            return await client.get(path)
        except httpx.RemoteProtocolError:
            if time.monotonic() - asked < REQUEST_SECONDS:
                raise


def at_rest(service: Served) -> tuple[int, int]:
    """Threads and open files between two looks."""
    counted = []
    for _ in range(40):
        counted.append(service.resources())
        time.sleep(0.05)
    return min(threads for threads, _ in counted), min(files for _, files in counted)


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        pytest.param("redis_hangs", OF_REDIS, id="Redis hangs"),
        pytest.param("redis_dies", OF_REDIS, id="Redis dies"),
        pytest.param("database_goes", OF_THE_DATABASE, id="the database goes"),
        pytest.param("database_hangs", OF_THE_DATABASE, id="the database hangs"),
    ],
)
def test_an_outage_while_two_hundred_poll(scene: Scene, name: str, paths: tuple[str, ...]) -> None:
    with serving(scene.pipeline, before=WITHOUT_STREAM_LOST) as service:
        service.ready()
        moments: dict[str, float] = {}

        def story() -> None:
            time.sleep(1)
            begun = time.monotonic()
            with getattr(scene, name)():
                wait_until(lambda: poll.bad_since(begun) >= {*paths}, "the outage does not show", LIMIT_SECONDS)
                moments["seen"] = time.monotonic()
                time.sleep(OUTAGE_SECONDS)
                wait_until(
                    lambda: poll.asked_since(moments["seen"]) >= {*paths, "/metrics"}, "not every path was answered"
                )
                moments["ended"] = time.monotonic()
            wait_until(lambda: service.status() == "green", "not green again")

        asyncio.run(Poll(service, paths).run(lambda: time.sleep(2)))  # what is made once for all is there now
        before = at_rest(service)
        poll = Poll(service, paths)
        asyncio.run(poll.run(story))

        # By when it was asked: a busy machine may read late what was answered before.
        known = [a for a in poll.answers if moments["seen"] < a.asked and a.at < moments["ended"]]
        judged = [a for a in known if a.path in paths]
        assert len({a.path for a in judged}) == len(paths)
        assert {a.status for a in judged} <= {"red", "unknown"}, "an old good answer outlived the outage"
        assert {a.code for a in judged} == {503}
        assert {a.code for a in known if a.path == "/metrics"} == {200}
        crowded = {429}  # many different look-ups at the same time: told to come again, not kept waiting
        assert {a.code for a in poll.answers if a.path not in BESIDE} <= {200, 503}
        assert {a.code for a in poll.answers if a.path in BESIDE} <= {200, 404, 503} | crowded
        wait_until(lambda: at_rest(service) <= before, f"more threads or files than before, {before}")


def test_metrics_hold_no_old_verdict_in_an_outage(scene: Scene) -> None:
    with serving(scene.pipeline) as service:
        service.ready()
        assert "blueplane_doctor_chain_status 0.0" in service.get("/metrics").text
        with scene.redis_hangs():
            wait_until(lambda: "chain_status 0.0" not in service.get("/metrics").text, "still there", LIMIT_SECONDS)
            assert "blueplane_doctor_report_status 0.0" not in service.get("/metrics").text

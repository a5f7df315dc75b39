"""Repairs in processes that are killed at the n-th call that changes the disk or Redis, for every n; run as a program.

    python -m tests.repair.dying FOLDER REDIS_URL

The end is compared with that of a repair which nobody killed. Prints how many deaths it saw.
"""

import json
import os
import shutil
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import redis

from blueplane_doctor.demo import schema
from blueplane_doctor.demo.servers import stand_in_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.repair.applying import Applier
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import Plan
from blueplane_doctor.settings.values import load
from blueplane_hook.events import envelope
from blueplane_hook.spool import SPOOL_FILE, Spool
from tests.repair.pipelines import planned, settings_for, store_of

CALLS = ("mkdir", "open", "write", "pwrite", "ftruncate", "fsync", "fchmod", "replace", "rename", "link", "unlink")
CURSOR, CLAUDE = "processors", "claude_processors"
DEAD_CONSUMER = "claude-consumer-4999999"
ALL_LETTERS = DeadLetterFilter(newer_than_ms=10**12)
WRITTEN = 11
"""Rows there in the end: 3 that were stuck, an orphan, 2 buffered, 3 spooled, a dead letter, and one of before."""


def make_scene(pipeline: Pipeline) -> None:
    """One of each kind of thing that a repair moves."""
    at = pipeline.ago(minutes=3)
    (written,) = pipeline.enqueue_cursor(1, at=at)
    pipeline.drain()
    pipeline.enqueue_cursor(4, at=at, event_ids=["a", "b", "a", "c"])
    pipeline.drain(CURSOR)
    pipeline.age_pending(CURSOR, milliseconds=180_000)
    pipeline.client.xclaim(
        pipeline.queue, CURSOR, pipeline.consumers[CURSOR], 0, [written], idle=180_000, force=True, justid=True
    )
    pipeline.drain(CLAUDE)
    pipeline.enqueue_claude_hook(1, at=at)
    pipeline.deliver(CLAUDE, consumer=DEAD_CONSUMER)
    pipeline.drain(CURSOR)
    (given_up,) = pipeline.enqueue_cursor(1, at=at, event_ids=["letter"])
    pipeline.deliver(CURSOR)
    pipeline.dead_letter(given_up, "queue_writer", at=at)
    pipeline.drain()
    pipeline.age_pending(CLAUDE, milliseconds=180_000, consumer=DEAD_CONSUMER)
    _fill_buffer(pipeline)
    for number in range(3):
        event = envelope("stop", json.dumps({"conversation_id": str(number)}).encode(), str(pipeline.home))
        assert event is not None
        Spool(str(pipeline.home)).add(event)


def _fill_buffer(pipeline: Pipeline) -> None:
    event = {"hook_type": "DatabaseTrace", "timestamp": "2026-11-28T10:00:00+00:00", "payload": {}}
    event["metadata"] = {"source": "unified_monitor", "workspace_hash": "w"}
    texts = [(json.dumps({**event, "event_id": f"buffered-{number}"}),) for number in range(2)]
    with closing(schema.connect(pipeline.home / "event_buffer.db")) as connection:
        connection.execute(
            "CREATE TABLE buffered_events (id INTEGER PRIMARY KEY AUTOINCREMENT, event_data TEXT NOT NULL)"
        )
        connection.executemany("INSERT INTO buffered_events (event_data) VALUES (?)", texts)
        connection.commit()


class Scene:
    """A pipeline and its plan, which can be put back to how they were."""

    def __init__(self, folder: Path, url: str, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.plan: Plan = planned(pipeline, wanted=Wanted(filter=ALL_LETTERS))
        # What a hook spools after the plan stays with the hooks.
        Spool(str(pipeline.home)).add(b'{"later":1}')
        self._raw = redis.Redis.from_url(url)
        self._keys = {key: self._raw.dump(key) for key in self._raw.scan_iter()}
        self._kept = folder / "kept"
        shutil.copytree(pipeline.home, self._kept)

    def put_back(self) -> None:
        self._raw.flushall()
        for key, value in self._keys.items():
            self._raw.restore(key, 0, value)  # type: ignore[arg-type]
        shutil.rmtree(self.pipeline.home)
        shutil.copytree(self._kept, self.pipeline.home)

    def apply(self) -> None:
        settings = settings_for(self.pipeline)
        Applier(settings, store_of(self.pipeline), self.plan, write_url=settings.redis_url, patience=0).apply()

    def end(self) -> dict[str, Any]:
        """What may not differ: rows, what is pending, dead letters, spool, buffer."""
        client = self.pipeline.client
        letters = []
        for stream in self.pipeline.layout.dead_letters:
            for _, fields in client.xrange(stream):
                letters.append(sorted((name, value) for name, value in fields.items() if name != "moved_to_dlq_at"))
        pending = {}
        for group in self.pipeline.groups:
            pending[group] = [
                entry["message_id"] for entry in client.xpending_range(self.pipeline.queue, group, "-", "+", 99)
            ]
        return {
            "rows": sorted(self.rows()),
            "pending": pending,
            "letters": sorted(letters),
            "spool": (self.pipeline.home / SPOOL_FILE).read_bytes(),
            "apart": [path.name for path in self.pipeline.home.glob("*.own")],
            "buffer": sha256((self.pipeline.home / "event_buffer.db").read_bytes()).hexdigest(),
        }

    def rows(self) -> list[str]:
        with closing(sqlite3.connect(self.pipeline.database)) as connection:
            cursor = connection.execute("SELECT event_id FROM cursor_raw_traces").fetchall()
            claude = connection.execute("SELECT external_id FROM claude_raw_traces").fetchall()
        return [row[0] for row in (*cursor, *claude)]


def dies(work: Callable[[], None], moment: int) -> bool:
    """Do the work in a child that is killed at that call; whether it came to that."""
    child = os.fork()
    if not child:
        _die_at(moment)
        work()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0, f"call {moment}: the repair failed"
    return False


def _die_at(moment: int) -> None:
    left = [moment]

    def deadly(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **more: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **more)

        return call

    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))
    socket.socket.sendall = deadly(socket.socket.sendall)  # type: ignore[method-assign,assignment]


def repair(scene: Scene) -> None:
    """All of it: what is delivered is written, and then the letters of what is written go."""
    scene.apply()
    scene.pipeline.drain()
    scene.apply()


def main(folder: Path, url: str) -> None:
    load()
    with redis.Redis.from_url(url) as client:
        client.flushall()
    with stand_in_server() as server, Pipeline(url, folder / "home", pid=server.pid) as pipeline:
        pipeline.write_pid_file()
        pipeline.configure(http_port=server.port)
        make_scene(pipeline)
        scene = Scene(folder, url, pipeline)
        repair(scene)
        end = scene.end()
        assert len(end["rows"]) == WRITTEN and len(set(end["rows"])) == WRITTEN, end["rows"]
        assert not any(end["pending"].values()), end["pending"]
        deaths = 0
        for first in (True, False):
            deaths += _killed_everywhere(scene, end, first)
        sys.stdout.write(f"{deaths}\n")


def _killed_everywhere(scene: Scene, end: dict[str, Any], first: bool) -> int:
    """Kill the first run, or the one after the rows were written, at each of its calls."""
    moment = 0
    while True:
        scene.put_back()
        if not first:
            scene.apply()
            scene.pipeline.drain()
        if not dies(scene.apply, moment):
            return moment
        if moment % 2:
            scene.pipeline.drain()  # the writers go on meanwhile, or they do not
        repair(scene)
        found = scene.end()
        for name, value in end.items():
            assert found[name] == value, (
                f"call {moment} of the first run ({first}): {name} is {found[name]}, not {value}"
            )
        moment += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

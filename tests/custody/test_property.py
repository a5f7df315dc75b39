"""Random pipelines on a real server beside a model in plain Python: every state and every count agrees."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from blueplane_doctor.custody.states import STATES
from blueplane_doctor.demo.schema import connect, create_database
from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.trace import Tracer
from blueplane_doctor.monitoring.chain_of_custody import ChainOfCustodyMonitor
from blueplane_doctor.monitoring.queue_health import QueueHealthMonitor
from blueplane_doctor.settings.values import load
from tests.custody.model import Group, Held, Model, Sent

QUEUE = "telemetry:message_queue"
OWNERS = {"cursor": "processors", "claude": "claude_processors"}
GROUPS = tuple(OWNERS.values())
KINDS = ("cursor", "cursor", "claude", "claude", "claude_untimed", "skipped", "nameless", "malformed")
EXAMPLES, STEPS = (1000, 60) if os.environ.get("BLUEPLANE_TEST_PROFILE") == "long" else (15, 25)
REWRITES_ENTRIES_READ = ("valkey",)
"""Servers that set entries-read anew at each read, and so forget what was trimmed before."""
NO_PROCESS = (1 << 31) - 1
"""No system gives a process so large a number."""
FIRST_CONSUMER = NO_PROCESS + 1
"""Consumers are named after processes, none of which runs."""


class Pipelines(RuleBasedStateMachine):
    """Commands of producers, writers, operators and accidents, in any order."""

    server: RunningServer

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.client = redis.Redis.from_url(self.server.url, decode_responses=True)
        self.client.flushall()
        self.home = folder / "home"
        self.home.mkdir()
        create_database(self.home / "telemetry.db")
        # One server, which crashed: without its pid file, consumers of two processes that were given messages within
        # seconds of each other may be those of two servers, and then nothing is called lost.
        (self.home / "server.pid").write_text(str(NO_PROCESS))
        self._add_old_rows()
        self.model = Model(OWNERS, {name: Group() for name in GROUPS})
        self.consumers = dict.fromkeys(GROUPS, f"consumer-{FIRST_CONSUMER}")
        self.number = 0

    def _add_old_rows(self) -> None:
        """The tables begin before all messages: so a message without a row was never written."""
        columns = "ingested_at, event_id, event_type, timestamp, event_data"
        values = "'2001-01-01 00:00:00', 'an old row', 'stop', '2001-01-01T00:00:00Z', x''"
        with closing(connect(self.home / "telemetry.db")) as connection:
            connection.execute(f"INSERT INTO cursor_raw_traces ({columns}) VALUES ({values})")
            connection.execute(
                f"INSERT INTO claude_raw_traces ({columns}, external_id, platform)"
                f" VALUES ({values}, 'an old session', 'claude_code')"
            )
            connection.commit()

    @initialize()
    def begin(self) -> None:
        for name in GROUPS:
            self.client.xgroup_create(QUEUE, name, id="0", mkstream=True)

    @rule(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=6), repeat=st.booleans())
    def enqueue(self, kinds: list[str], repeat: bool) -> None:
        """`repeat` gives the message the key of an earlier one of its kind."""
        for kind in kinds:
            fields, route, key, event_id = self._message(kind, repeat)
            identity = _id(self.client.xadd(QUEUE, fields))
            self.model.sent.append(Sent(identity, route, key, event_id))

    def _message(
        self, kind: str, repeat: bool
    ) -> tuple[dict[str, str], str | None, tuple[str, ...] | None, str | None]:
        self.number = self.number if repeat and self.number else self.number + 1
        unique = str(UUID(int=self.number))
        moment = _moment(self.number)
        fields = {"timestamp": moment, "session_id": "session", "external_session_id": "session", "payload": "{}"}
        if kind in ("cursor", "malformed", "nameless"):
            fields |= {"platform": "cursor", "hook_type": "stop", "metadata": '{"workspace_hash": "w"}'}
            if kind == "malformed":
                fields["payload"] = "not json"
            if kind == "nameless":
                return fields, "cursor", None, None
            return fields | {"event_id": unique}, "cursor", ("cursor", unique), unique
        fields |= {"platform": "claude_code", "metadata": '{"source": "jsonl_monitor"}', "hook_type": "JSONLTrace"}
        if kind == "skipped":
            return fields | {"metadata": "{}", "hook_type": "PostToolUse"}, None, None, None
        entry = {"type": "user", "timestamp": moment}
        if kind == "claude_untimed":
            return fields | {"payload": json.dumps({"entry_data": entry})}, "claude", ("claude", "", moment), None
        payload = json.dumps({"entry_data": entry | {"uuid": unique}})
        return fields | {"payload": payload}, "claude", ("claude", unique), None

    @rule(name=st.sampled_from(GROUPS), count=st.integers(1, 8))
    def deliver(self, name: str, count: int) -> None:
        group = self.model.groups[name]
        replies = self.client.xreadgroup(name, self.consumers[name], {QUEUE: ">"}, count=count)
        for identity in [_id(i) for i, _ in replies[0][1]] if replies else []:
            group.deliver(identity, Held(self.consumers[name], stuck=False))

    @precondition(lambda self: any(g.pending for g in self.model.groups.values()))
    @rule(data=st.data(), fate=st.sampled_from(("write", "write", "drop", "dead_letter")))
    def finish(self, data: st.DataObject, fate: str) -> None:
        """A writer ends with some of what it holds: written, dropped in silence, or given up."""
        name = data.draw(st.sampled_from([n for n, g in self.model.groups.items() if g.pending]))
        group = self.model.groups[name]
        held = sorted(group.pending)
        chosen = held[: data.draw(st.integers(1, len(held)))]
        by_id = {m.id: m for m in self.model.sent}
        for identity in chosen:
            message = by_id[identity]
            if message.route and OWNERS[message.route] == name:
                if fate == "write":
                    self._write(message)
                elif fate == "dead_letter":
                    self._dead_letter(message, data.draw(st.sampled_from(("claude", "cursor", "queue_writer"))))
            self.acknowledge(name, identity)

    def acknowledge(self, name: str, identity: tuple[int, int]) -> None:
        self.client.xack(QUEUE, name, _text(identity))
        del self.model.groups[name].pending[identity]

    def _write(self, message: Sent) -> None:
        key = message.key or ("cursor", f"random-{message.id}")
        if self.model.rows[key] and len(key) == 2:
            return  # the unique index refuses it; this writer acknowledges all the same
        with connect(self.home / "telemetry.db") as database:
            if key[0] == "cursor":
                columns = "event_id, event_type, timestamp, storage_level, workspace_hash, database_table, item_key"
                # Its own time: a row of another time is another message's, of the same event_id.
                moment = _moment(UUID(message.event_id).int) if message.event_id else "2026-01-01"
                values: list[object] = [key[1], "t", moment, "w", "w", "T", "k"]
                table = "cursor_raw_traces"
            else:
                columns = "event_id, external_id, event_type, timestamp, uuid, platform"
                values = [
                    key[1],
                    "session",
                    "t",
                    key[2] if len(key) == 3 else "2026-01-01",
                    key[1] or None,
                    "claude_code",
                ]
                table = "claude_raw_traces"
            marks = ", ".join("?" * (len(values) + 1))
            database.execute(f"INSERT INTO {table} ({columns}, event_data) VALUES ({marks})", [*values, b""])
            database.commit()
        self.model.rows[key] += 1

    def _dead_letter(self, message: Sent, shape: str) -> None:
        text, event_id = _text(message.id), message.event_id
        if shape == "claude":
            event = json.dumps({"event_id": event_id} if event_id else None)
            self.client.xadd("telemetry:dlq", {"message_id": text, "retry_count": "3", "event": event})
            self.model.dead_ids.add(message.id)
        elif shape == "cursor":
            fields = {"original_entry_id": text, "moved_to_dlq_at": "2026-01-01T00:00:00+00:00"}
            self.client.xadd(f"{QUEUE}:dlq", fields | ({"event_id": event_id} if event_id else {}))
            self.model.dead_ids.add(message.id)
        else:
            self.client.xadd("telemetry:dlq", {"original_event_id": event_id or "unknown", "error_type": "E"})
        if event_id:
            self.model.dead_event_ids.add(event_id)

    @precondition(lambda self: any(g.pending for g in self.model.groups.values()))
    @rule(data=st.data(), old=st.booleans(), often=st.booleans())
    def claim(self, data: st.DataObject, old: bool, often: bool) -> None:
        """Somebody claims a message; its age or its deliveries are what they are made."""
        there = {m.id for m in self.model.present()}
        choices = [(n, i) for n, g in self.model.groups.items() for i in sorted(g.pending) if i in there]
        if not choices:
            return  # claiming a message that is gone would remove it from the list
        name, identity = data.draw(st.sampled_from(choices))
        self.client.xclaim(
            QUEUE,
            name,
            self.consumers[name],
            0,
            [_text(identity)],
            idle=60_000 if old else 0,
            retrycount=5 if often else 1,
            justid=True,
        )
        self.model.groups[name].pending[identity] = Held(self.consumers[name], stuck=old or often)

    @rule(name=st.sampled_from(GROUPS))
    def kill_consumer(self, name: str) -> None:
        self.consumers[name] = f"consumer-{int(self.consumers[name].rpartition('-')[2]) + 1}"

    @rule(keep=st.integers(0, 10))
    def trim(self, keep: int) -> None:
        self.client.xtrim(QUEUE, maxlen=keep, approximate=False)
        for message in self.model.present()[: -keep or None]:
            self.model.remove(message)

    @precondition(lambda self: self.model.present())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        message = data.draw(st.sampled_from(self.model.present()))
        self.client.xdel(QUEUE, _text(message.id))
        self.model.remove(message)
        self.model.deletions += 1

    @invariant()
    def the_doctor_agrees(self) -> None:
        examination = Examination(load({"home": self.home, "redis_url": self.server.url}).settings)
        try:
            chain = ChainOfCustodyMonitor(examination).collect()
            queue = QueueHealthMonitor(examination).collect()
            expected = self.model.states()
            counted = Counter(expected.values())
            assert {s: chain.states[s] for s in STATES} == {s: counted[s] for s in STATES}
            assert chain.examined == len(expected) == sum(chain.states[s] or 0 for s in STATES)
            assert sum(b.enqueued for b in [*chain.buckets, *chain.other_buckets]) == chain.examined
            assert chain.states["payload_gone"] == len(self.model.ghosts())
            broken = {b.id for b in chain.breaks if b.kind == "lost"}
            assert broken == {_text(i) for i, state in expected.items() if state == "lost"}
            assert queue.queue_depth == self.model.unfinished()
            for group in queue.groups:
                assert group.undelivered == self.model.undelivered(group.name)
                assert group.pending == len(self.model.groups[group.name].pending)
            self._losses_agree(chain.losses)
            self._traces_agree(examination, expected)
        finally:
            examination.close()

    def _losses_agree(self, losses: list) -> None:  # type: ignore[type-arg]
        rewrites = self.client.info("server").get("server_name") in REWRITES_ENTRIES_READ
        for loss in losses:
            group = self.model.groups[loss.group]
            if loss.trimmed_unread is None:
                assert loss.cause, "what is unknown has a cause"
                continue
            assert loss.trimmed_unread <= group.lost_unread, "a loss that never was"
            assert loss.trimmed_unread >= group.lost_since_read, "a loss that the server still tells of"
            if not rewrites and not self.model.deletions:
                assert loss.trimmed_unread == group.lost_since_first_read

    def _traces_agree(self, examination: Examination, expected: dict[tuple[int, int], str]) -> None:
        some = sorted(expected)[-5:]
        for trace, identity in zip(Tracer(examination).trace([_text(i) for i in some]), some, strict=True):
            assert trace.state == expected[identity], trace.id

    def teardown(self) -> None:
        self.client.close()
        self.stack.close()


def _id(text: str) -> tuple[int, int]:
    milliseconds, _, sequence = text.partition("-")
    return int(milliseconds), int(sequence)


def _moment(number: int) -> str:
    return datetime(2026, 1, 1, 12, number % 60, tzinfo=UTC).isoformat()


def _text(identity: tuple[int, int]) -> str:
    return f"{identity[0]}-{identity[1]}"


@pytest.fixture
def machine(any_server: RunningServer) -> Iterator[type[Pipelines]]:
    yield type("PipelinesOnOneServer", (Pipelines,), {"server": any_server})


def test_a_restart_within_seconds_is_no_second_server(machine: type[Pipelines]) -> None:
    pipeline = machine()
    try:
        pipeline.begin()
        pipeline.enqueue(["claude_untimed", "claude"], repeat=False)
        pipeline.deliver("claude_processors", 1)
        pipeline.kill_consumer("claude_processors")
        pipeline.deliver("claude_processors", 1)
        for message in pipeline.model.sent:
            pipeline.acknowledge("claude_processors", message.id)
        assert set(pipeline.model.states().values()) == {"lost"}
        pipeline.the_doctor_agrees()
    finally:
        pipeline.teardown()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_state_of_random_pipelines(machine: type[Pipelines]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

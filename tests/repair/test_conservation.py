"""Random pipelines with repair as one more step: what was recoverable is written, once; and every state adds up."""

import json
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from blueplane_doctor.demo.servers import RunningServer, StandIn, stand_in_server
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.repair.applying import Applier
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.journal import JournalEntry
from blueplane_doctor.repair.plan import Action, Item, Plan, Source
from blueplane_doctor.repair.planning import make_plan
from blueplane_doctor.repair.steps import ACKNOWLEDGED, DELIVERED, GROUPED, SET_ASIDE
from blueplane_doctor.repair.store import Store
from blueplane_doctor.settings.values import Settings, load
from tests.custody.model import Held, Id, Model, Sent
from tests.custody.test_property import GROUPS, OWNERS, QUEUE, STEPS, Pipelines

ALL_LETTERS = DeadLetterFilter(newer_than_ms=10**12)
"""A filter that all dead letters pass: without one none is meant."""
UNFINISHED = ("waiting", "in_flight", "stuck")
MOST_ROUNDS = 6
EXAMPLES = 300 if os.environ.get("BLUEPLANE_TEST_PROFILE") == "long" else 8


class RepairedModel(Model):
    """A model that knows copies."""

    def __init__(self, model: Model) -> None:
        super().__init__(model.owners, model.groups)
        self.origins: dict[Id, Id | None] = {}
        """Of each copy the message that it was made of; None where that was a dead letter."""

    def states(self) -> dict[Id, str]:
        """As before, but what looks lost and has a copy is a duplicate of it."""
        states = super().states()
        for message in self.present():
            if states[message.id] == "lost" and self._has_copy(message):
                states[message.id] = "duplicate"
        return states

    def _has_copy(self, message: Sent) -> bool:
        """Whether a copy of it, or of another message that would have the same row, comes after it."""
        for copy in self.present():
            if copy.id not in self.origins or copy.id < message.id:
                continue
            has_same_row = message.key == copy.key and len(message.key or ()) == 2
            if self.origins[copy.id] == message.id or has_same_row:
                return True
        return False


class RepairedPipelines(Pipelines):
    """The commands of the custody machine, and repair; the model follows what the journal says was done."""

    stand_in: StandIn

    def __init__(self) -> None:
        super().__init__()
        self.letters: dict[tuple[str, str], Sent] = {}
        """The message of each dead letter that holds it whole, by its stream and ID: two streams may have the same."""
        self.model: RepairedModel = RepairedModel(self.model)
        # Named after no process: beside a server that runs, two that were given messages within seconds may be two
        # servers, and then nothing is called lost.
        self.consumers = dict.fromkeys(GROUPS, "consumer")
        (self.home / "server.pid").write_text(str(self.stand_in.pid))

    @property
    def settings(self) -> Settings:
        return load({"home": self.home, "redis_url": self.server.url}).settings

    @rule(name=st.sampled_from(GROUPS))
    def kill_consumer(self, name: str) -> None:
        self.consumers[name] += "'"

    def _dead_letter(self, message: Sent, shape: str) -> None:
        """As the writers do it: the letter holds the message."""
        text = f"{message.id[0]}-{message.id[1]}"
        fields = dict(self.client.xrange(QUEUE, text, text)[0][1]) if message.in_stream else {}
        if not fields or shape == "claude":
            super()._dead_letter(message, shape)
            for stream in ("telemetry:dlq", f"{QUEUE}:dlq"):
                for identity, _ in self.client.xrevrange(stream, count=1):
                    self.letters.setdefault((stream, str(identity)), message)
            return
        if shape == "cursor":
            letter = fields | {"original_entry_id": text, "moved_to_dlq_at": "2026-01-01T00:00:00+00:00"}
            stream = f"{QUEUE}:dlq"
            self.model.dead_ids.add(message.id)
        else:
            letter = {
                "original_event_id": message.event_id or "unknown",
                "original_data": json.dumps(fields),
                "error_type": "E",
            }
            stream = "telemetry:dlq"
        self.letters[stream, str(self.client.xadd(stream, letter))] = message
        if message.event_id:
            self.model.dead_event_ids.add(message.event_id)

    @precondition(lambda self: self.model.present())
    @rule(with_letters=st.booleans())
    def repair(self, with_letters: bool) -> None:
        self._repair(with_letters)

    def _repair(self, with_letters: bool) -> tuple[Plan, list[JournalEntry]]:
        store = Store(self.home)
        wanted = Wanted(filter=ALL_LETTERS) if with_letters else Wanted()
        plan = make_plan(self.settings, wanted, store.new_id())
        store.keep(plan)
        self._is_safe(plan)
        Applier(self.settings, store, plan, write_url=self.server.url, patience=0).apply()
        journal = list(store.files(plan.id).done().values())
        for entry in journal:
            self._follow(plan, entry)
        return plan, journal

    def _is_safe(self, plan: Plan) -> None:
        """Nothing is delivered whose key has a row, or is that of an unfinished message that stays."""
        states = self.model.states()
        acted = {item.id for item in plan.items if item.action in (Action.DELIVER, Action.SET_ASIDE)}
        delivered = []
        for item in plan.of(Action.DELIVER):
            message = self._message_of(item)
            assert message.key is not None
            if len(message.key) == 2:
                assert not self.model.rows[message.key], f"{item.origin} is written already"
                delivered.append(message.key)
            for other in self.model.present():
                if other.key == message.key and len(other.key) == 2 and _text(other.id) not in acted:
                    assert states[other.id] not in UNFINISHED, f"{_text(other.id)} has the key of {item.origin}"
        assert len(delivered) == len(set(delivered)), "one key twice"

    def _message_of(self, item: Item) -> Sent:
        if item.source is Source.DEAD_LETTER:
            return self.letters[item.stream, item.id]
        milliseconds, _, number = item.id.partition("-")
        return next(m for m in self.model.sent if m.id == (int(milliseconds), int(number)))

    def _follow(self, plan: Plan, entry: JournalEntry) -> None:
        item = plan.items[entry.number]
        if item.action is Action.MOVE_GROUP:
            self._follow_group(item, entry)
        if entry.done not in (DELIVERED, SET_ASIDE, ACKNOWLEDGED):
            return
        message = self._message_of(item)
        for holding in item.holdings:
            del self.model.groups[holding.group].pending[message.id]
        if entry.done == DELIVERED:
            milliseconds, _, number = entry.copy_id.partition("-")
            copy = Sent((int(milliseconds), int(number)), message.route, message.key, message.event_id)
            self.model.sent.append(copy)
            self.model.origins[copy.id] = None if item.source is Source.DEAD_LETTER else message.id
        elif entry.done == SET_ASIDE and entry.copy_id:
            self.letters[plan.dead_letters, entry.copy_id] = message
            self.model.dead_ids.add(message.id)
            if message.event_id:
                self.model.dead_event_ids.add(message.event_id)

    def _follow_group(self, item: Item, entry: JournalEntry) -> None:
        if entry.done == GROUPED:
            milliseconds, _, number = item.position.partition("-")
            group = self.model.groups[item.group]
            group.last_delivered = (int(milliseconds), int(number))
            group.lost_since_read = 0
            self.model.deletions += 1  # the server counts anew, as after a deletion

    def _writers_work(self) -> None:
        """Both writers write all that they were not given yet; what they hold already stays, as with Cursor's."""
        for name in GROUPS:
            group = self.model.groups[name]
            while replies := self.client.xreadgroup(name, self.consumers[name], {QUEUE: ">"}, count=100):
                entries = replies[0][1] if isinstance(replies, list) else next(iter(replies.values()))[0]
                for text, _ in entries:
                    milliseconds, _, number = text.partition("-")
                    identity = (int(milliseconds), int(number))
                    group.deliver(identity, Held(self.consumers[name], stuck=False))
                    message = next(m for m in self.model.sent if m.id == identity)
                    if message.route and OWNERS[message.route] == name:
                        self._write(message)
                    self.client.xack(QUEUE, name, text)
                    del group.pending[identity]

    def teardown(self) -> None:
        """In the end every message is written, or the last plan says why it is not."""
        try:
            if self.model.sent:
                self._finish_all()
        finally:
            super().teardown()

    def _finish_all(self) -> None:
        for _ in range(MOST_ROUNDS):
            plan, journal = self._repair(with_letters=True)
            self._writers_work()
            if not plan.of(Action.DELIVER):
                break
        said = {item.id for item in plan.items}
        for identity, state in self.model.states().items():
            if state in ("stuck", "lost"):
                assert _text(identity) in said, f"{_text(identity)} is {state}, and no plan says why"
        for entry in journal:
            assert entry.done != DELIVERED or self.model.rows[self._message_of(plan.items[entry.number]).key or ()]
        self.the_doctor_agrees()


def _text(identity: tuple[int, int]) -> str:
    return f"{identity[0]}-{identity[1]}"


@pytest.fixture
def machine(any_server: RunningServer) -> Iterator[type[RepairedPipelines]]:
    with stand_in_server() as stand_in:
        yield type("OnOneServer", (RepairedPipelines,), {"server": any_server, "stand_in": stand_in})


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_was_recoverable_is_written_once(machine: type[RepairedPipelines]) -> None:
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

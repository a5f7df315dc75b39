"""Streams that no step of a Redis Cluster can change together with the queue."""

import pytest

from blueplane_doctor.repair.plan import Item
from blueplane_doctor.repair.slots import apart_from, within_slot

QUEUE = "telemetry:message_queue"
LETTERS = "telemetry:message_queue:dlq"
CLUSTER = {"cluster_enabled": "1"}


@pytest.mark.parametrize(
    ("queue", "stream", "info", "is_apart"),
    [
        pytest.param(QUEUE, LETTERS, CLUSTER, True, id="two slots"),
        pytest.param(QUEUE, LETTERS, {"cluster_enabled": "0"}, False, id="no cluster"),
        pytest.param(QUEUE, LETTERS, {}, False, id="a server that does not tell"),
        pytest.param("{t}:queue", "{t}:dlq", CLUSTER, False, id="one hash tag"),
        pytest.param(QUEUE, "", CLUSTER, False, id="no stream of dead letters"),
    ],
)
def test_streams_in_other_slots(queue: str, stream: str, info: dict[str, str], is_apart: bool) -> None:
    assert apart_from(queue, info)(stream) is is_apart


def test_dead_letters_in_another_slot_are_refused_before_anything_is_changed() -> None:
    def item(action: str, source: str = "dead letter", stream: str = LETTERS) -> Item:
        values = {"target": "dead-letters", "action": action, "source": source, "id": "5-0", "stream": stream}
        return Item.model_validate(values)

    kept, stuck = item("keep"), item("deliver", "stream", "")
    left, refusals = within_slot([item("deliver"), item("remove"), kept, stuck], apart_from(QUEUE, CLUSTER))
    assert left == [kept, stuck]
    (refusal,) = refusals
    assert refusal.what == "deliver 2 dead letters again"
    assert "in another slot than the queue" in refusal.reason
    assert within_slot([stuck], apart_from(QUEUE, CLUSTER)) == ([stuck], [])

"""Which items are done together."""

import pytest

from blueplane_doctor.pipeline import READER_GROUPS
from blueplane_doctor.repair import batches
from blueplane_doctor.repair.batches import Delivery, Numbered, steps_of
from blueplane_doctor.repair.plan import Fields, Item

PLAIN: Fields = [(b"event_type", b"file_edit")]
SESSION: Fields = [(b"event_type", b"session_start")]


def item(action: str = "deliver", **more: object) -> Item:
    values = {"target": "stuck", "action": action, "source": "stream", "id": "1-0", "group": "processors"}
    return Item.model_validate(values | more)


def places(parts: list[list[Numbered]]) -> list[list[int]]:
    return [[number for number, _ in part] for part in parts]


def test_deliveries_go_together_and_all_else_alone() -> None:
    items = [item(), item(), item("set aside"), item(), item(origins=("1-0",)), item(), item(), item()]
    parts = list(batches.batches(enumerate(items), most=2))
    assert places(parts) == [[0, 1], [2], [3], [4], [5, 6], [7]]
    assert places(list(batches.batches(enumerate(items), most=1))) == [[number] for number in range(8)]


def steps(*messages: Fields, **more: object) -> list[list[int]]:
    deliveries = [Delivery(number, item(**more), fields) for number, fields in enumerate(messages)]
    return [[one.number for one in step] for step in steps_of(deliveries)]


def test_what_a_group_is_moved_past_goes_alone() -> None:
    assert steps(PLAIN, PLAIN, SESSION, SESSION, PLAIN) == [[0, 1], [2], [3], [4]]
    assert Delivery(0, item(), SESSION).past == READER_GROUPS
    # An event that was never delivered begins its session for the first time.
    assert steps(SESSION, SESSION, source="spool") == [[0, 1]]


def test_a_step_holds_no_more_than_some_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_BYTES", 50)
    large = [(b"payload", b"x" * 60)]
    assert steps(PLAIN, PLAIN, PLAIN, large, PLAIN) == [[0, 1], [2], [3], [4]]

"""What is on its way: by the key of the global database, by the IDs of a workspace's."""

import json
from typing import Any

from blueplane_doctor.custody import carried
from blueplane_doctor.custody.carried import CarriedItems
from blueplane_doctor.custody.messages import Message


def message(level: str, payload: dict[str, Any], *, source: str = "composer_extractor", key: str = "k") -> Message:
    metadata = {"source": source, "storage_level": level, "item_key": key}
    fields = [b"metadata", json.dumps(metadata).encode(), b"payload", json.dumps({"full_data": payload}).encode()]
    return Message((b"1-1", fields))


def test_a_message_carries_the_key_of_the_global_database_or_the_ids_of_a_workspaces() -> None:
    items = CarriedItems()
    messages = [
        message("global", {"composerId": "c1"}, key="composerData:c1", source="user_level_listener"),
        message("workspace", {"composerId": "c2"}),
        message("workspace", {"bubbleId": "b2"}, source="bubble_extractor"),
        message("workspace", {"composerId": "written"}),
        message("workspace", {"composerId": "hook"}, source="hooks"),
    ]
    items.note(messages, ["waiting", "stuck", "dead_lettered", "written", "waiting"])
    assert items.state_of(True, "composerData:c1") == "waiting"
    assert items.state_of(False, "c2") == "stuck"
    assert items.state_of(False, "b2") == "dead_lettered"
    assert items.state_of(True, "c2") is None
    assert items.state_of(False, "written") is None
    assert items.state_of(False, "hook") is None


def test_a_message_of_another_form_carries_nothing() -> None:
    items = CarriedItems()
    fields = [b"metadata", b'{"source": "composer_extractor"}', b"payload", b"[]"]
    items.note([Message((b"1-1", fields))], ["waiting"])
    assert not items.is_full


def test_what_is_kept_is_bounded_and_says_so(monkeypatch: Any) -> None:
    monkeypatch.setattr(carried, "MOST_CARRIED", 1)
    items = CarriedItems()
    items.note([message("workspace", {"composerId": "c1"})], ["waiting"])
    items.note([message("workspace", {"composerId": "c2"})], ["waiting"])
    assert items.is_full
    assert items.state_of(False, "c2") is None

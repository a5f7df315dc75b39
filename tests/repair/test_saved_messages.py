"""Saved messages come back byte for byte, or are refused."""

import pytest

from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.repair.saved_messages import SavedMessages, write_messages
from blueplane_doctor.repair.store import Store
from tests import hostile_files
from tests.repair.plans import ITEM, PLAN

DEEP = "[" * 100_000


def test_messages_come_back_byte_for_byte(store: Store) -> None:
    hostile = [(b"\xff\xfe", b"\x00\n\r"), (b"payload", b'{"a": "\xed\xa0\x80"}'), (b"payload", "é\u2028".encode())]
    files = store.keep(PLAN)
    assert write_messages(files.messages, [(0, ITEM, hostile), (1, ITEM, [(b"x", b"")])]) == 2
    saved = files.saved()
    assert saved is not None
    assert len(saved) == 2
    assert saved.fields_of([0, 1, 2]) == {0: hostile, 1: [(b"x", b"")]}


def test_messages_that_were_not_saved_to_the_end_are_not_there(store: Store) -> None:
    def broken() -> object:
        yield 0, ITEM, [(b"a", b"b")]
        raise RuntimeError

    files = store.keep(PLAN)
    with pytest.raises(RuntimeError):
        write_messages(files.messages, broken())  # type: ignore[arg-type]
    assert files.saved() is None


@pytest.mark.parametrize(
    "line", ['{"item":', "5", "{}", DEEP, '{"item": 0, "fields": 5}', '{"item": 0, "fields": [[1, 2]]}']
)
def test_damaged_messages_are_refused(store: Store, line: str) -> None:
    files = store.keep(PLAN)
    files.messages.write_text(line + "\n")
    with pytest.raises(RepairRefused, match="damaged"):
        SavedMessages(files.messages).fields_of([0])


def test_messages_without_a_line_end_are_not_read_to_their_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blueplane_doctor.repair.saved_messages.LONGEST_LINE", 1_000)
    files = store.keep(PLAN)
    hostile_files.put("sparse", files.messages)
    with pytest.raises(RepairRefused, match="damaged"):
        files.saved()

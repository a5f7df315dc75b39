"""IDs of stream entries: read and written as Redis does, and in its order."""

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, entry_id, entry_ids, id_text, is_entry_id


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        (b"1795362309821-39", (1795362309821, 39)),
        (b"0-0", BEGINNING),
        (b"5", (5, 0)),
        (b"18446744073709551615-18446744073709551615", (2**64 - 1, 2**64 - 1)),
    ],
)
def test_an_id_from_its_text(text: bytes, identity: EntryId) -> None:
    assert entry_id(text) == identity


def test_the_ids_of_a_page_are_those_of_its_entries() -> None:
    page = [b"0-0", b"1795362309821-39", b"18446744073709551615-18446744073709551615"]
    assert entry_ids(page) == [entry_id(raw) for raw in page]


@pytest.mark.parametrize("text", ["0-0", "1-0", "1795362309821-39", f"{2**64 - 1}-{2**64 - 1}"])
def test_there_and_back(text: str) -> None:
    assert id_text(entry_id(text.encode())) == text


@pytest.mark.parametrize("text", [b"", b"-", b"-1", b"a-b", b"1-b"])
def test_what_is_no_id_raises(text: bytes) -> None:
    with pytest.raises(ValueError):
        entry_id(text)


def test_the_order_is_that_of_the_server(pipeline: Pipeline) -> None:
    """As text, 9-0 would come after 10-0, and 9-10 before 9-9."""
    texts = ["9-0", "9-9", "9-10", "10-0", "100-1"]
    for text in texts:
        pipeline.client.xadd("ids", {"a": "b"}, id=text)
    listed = [identity for identity, _ in pipeline.client.xrange("ids")]
    assert listed == texts
    assert sorted(texts, key=lambda text: entry_id(text.encode())) == listed


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("0-1", True),
        (f"{2**64 - 1}-{2**64 - 1}", True),
        (f"{2**64}-0", False),
        (f"1-{2**64}", False),
        ("1", False),
        ("1-", False),
        ("1-1\n", False),
        ("\u0661-\u0661", False),
    ],
)
def test_only_what_redis_takes_is_an_id(text: str, is_one: bool) -> None:
    assert is_entry_id(text) is is_one

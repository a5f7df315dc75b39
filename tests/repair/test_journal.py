"""The journal of a repair: what is whole in it is read."""

from blueplane_doctor.repair.journal import JournalEntry
from blueplane_doctor.repair.store import Store
from tests.repair.plans import PLAN

DEEP = "[" * 100_000


def test_a_journal_line_that_was_cut_off_is_passed_over(store: Store) -> None:
    files = store.keep(PLAN)
    with files.journaling() as journal:
        journal.add(JournalEntry(0, "delivered", "6-0"))
    path = files.folder / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b'[1, "deli')
    assert files.journal() == [JournalEntry(0, "delivered", "6-0")]


def test_a_damaged_journal_tells_what_is_whole(store: Store) -> None:
    files = store.keep(PLAN)
    lines = ["[0, ", "[]", '["x", "y"]', '[{}, "a"]', "[0, 5]", '{"a": 1}', DEEP, '[1, "delivered", "6-0", ""]']
    (files.folder / "journal.jsonl").write_text("\n".join(lines))
    assert files.journal() == [JournalEntry(1, "delivered", "6-0")]

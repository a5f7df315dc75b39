"""Files of repairs are written in their own place, whatever stands there."""

from pathlib import Path

import pytest

from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.repair.saved_messages import write_messages
from blueplane_doctor.repair.store import Store
from tests import hostile_files
from tests.repair.plans import ITEM, PLAN


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "circle"])
def test_what_is_no_file_is_not_written_to(store: Store, kind: str) -> None:
    """A pipe would wait for a reader for ever."""
    files = store.keep(PLAN)
    for name in ("journal.jsonl", "messages.draft"):
        hostile_files.put(kind, files.folder / name)
    with pytest.raises(RepairRefused, match="journal.jsonl cannot be used"), files.journaling():
        pass
    with pytest.raises(RepairRefused, match="messages.draft cannot be used"):
        write_messages(files.messages, [(0, ITEM, [(b"a", b"b")])])


def test_what_a_link_leads_to_is_not_written_to(store: Store, tmp_path: Path) -> None:
    files = store.keep(PLAN)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    for name in ("plan.json", "result.json", "messages.jsonl"):
        (files.folder / name).unlink(missing_ok=True)
        (files.folder / name).symlink_to(elsewhere)
    files.write_result({"done": {}})
    write_messages(files.messages, [(0, ITEM, [(b"a", b"b")])])
    assert elsewhere.read_text() == "mine"
    assert files.result() == {"done": {}}
    assert not files.messages.is_symlink()

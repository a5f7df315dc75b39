"""The private files of repairs: whole, synced, and readable by nobody else."""

import json
import os
import time
from pathlib import Path

import pytest

from blueplane_doctor.errors import RepairRefused, UsageError
from blueplane_doctor.repair.journal import JournalEntry
from blueplane_doctor.repair.saved_messages import write_messages
from blueplane_doctor.repair.store import KEPT_SECONDS, TAKEN_FILE, Store, explained_refusals
from tests import hostile_files
from tests.repair.plans import ITEM, PLAN


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_all_of_it_is_private(store: Store) -> None:
    files = store.keep(PLAN)
    write_messages(files.messages, [(0, ITEM, [(b"a", b"b")])])
    files.write_result({})
    with files.journaling() as journal:
        journal.add(JournalEntry(0, "delivered", "6-0"))
    assert mode(store.folder) == 0o700
    assert mode(files.folder) == 0o700
    assert {mode(file) for file in files.folder.iterdir()} == {0o600}
    assert len(list(files.folder.iterdir())) == 4


def test_a_plan_is_read_as_it_was_written(store: Store) -> None:
    store.keep(PLAN)
    assert store.has("0a1b")
    assert store.files("0a1b").plan() == PLAN


@pytest.mark.parametrize("identity", ["ffff", "../x", "", "0a1"])
def test_a_plan_that_is_not_there(store: Store, identity: str) -> None:
    store.keep(PLAN)
    with pytest.raises(UsageError, match="no plan"):
        store.files(identity)


def test_a_plan_that_cannot_be_read(store: Store) -> None:
    files = store.keep(PLAN)
    (files.folder / "plan.json").write_text("{}")
    with pytest.raises(UsageError, match="no plan that can be read"):
        files.plan()


def test_what_is_older_than_thirty_days_goes(store: Store) -> None:
    files = store.keep(PLAN)
    long_ago = time.time() - KEPT_SECONDS - 60
    for path in (*files.folder.iterdir(), files.folder):
        os.utime(path, (long_ago, long_ago))
    other = store.keep(PLAN.model_copy(update={"id": "2222"}))
    assert store.ids() == ["2222"]
    assert other.folder.is_dir()


def test_events_that_nobody_delivered_are_kept_for_longer(store: Store) -> None:
    files = store.keep(PLAN)
    (files.folder / TAKEN_FILE).write_text("{}")
    long_ago = time.time() - KEPT_SECONDS - 60
    for path in (*files.folder.iterdir(), files.folder):
        os.utime(path, (long_ago, long_ago))
    store.remove_old()
    assert store.ids() == [PLAN.id]
    assert files.is_begun


def test_a_folder_that_others_may_write_to_is_not_used(store: Store) -> None:
    store.folder.parent.chmod(0o777)
    with pytest.raises(RepairRefused, match="others decide"):
        store.prepare()


@pytest.mark.parametrize("name", [".", "plan.json", "journal.jsonl"])
def test_a_plan_in_which_others_may_write_is_not_used(store: Store, name: str) -> None:
    files = store.keep(PLAN)
    with files.journaling():
        (files.folder / name).chmod(0o777)
    with pytest.raises(RepairRefused, match="others decide"):
        store.files(PLAN.id)


def test_what_is_no_plan_is_passed_over(store: Store) -> None:
    files = store.keep(PLAN)
    (store.folder / "aaaa").symlink_to("nowhere")
    (store.folder / "bbbb").write_text("")
    (store.folder / "cccc").symlink_to(files.folder)
    (files.folder / "link").symlink_to("nowhere")
    assert store.ids() == [PLAN.id]
    store.remove_old()
    assert store.has(PLAN.id)


def test_the_mode_of_what_a_link_leads_to_is_left_alone(store: Store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    store.folder.symlink_to(elsewhere)
    store.prepare()
    assert mode(elsewhere) == 0o755


def test_a_plan_is_as_large_as_can_be_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blueplane_doctor.repair.store.PLAN_BYTES", 2_000)
    assert store.keep(PLAN).plan() == PLAN
    wide = PLAN.model_copy(update={"id": "0a1c", "items": (ITEM.model_copy(update={"id": "x" * 2_000}),)})
    with pytest.raises(RepairRefused, match="more than 2,000 bytes"):
        store.keep(wide)
    assert not store.has("0a1c")


@pytest.mark.parametrize(
    "changes", [{"id": "ffff"}, {"id": "../../x"}, {"read_to": "x"}, {"made_ms": "soon"}, {"items": [{"id": "5-0"}]}]
)
def test_a_plan_that_was_changed_is_no_plan(store: Store, changes: dict[str, object]) -> None:
    files = store.keep(PLAN)
    values = json.loads((files.folder / "plan.json").read_text())
    (files.folder / "plan.json").write_text(json.dumps(values | changes))
    with pytest.raises(UsageError):
        files.plan()


@pytest.mark.parametrize(
    "content",
    [
        *("5", "{}", '{"done": 5}', '{"done": {"a": "x"}}', '{"done": {}, "rows_not_seen": "x"}'),
        '{"done": {}, "taken_back": [1]}',
    ],
)
def test_a_damaged_result_is_none(store: Store, content: str) -> None:
    files = store.keep(PLAN)
    (files.folder / "result.json").write_text(content)
    assert files.result() is None


def test_a_refusal_of_the_system_is_one_sentence(store: Store) -> None:
    files = store.keep(PLAN)
    hostile_files.put("folder", files.messages)
    with pytest.raises(RepairRefused, match=r"Is a directory; the repair stops here"), explained_refusals(store):
        write_messages(files.messages, [(0, ITEM, [(b"a", b"b")])])
    with pytest.raises(BrokenPipeError), explained_refusals(store):
        raise BrokenPipeError

"""Files replaced whole, and the journal of what was done."""

import json
import os
from pathlib import Path

import pytest

from blueplane_doctor.installing import files
from blueplane_doctor.installing.files import JOURNAL_FILE, Journal, StepError


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    files.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert files.mode_of(path) == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(target)
    files.write(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / f".file{files.NEW_SUFFIX}").write_bytes(b"half")
    files.sweep(path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="cannot be written"):
        files.write(tmp_path / "missing" / "file", b"x")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"theirs")
    os.chown(path, 65534, 65534)
    with pytest.raises(StepError, match="another user"):
        files.write(path, b"ours")
    assert path.read_bytes() == b"theirs"


def test_a_difference_names_files_that_are_not_there(tmp_path: Path) -> None:
    made = files.unified_diff(tmp_path / "a", None, b"one\ntwo")
    assert made.splitlines()[0].startswith("--- /dev/null")
    assert made.endswith("+two\n\\ No newline at end of file\n")
    assert files.unified_diff(tmp_path / "a", b"same", b"same") == ""


def test_an_entry_replaces_one_for_the_same_target(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record({"step": "s", "kind": "file", "target": "/a", "after": "1"})
    journal.record({"step": "s", "kind": "file", "target": "/b", "after": "1"})
    journal.record({"step": "s", "kind": "file", "target": "/a", "after": "2"})
    again = Journal(tmp_path)
    assert [(entry["target"], entry["after"]) for entry in again.entries] == [("/a", "2"), ("/b", "1")]
    assert again.find("file", "/a") == {"step": "s", "kind": "file", "target": "/a", "after": "2"}
    assert again.find("folder", "/a") is None


def test_a_journal_goes_with_its_last_entry_and_the_home_that_it_made(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    journal = Journal(home)
    entry = {"step": "s", "kind": "file", "target": "/a"}
    journal.record(entry)
    assert files.mode_of(home / JOURNAL_FILE) == 0o600
    journal.forget(entry)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", '{"version": 99, "entries": []}', '{"version": 1}', "no json"])
def test_a_journal_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / JOURNAL_FILE).write_text(content)
    with pytest.raises(StepError, match="not a journal"):
        Journal(tmp_path)


def test_the_journal_is_readable_json(tmp_path: Path) -> None:
    Journal(tmp_path).record({"step": "s", "kind": "file", "target": "/a"})
    assert json.loads((tmp_path / JOURNAL_FILE).read_text())["entries"][-1]["target"] == "/a"

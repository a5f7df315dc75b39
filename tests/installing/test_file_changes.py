"""One file changed under the journal, and the way back."""

from pathlib import Path

import pytest

from blueplane_doctor.installing import file_changes
from blueplane_doctor.installing.file_changes import backup_of
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Journal


def change(path: Path, before: bytes | None, after: bytes, journal: Journal) -> None:
    file_changes.change("s", path, before, after, "change it").apply(journal)


def undo(path: Path, journal: Journal, without_ours: bytes | None = None) -> list[str]:
    """Undo the entry of a file; the notes of the plan."""
    entry = journal.find(file_changes.KIND, str(path))
    assert entry is not None
    take_out = None if without_ours is None else lambda content: without_ours
    plan = file_changes.undo(entry, take_out)
    for each in plan.changes:
        each.apply(journal)
    return plan.notes


def test_the_first_content_comes_back_after_several_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    journal = Journal(tmp_path / "home")
    change(path, b"first", b"second", journal)
    change(path, b"second", b"third", journal)
    assert backup_of(path).read_bytes() == b"first"
    undo(path, journal)
    assert path.read_bytes() == b"first"
    assert not backup_of(path).exists()


def test_a_file_that_was_made_goes_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    journal = Journal(tmp_path / "home")
    change(path, None, b"ours", journal)
    undo(path, journal)
    assert not path.exists()


def test_others_changes_stay(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    journal = Journal(tmp_path / "home")
    change(path, b"first", b"ours", journal)
    path.write_bytes(b"ours and theirs")
    assert "changed by others" in undo(path, journal)[0]
    assert path.read_bytes() == b"ours and theirs"
    undo(path, journal, without_ours=b"theirs")
    assert path.read_bytes() == b"theirs"


def test_a_file_that_changed_meanwhile_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    planned = file_changes.change("s", path, b"first", b"ours", "change it")
    path.write_bytes(b"theirs")
    with pytest.raises(StepError, match="changed while you were asked"):
        planned.apply(Journal(tmp_path / "home"))
    assert path.read_bytes() == b"theirs"


def test_a_backup_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    backup_of(path).write_bytes(b"theirs")
    with pytest.raises(StepError, match="no backup of ours"):
        change(path, b"first", b"ours", Journal(tmp_path / "home"))
    assert (path.read_bytes(), backup_of(path).read_bytes()) == (b"first", b"theirs")


def test_folders_that_were_made_go_when_they_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    journal = Journal(tmp_path / "home")
    change(path, None, b"ours", journal)
    undo(path, journal)
    for folder in (path.parent, path.parent.parent):
        entry = journal.find(file_changes.FOLDER, str(folder))
        assert entry is not None
        for each in file_changes.undo(entry, None).changes:
            each.apply(journal)
    assert not (tmp_path / "a").exists()

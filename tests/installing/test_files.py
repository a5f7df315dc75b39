"""Files replaced whole."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.installing import files
from blueplane_doctor.installing.files import StepError
from tests import hostile_files


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


def test_a_file_in_the_place_of_a_folder_is_a_refusal(tmp_path: Path) -> None:
    """As where HOME is /dev/null."""
    (tmp_path / "home").write_text("")
    with pytest.raises(StepError, match="Not a directory"):
        files.refuse_foreign(tmp_path / "home" / ".cursor" / "hooks.json")
    files.refuse_foreign(tmp_path / "nothing" / "hooks.json")


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    """Nor what a link leads to: root could put a file in the place of a device."""
    (tmp_path / "link").symlink_to(tmp_path / "there")
    hostile_files.put(kind, tmp_path / "there")
    with pytest.raises(StepError, match="no regular file"):
        files.write(tmp_path / "link", b"x")


def test_of_a_file_of_others_only_what_is_ours_is_public(tmp_path: Path) -> None:
    before = b'{"hooks": {"stop": [{"command": "tell s3cret"}]}}\n-- s3cret\nlast s3cret\n'
    after = before.replace(b"]}}", b', {"command": "ours"}]}}').replace(b"-- s3cret\n", b"- ours\n")
    shown = files.public_diff(files.unified_diff(tmp_path / "a", before, after), before)
    assert '+{"hooks": {"stop": [{"command": "…"}, {"command": "ours"}]}}\n' in shown
    assert "\n-…\n" in shown and "\n+- ours\n" in shown and "\n …\n" in shown
    assert "s3cret" not in shown
    undone = files.public_diff(files.unified_diff(tmp_path / "a", after, before), before)
    assert "\n-- ours\n" in undone and "\n+…\n" in undone
    assert "s3cret" not in undone
    assert files.public_diff("", None) == ""
    without_end = '\\"' * 200_000  # to look for the end of each text would take an hour
    assert files.public_diff(f"--- a\n+++ b\n+{without_end}+", without_end.encode()) != ""


def test_a_file_larger_than_any_person_writes_is_left_alone(tmp_path: Path) -> None:
    large = tmp_path / "hooks.json"
    large.write_bytes(b"x\n" * 150_000)  # to compare two of a million bytes took half a minute
    with pytest.raises(files.StepError, match="more than 256,000 bytes; it is left as it is"):
        files.read(large)

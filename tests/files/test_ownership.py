"""The gate before code is run and journals are followed: only where this user and root alone decide what is there."""

import os
import struct
from pathlib import Path

import pytest

from blueplane_doctor.files import ownership
from blueplane_doctor.files.ownership import crossed, stranger_in, stranger_of

STRANGER = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file two folders down, all of them ours."""
    folder = tmp_path / "above" / "folder"
    folder.mkdir(parents=True)
    for place in (folder, folder.parent):
        place.chmod(0o755)
    path = folder / "file"
    path.touch()
    path.chmod(0o644)
    return path


def private_group(monkeypatch: pytest.MonkeyPatch, alone: bool) -> None:
    """Let the group of every file have no other members, or some."""
    monkeypatch.setattr(ownership, "_is_alone_in_group", lambda uid, gid: alone)


def test_everything_on_the_way_is_looked_at(file: Path) -> None:
    assert list(crossed(file)) == [*reversed(file.parents), file]
    assert list(crossed(file.parent / ".." / "folder" / "file"))[-1] == file


def test_links_are_followed_step_by_step(file: Path) -> None:
    link = file.parent.parent / "link"
    link.symlink_to("folder")
    steps = list(crossed(link / "file"))
    assert steps[-3:] == [link, file.parent, file]
    absolute = file.parent.parent / "absolute"
    absolute.symlink_to(file)
    assert [*crossed(absolute)][-1] == file


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="circle"):
        list(crossed(tmp_path / "a"))
    stranger = stranger_of(tmp_path / "a")
    assert stranger and "cannot be looked at: a circle of symbolic links" in stranger.told()


def test_our_own_is_ours(file: Path) -> None:
    assert stranger_of(file) is None
    assert stranger_of(file, is_code=True) is None
    assert stranger_of(file.parent / "not" / "there") is None


@pytest.mark.parametrize("above", [0, 1, 2], ids=["file", "folder", "folder-above"])
def test_what_everybody_may_write_to_is_not_ours(file: Path, above: int) -> None:
    loose = [file, *file.parents][above]
    loose.chmod(0o777)
    stranger = stranger_of(file)
    assert stranger and stranger.path == loose
    assert f"chmod go-w {loose}" in stranger.told()
    assert "chmod go-w shown" in stranger.told("shown")


def test_a_path_of_others_is_no_command_when_it_is_copied(file: Path) -> None:
    loose = file.parent / "a;b $(c)"
    loose.mkdir()
    loose.chmod(0o777)
    stranger = stranger_of(loose)
    assert stranger and f"chmod go-w '{loose}'" in stranger.told()


def test_in_a_sticky_folder_only_the_owner_can_replace_a_file(file: Path) -> None:
    file.parent.chmod(0o1777)
    assert stranger_of(file) is None
    assert stranger_of(file.parent) is not None, "but anybody may put another one into it"


@pytest.mark.parametrize("alone", [True, False])
def test_a_group_counts_when_somebody_else_is_in_it(file: Path, monkeypatch: pytest.MonkeyPatch, alone: bool) -> None:
    private_group(monkeypatch, alone)
    file.parent.chmod(0o775)
    assert (stranger_of(file) is None) is alone
    file.parent.chmod(0o755)
    file.chmod(0o664)
    assert (stranger_of(file) is None) is alone
    assert stranger_of(file, is_code=True) is not None, "code is for its owner alone"


@pytest.mark.parametrize(
    ("kind", "identity", "rights", "is_ours"),
    [(2, STRANGER, 7, False), (2, STRANGER, 5, True), (2, os.geteuid(), 7, True), (8, STRANGER, 6, False)],
    ids=["a-user", "who-may-read", "ourselves", "a-group"],
)
def test_whom_an_access_list_names_counts(
    file: Path, monkeypatch: pytest.MonkeyPatch, kind: int, identity: int, rights: int, is_ours: bool
) -> None:
    private_group(monkeypatch, alone=True)
    nobody = 0xFFFF_FFFF
    entries = [(1, 7, nobody), (kind, rights, identity), (4, 5, nobody), (16, 7, nobody), (32, 5, nobody)]
    packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(file.parent, ownership.ACCESS_LIST, packed)
    except (AttributeError, OSError):
        pytest.skip("no access lists here")
    assert (stranger_of(file) is None) is is_ours


def test_nobody_else_is_in_a_group_that_has_no_other_members(monkeypatch: pytest.MonkeyPatch) -> None:
    import grp
    import pwd

    groups = {10: ("ann", []), 11: ("team", ["ann", "bob"]), 12: ("bob", []), 13: ("wheel", ["root", "ann"])}
    users = {0: ("root", 0), 1000: ("ann", 10), 1001: ("bob", 12)}

    def user(uid: int) -> pwd.struct_passwd:
        name, gid = users[uid]
        return pwd.struct_passwd((name, "x", uid, gid, "", "/", "/bin/sh"))

    monkeypatch.setattr(pwd, "getpwuid", user)
    monkeypatch.setattr(pwd, "getpwall", lambda: [user(uid) for uid in users])
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group((groups[gid][0], "x", gid, groups[gid][1])))
    alone = ownership._is_alone_in_group
    assert alone(1000, 10) and alone(1000, 13)
    assert not alone(1000, 11) and not alone(1000, 12) and not alone(1000, 99)


@needs_root
@pytest.mark.parametrize("above", [0, 1, 2], ids=["file", "folder", "folder-above"])
def test_what_belongs_to_somebody_else_is_not_ours(file: Path, above: int) -> None:
    foreign = [file, *file.parents][above]
    os.chown(foreign, STRANGER, STRANGER)
    stranger = stranger_of(file)
    assert stranger and (stranger.path, stranger.owner) == (foreign, STRANGER)
    assert "run this as that user" in stranger.told()


@needs_root
def test_a_link_of_somebody_else_and_what_it_leads_through_count(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to("file")
    assert stranger_of(link) is None
    os.lchown(link, STRANGER, STRANGER)
    assert stranger_of(link) is not None


def test_one_loose_file_makes_a_whole_folder_of_code_unsafe(file: Path) -> None:
    assert stranger_in(file.parent.parent) is None
    file.chmod(0o666)
    stranger = stranger_in(file.parent.parent)
    assert stranger and stranger.path == file


def test_a_link_in_a_folder_of_code_counts_with_what_it_leads_to(file: Path, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir()
    (loose / "module").mkdir()
    (file.parent / "module").symlink_to(loose / "module")
    loose.chmod(0o755)
    assert stranger_in(file.parent) is None
    loose.chmod(0o777)
    stranger = stranger_in(file.parent)
    assert stranger and stranger.path == loose


def test_a_folder_of_too_many_files_is_not_looked_through(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "MOST_FILES", 1)
    stranger = stranger_in(file.parent.parent)
    assert stranger and "more than 1 files" in stranger.told()

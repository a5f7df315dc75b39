"""Whether a user may write a file, for each kind of user and mode."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.sources import file_access
from blueplane_doctor.sources.file_access import User, is_mounted_read_only, may_write, user_of_process

STRANGER = User(uid=4_294_901, gids=frozenset([4_294_902]), passes_permissions=False)


def users(path: Path) -> dict[str, User]:
    state = path.stat()
    return {
        "owner": STRANGER._replace(uid=state.st_uid),
        "group": STRANGER._replace(gids=frozenset([state.st_gid, 7])),
        "other": STRANGER,
        "root": STRANGER._replace(passes_permissions=True),
    }


@pytest.mark.parametrize(
    ("mode", "writers"),
    [
        (0o644, {"owner", "root"}),
        (0o664, {"owner", "group", "root"}),
        (0o666, {"owner", "group", "other", "root"}),
        (0o444, {"root"}),
        (0o466, {"group", "other", "root"}),
        (0o606, {"owner", "other", "root"}),
    ],
)
def test_the_bits_of_the_nearest_class_count_alone(mode: int, writers: set[str], tmp_path: Path) -> None:
    file = tmp_path / "telemetry.db"
    file.touch()
    file.chmod(mode)
    assert {name for name, user in users(file).items() if may_write(user, file)} == writers


@pytest.mark.parametrize(
    ("mode", "writers"),
    [(0o755, {"owner", "root"}), (0o622, {"root"}), (0o733, {"owner", "group", "other", "root"})],
)
def test_a_folder_has_to_be_entered_too(mode: int, writers: set[str], tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(mode)
    found = {name for name, user in users(folder).items() if may_write(user, folder)}
    folder.chmod(0o755)
    assert found == writers


def test_where_an_access_list_decides_the_mode_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        file_access.os, "listxattr", lambda path: ["user.note", "system.posix_acl_access"], raising=False
    )
    assert may_write(STRANGER, tmp_path) is None
    assert may_write(STRANGER._replace(passes_permissions=True), tmp_path) is True


def test_the_user_of_this_process_is_the_one_that_runs_it() -> None:
    user = user_of_process(os.getpid())
    assert user is not None
    assert user.uid == os.geteuid()
    assert os.getegid() in user.gids
    assert user_of_process(4_999_999) is None


def test_root_without_its_capability_is_bound_by_permissions(monkeypatch: pytest.MonkeyPatch) -> None:
    for capabilities, passes in (("000001fffeffffff", True), ("0000000000000000", False), ("00000000a80425fd", False)):
        monkeypatch.setattr(file_access, "_proc_status", lambda pid, value=capabilities: {"CapEff": value})
        user = user_of_process(os.getpid())
        assert user is not None and user.passes_permissions is passes, capabilities


def test_a_folder_that_can_be_written_is_not_mounted_read_only(tmp_path: Path) -> None:
    assert is_mounted_read_only(tmp_path) is False

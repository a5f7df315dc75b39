"""The reader of files: a regular file, whole or its end or beginning, within its limit; all else is an error."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.errors import FileMissing, FileUnreadable
from blueplane_doctor.files.reading import file_state, read_bytes, read_head, read_tail, read_text
from tests.hostile_files import put

STRANGER = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return path


def test_a_file_is_read_whole_from_its_end_or_its_beginning(file: Path) -> None:
    assert read_bytes(file, 10) == b"0123456789"
    assert read_text(file, 10) == "0123456789"
    assert read_tail(file, 3) == b"789"
    assert read_tail(file, 30) == b"0123456789"
    assert read_head(file, 3) == b"012"
    assert file_state(file).st_size == 10


def test_a_file_that_is_larger_than_its_limit_is_not_read(file: Path) -> None:
    with pytest.raises(FileUnreadable, match="it has more than 9 bytes"):
        read_bytes(file, 9)


def test_a_file_that_says_it_is_empty_is_read_up_to_the_limit() -> None:
    path = Path("/proc/self/environ")
    if not path.exists():
        pytest.skip("no /proc")
    assert path.stat().st_size == 0
    with pytest.raises(FileUnreadable, match="it has more than 1 bytes"):
        read_bytes(path, 1)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("fifo", "it is a named pipe, not a regular file"),
        ("device", "it is a device, not a regular file"),
        ("folder", "Is a directory"),
        ("sparse", "it has more than 100 bytes"),
        ("large", "it has more than 100 bytes"),
        ("circle", "Too many levels of symbolic links"),
    ],
)
def test_what_is_no_usable_file_is_an_error_with_its_reason(tmp_path: Path, kind: str, reason: str) -> None:
    path = tmp_path / "file"
    put(kind, path)
    with pytest.raises(FileUnreadable) as caught:
        read_bytes(path, 100)
    assert caught.value.reason == reason
    assert caught.value.message == f"{path}: cannot be read: {reason}"
    assert not isinstance(caught.value, FileMissing)


def test_the_end_of_a_sparse_file_is_read_without_its_beginning(tmp_path: Path) -> None:
    put("sparse", tmp_path / "file")
    assert read_tail(tmp_path / "file", 5) == b"\0" * 5


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "circle"])
@pytest.mark.parametrize("read", [read_tail, read_head])
def test_no_part_of_it_is_read_either(tmp_path: Path, kind: str, read: object) -> None:
    put(kind, tmp_path / "file")
    with pytest.raises(FileUnreadable):
        read(tmp_path / "file", 100)  # type: ignore[operator]


def test_text_is_utf_8(tmp_path: Path) -> None:
    put("binary", tmp_path / "file")
    with pytest.raises(FileUnreadable, match="it is not UTF-8 text"):
        read_text(tmp_path / "file", 100_000)


@pytest.mark.parametrize("kind", ["none", "dangling", "below-a-file"])
def test_what_is_not_there_is_missing(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    if kind == "dangling":
        put(kind, path)
    elif kind == "below-a-file":
        path.touch()
        path = path / "more"
    with pytest.raises(FileMissing):
        read_bytes(path, 100)


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "x/" * 3_000, "\ud800"], ids=["nul", "long", "deep", "surrogate"])
def test_a_name_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileUnreadable, match="cannot be read"):
        read_bytes(tmp_path / name, 100)


def test_our_own_links_are_followed(file: Path) -> None:
    (file.parent / "link").symlink_to("file")
    assert read_bytes(file.parent / "link", 10) == b"0123456789"


@needs_root
def test_a_link_of_a_stranger_leads_nowhere_but_to_what_is_his(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to(file)
    os.lchown(link, STRANGER, STRANGER)
    with pytest.raises(FileUnreadable, match="a symbolic link of another user"):
        read_bytes(link, 10)
    os.chown(file, STRANGER, STRANGER)
    assert read_bytes(link, 10) == b"0123456789"


@needs_root
@pytest.mark.parametrize(("mode", "is_read"), [(0o755, True), (0o777, False), (0o1777, False)])
def test_a_file_of_a_stranger_is_read_where_only_the_owner_may_put_one(file: Path, mode: int, is_read: bool) -> None:
    os.chown(file, STRANGER, STRANGER)
    file.parent.chmod(mode)
    if is_read:
        assert read_bytes(file, 10) == b"0123456789"
        return
    with pytest.raises(FileUnreadable, match="it belongs to another user"):
        read_bytes(file, 10)


@needs_root
def test_a_file_of_the_folder_s_owner_is_read_wherever_it_is(file: Path) -> None:
    os.chown(file, STRANGER, STRANGER)
    os.chown(file.parent, STRANGER, STRANGER)
    file.parent.chmod(0o777)
    assert read_bytes(file, 10) == b"0123456789"

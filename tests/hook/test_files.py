"""The hook's files: whatever stands in their place, no hook waits for it, and no event is lost uncounted."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from blueplane_hook import events, spool
from blueplane_hook.files import opened, read
from tests.hostile_files import HOSTILE, put

UNUSABLE = [kind for kind in HOSTILE if kind not in ("binary", "large", "sparse")]


def test_a_part_of_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read(str(path), 3) == b"012"
    assert read(str(path), 30, 7) == b"789"


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC])
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, kind: str, flags: int) -> None:
    put(kind, tmp_path / "file")
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(OSError):
        opened(str(tmp_path / "file"), flags)
    assert not before or len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
@pytest.mark.parametrize("name", [spool.SPOOL_FILE, f"{spool.SPOOL_FILE}.new", f"{spool.COUNTS_FILE}.new"])
def test_nothing_is_written_into_a_file_that_another_user_put_there(tmp_path: Path, name: str) -> None:
    planted = tmp_path / name
    planted.touch()
    planted.chmod(0o666)
    os.chown(planted, 65_534, 65_534)
    handle = os.open(planted, os.O_RDONLY)
    try:
        kept = spool.Spool(str(tmp_path))
        kept.add(b'{"prompt": "private"}')
        kept.add(b'{"prompt": "private"}')
        with suppress(OSError):  # the hook then ends, and what waits stays
            kept.deliver(lambda event: "failed", time.monotonic() + 1)
        assert os.read(handle, 100) == b""
    finally:
        os.close(handle)


@pytest.mark.parametrize("kind", UNUSABLE)
def test_in_the_place_of_the_spool_an_event_is_counted(tmp_path: Path, kind: str) -> None:
    put(kind, tmp_path / spool.SPOOL_FILE)
    spool.Spool(str(tmp_path)).add(b"{}")
    assert json.loads((tmp_path / spool.COUNTS_FILE).read_bytes())["dropped"] == 1


@pytest.mark.parametrize("kind", UNUSABLE)
def test_in_the_place_of_the_lock_an_event_is_kept_apart(tmp_path: Path, kind: str) -> None:
    put(kind, tmp_path / spool.LOCK_FILE)
    spool.Spool(str(tmp_path)).add(b"{}")
    (name,) = spool.own_files(str(tmp_path))
    assert (tmp_path / name).read_bytes() == b"{}"


@pytest.mark.parametrize("kind", HOSTILE)
def test_in_the_place_of_the_counts_no_event_is_lost(tmp_path: Path, kind: str) -> None:
    put(kind, tmp_path / spool.COUNTS_FILE)
    kept = spool.Spool(str(tmp_path))
    kept.add(b"{}")
    kept.count("refused")
    assert (tmp_path / spool.SPOOL_FILE).read_bytes() == b"{}\n"


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_another_put_among_the_files_kept_apart_is_passed_over(tmp_path: Path, kind: str) -> None:
    put(kind, tmp_path / f"{spool.OWN_PREFIX}x{spool.OWN_SUFFIX}")
    spool.Spool(str(tmp_path)).add(b"{}")
    assert (tmp_path / spool.SPOOL_FILE).read_bytes() == b"{}\n"


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_is_delivered_from_what_is_no_spool(tmp_path: Path, kind: str) -> None:
    put(kind, tmp_path / spool.SPOOL_FILE)
    sent: list[bytes] = []

    def post(event: bytes) -> str:
        sent.append(event)
        return events.DELIVERED

    try:
        spool.Spool(str(tmp_path)).deliver(post, time.monotonic() + 1)
    except OSError:
        assert kind in ("folder", "fifo", "device", "circle")
    assert sent == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_in_the_place_of_the_session_there_is_none(tmp_path: Path, kind: str) -> None:
    (tmp_path / "cursor-session").mkdir()
    put(kind, tmp_path / "cursor-session" / "x.json")
    assert events._written_down_session(str(tmp_path), "x") == ""

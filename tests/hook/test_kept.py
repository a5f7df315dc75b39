"""Inputs that are not understood: kept whole for this user alone, within bounds, and what finds no room is counted."""

from pathlib import Path

import pytest

from blueplane_doctor.monitoring.spool_health import spool_health
from blueplane_hook import kept
from tests.hook.conftest import Hook


def test_what_is_not_understood_is_kept_whole_and_for_this_user_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert kept.keep_whole(str(home), b"\xff not an event")
    (file,) = home.glob("*.kept")
    assert file.read_bytes() == b"\xff not an event"
    assert (file.stat().st_mode & 0o777, home.stat().st_mode & 0o777) == (0o600, 0o700)
    state = spool_health(home)
    assert (state.not_understood, state.not_understood_bytes, state.dropped, state.lost) == (1, 14, 0, 1)


@pytest.mark.parametrize(("limit", "most"), [("ROOM", 25), ("MOST_FILES", 2)])
def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    monkeypatch.setattr(kept, limit, most)
    assert [kept.keep_whole(str(tmp_path), b"ten bytes.") for _ in range(4)] == [True, True, False, False]
    assert kept.kept_sizes(str(tmp_path)) == [10, 10]


def test_a_disk_is_not_filled_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept.leaves_room(str(tmp_path), b"x")
    monkeypatch.setattr(kept, "leaves_room", lambda home, content: False)
    assert not kept.keep_whole(str(tmp_path), b"x")


def test_a_home_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert not kept.keep_whole(str(tmp_path / "file" / "home"), b"x")


def test_what_finds_no_room_is_counted_as_dropped(hook: Hook) -> None:
    hook.home.mkdir()
    for number in range(kept.MOST_FILES):
        (hook.home / f"hook-spool-{number}.kept").touch()
    assert hook("stop", b"no JSON").returncode == 0
    state = spool_health(hook.home)
    assert (state.not_understood, state.dropped) == (kept.MOST_FILES, 1)

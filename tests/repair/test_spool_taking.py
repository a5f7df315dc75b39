"""Events are taken out of the spool whole, and what was not planned stays with the hooks; also when it is killed."""

import contextlib
import os
from pathlib import Path

import pytest

from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.repair import spool_taking
from blueplane_doctor.repair.spool_taking import events_in, give_back, take_events, taken_lines
from blueplane_doctor.sources.spooled_events import spooled_id, spooled_lines
from blueplane_hook.spool import SPOOL_FILE, Spool

EVENTS = [b'{"n":%d}' % number for number in range(6)]
WANTED = frozenset(EVENTS[:3])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "repair"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for event in EVENTS:
        Spool(str(tmp_path)).add(event)
    return tmp_path


def spooled(home: Path) -> list[bytes]:
    """What hooks still have to deliver."""
    path = home / SPOOL_FILE
    if not path.exists():
        return []
    return path.read_bytes().split()


def test_what_was_planned_leaves_the_spool_and_the_rest_stays(home: Path, folder: Path) -> None:
    assert take_events(home, folder, WANTED) == WANTED
    assert spooled(home) == EVENTS[3:]
    assert take_events(home, folder, WANTED) == WANTED, "a second run finds what the first one took"
    assert spooled(home) == EVENTS[3:]


def test_what_left_the_spool_meanwhile_is_not_taken(home: Path, folder: Path) -> None:
    gone = b'{"n":77}'
    assert take_events(home, folder, {*WANTED, gone}) == WANTED
    assert take_events(home, folder, {gone}) == frozenset()


def test_nothing_is_moved_where_nothing_is_wanted(home: Path, folder: Path) -> None:
    assert take_events(home, folder, {b"{}"}) == frozenset()
    assert len(spooled(home)) == len(EVENTS)
    assert not list(folder.iterdir())


def test_what_hooks_kept_apart_is_taken_too(home: Path, folder: Path) -> None:
    apart = b'{"n":8}'
    (home / "hook-spool-1-a.own").write_bytes(apart)
    assert take_events(home, folder, {apart}) == {apart}
    assert len(spooled(home)) == len(EVENTS)


def test_while_a_hook_delivers_nothing_is_taken(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spool, "hold", lambda self: False)
    with pytest.raises(RepairRefused, match="nothing is changed"):
        take_events(home, folder, WANTED)
    assert len(spooled(home)) == len(EVENTS)


def test_without_room_in_the_spool_nothing_is_lost(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take_events(home, folder, WANTED)
    with monkeypatch.context() as during:
        during.setattr("blueplane_hook.spool.ROOM", 35)  # one of the three fits
        with pytest.raises(RepairRefused, match="no room for 2 events"):
            give_back(home, folder, {spooled_id(line) for line in WANTED})
    assert sorted([*spooled(home), *taken_lines(folder)]) == EVENTS
    assert give_back(home, folder, {spooled_id(line) for line in WANTED}) == 2
    assert (sorted(spooled(home)), taken_lines(folder)) == (EVENTS, [])


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("call", range(12))
def test_killed_at_any_file_operation_and_run_again_the_end_is_the_same(
    home: Path, folder: Path, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [call]

    def deadly(name: str) -> None:
        real = getattr(os, name)

        def wrapped(*arguments: object, **more: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return real(*arguments, **more)

        monkeypatch.setattr(os, name, wrapped)

    with monkeypatch.context() as during:
        monkeypatch = during
        for name in ("rename", "replace", "fsync", "link", "unlink"):
            deadly(name)
        with contextlib.suppress(Killed):
            take_events(home, folder, WANTED)
    # Before it is run again every event can be found, and none of those in the folder is in the spool as well.
    assert sorted([*set(spooled_lines(home)), *set(events_in(folder))]) == EVENTS
    assert take_events(home, folder, WANTED) == WANTED
    assert sorted(spooled(home)) == EVENTS[3:]
    assert taken_lines(folder) == EVENTS[:3]
    assert not (folder / spool_taking.REST_FILE).exists()

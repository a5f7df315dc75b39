"""Takes events out of the hook's spool, so that no hook delivers them a second time; and puts them back.

The spool as a whole is moved into the folder of the repair, which is one step of the file system, and what was not
planned goes back, which is another one. Which files are there tells a later run how far one that was killed came; and a
later plan finds there what nobody has delivered.
"""

import os
import secrets
from collections.abc import Collection
from pathlib import Path

from blueplane_doctor.errors import RepairRefused
from blueplane_doctor.installing.files import sync_folder
from blueplane_doctor.repair.plan import ADDS_TO_STREAM, Plan, Source
from blueplane_doctor.repair.private_files import write_private
from blueplane_doctor.repair.store import FOLDER, TAKEN_FILE
from blueplane_doctor.sources.spooled_events import spool_content, spooled_id, spooled_lines
from blueplane_doctor.text.quantities import many
from blueplane_hook.spool import OWN_PREFIX, OWN_SUFFIX, SPOOL_FILE, Spool

REST_FILE = "rest-of-spool.jsonl"
_RANDOM_BYTES = 8


def take_events(home: Path, folder: Path, wanted: Collection[bytes]) -> frozenset[bytes]:
    """Move these lines of the spool into `folder`; those that this run or an earlier one moved there.

    Raises RepairRefused when the spool is in use, OSError when the disk refuses.
    """
    taken = folder / TAKEN_FILE
    spool = _held(home)
    try:
        if not taken.exists() and not _move(home, folder, wanted):
            return frozenset()
        _put_rest_back(home, folder)
        spool.take_over()
    finally:
        spool.let_go()
    return frozenset(_lines(taken)) & frozenset(wanted)


def _held(home: Path) -> Spool:
    """The spool, which hooks neither add to nor deliver from until it is let go. Raises RepairRefused."""
    spool = Spool(str(home))
    if not spool.hold():
        raise RepairRefused("a hook delivers from its spool at this moment; nothing is changed", "run it again")
    return spool


def _move(home: Path, folder: Path, wanted: Collection[bytes]) -> bool:
    """Whether any of these lines was there to be moved."""
    lines = _lines(home / SPOOL_FILE)
    others = [line for line in lines if line not in wanted]
    if len(others) == len(lines):
        return False
    # What goes back is written down first: once the spool is moved, a later run only has to put it there.
    rest = folder / REST_FILE
    if others:
        write_private(rest, b"\n".join(others))
    else:
        rest.unlink(missing_ok=True)
    os.rename(home / SPOOL_FILE, folder / TAKEN_FILE)
    sync_folder(folder)
    sync_folder(home)
    return True


def _put_rest_back(home: Path, folder: Path) -> None:
    rest = folder / REST_FILE
    if rest.exists():
        # First out of what was taken, so that what is there is never in the spool as well.
        others = set(_lines(rest))
        still_taken = []
        for line in taken_lines(folder):
            if line not in others:
                still_taken.append(line)
        _keep_taken(folder, still_taken)
        # Under the name of what a hook kept apart: the next one that has the spool takes it over.
        os.rename(rest, home / f"{OWN_PREFIX}{os.getpid()}-{secrets.token_hex(_RANDOM_BYTES)}{OWN_SUFFIX}")
        sync_folder(home)


def take_from_source(plan: Plan, folder: Path) -> frozenset[str]:
    """Take the events of a plan out of the spool; the IDs of those that were there. Raises RepairRefused, OSError.

    Those that an interrupted repair took before go back into the spool first, and are taken from there.
    """
    ids = set()
    for item in plan.items:
        if item.source is Source.SPOOL and item.action in ADDS_TO_STREAM:
            ids.add(item.id)
    if not ids:
        return frozenset()
    home = Path(plan.home)
    for other in _folders_with_events(home):
        if other != folder:
            give_back(home, other, ids)
    by_line = {}
    for line in [*spooled_lines(home), *taken_lines(folder)]:
        identity = spooled_id(line)
        if identity in ids:
            by_line[line] = identity
    return frozenset(by_line[line] for line in take_events(home, folder, by_line))


def give_back(home: Path, folder: Path, identities: Collection[str]) -> int:
    """Put events that a repair took back into the spool, whence hooks deliver them; how many.

    Raises RepairRefused where there is no room, or where the spool is in use; OSError when the disk refuses.
    """
    if not any(spooled_id(line) in identities for line in events_in(folder)):
        return 0
    spool = _held(home)
    try:
        _put_rest_back(home, folder)
        spool.take_over()
        lines = taken_lines(folder)
        wanted = [line for line in lines if spooled_id(line) in identities]
        waiting = set(spooled_lines(home))
        back = set()
        for line in wanted:
            if line in waiting or spool.put(line):
                back.add(line)
        # Only now: killed before, they are found in both places, and go back once.
        still_taken = []
        for line in lines:
            if line not in back:
                still_taken.append(line)
        _keep_taken(folder, still_taken)
    finally:
        spool.let_go()
    if len(back) < len(wanted):
        without_room = many(len(wanted) - len(back), "event", "events")
        raise RepairRefused(
            f"the hook's spool has no room for {without_room}, which stay in the folder of the repair",
            "run it again when hooks have delivered what waits there",
        )
    return len(wanted)


def forget_written(folder: Path, identities: Collection[str]) -> None:
    """Drop events that were taken and are written: what stays in the file is what somebody has still to deliver."""
    lines = taken_lines(folder)
    left = [line for line in lines if spooled_id(line) not in identities]
    if len(left) < len(lines):
        _keep_taken(folder, left)


def _keep_taken(folder: Path, lines: list[bytes]) -> None:
    if lines:
        write_private(folder / TAKEN_FILE, b"\n".join(lines))
    else:
        (folder / TAKEN_FILE).unlink(missing_ok=True)


def _folders_with_events(home: Path) -> list[Path]:
    """The folders of repairs that took events out of the spool and have not seen all of them written."""
    return sorted(path.parent for path in (home / FOLDER).glob(f"*/{TAKEN_FILE}"))


def events_left(home: Path) -> list[bytes]:
    """The events in these folders. Raises FileUnreadable."""
    lines: list[bytes] = []
    for folder in _folders_with_events(home):
        lines += events_in(folder)
    return lines


def events_in(folder: Path) -> list[bytes]:
    """What a repair took, and what it has to put back, where it was killed before. Raises FileUnreadable."""
    taken = taken_lines(folder)
    if not taken:  # then the spool was not moved, and still holds the rest
        return []
    return [*taken, *_lines(folder / REST_FILE)]


def taken_lines(folder: Path) -> list[bytes]:
    """The lines that a repair took and has not seen written; empty where there are none. Raises FileUnreadable."""
    return _lines(folder / TAKEN_FILE)


def _lines(file: Path) -> list[bytes]:
    return [line for line in spool_content(file).split(b"\n") if line]

"""Takes events out of the hook's spool, so that no hook delivers them a second time; and puts them back.

The spool as a whole is moved into the folder of the repair, which is one step of the file system, and what was not
planned goes back, which is another one. Which files are there tells a later run how far one that was killed came.
"""

import os
import secrets
from collections.abc import Collection
from pathlib import Path

from blueplane_doctor.errors import FileMissing, RepairRefused
from blueplane_doctor.file_reading import read_head
from blueplane_doctor.installing.files import sync_folder, write
from blueplane_doctor.repair.plan import ADDS_TO_STREAM, Plan, Source
from blueplane_doctor.repair.store import PRIVATE
from blueplane_doctor.sources.spooled_events import spooled_id, spooled_lines
from blueplane_hook.spool import MOST_BYTES, OWN_PREFIX, OWN_SUFFIX, SPOOL_FILE, Spool

TAKEN_FILE = "taken-spool.jsonl"
REST_FILE = "rest-of-spool.jsonl"
_RANDOM_BYTES = 8


def take_events(home: Path, folder: Path, wanted: Collection[bytes]) -> frozenset[bytes]:
    """Move these lines of the spool into `folder`; those that this run or an earlier one moved there.

    Raises RepairRefused when the spool is in use, OSError when the disk refuses.
    """
    taken = folder / TAKEN_FILE
    spool = Spool(str(home))
    if not spool.hold():
        raise RepairRefused("a hook delivers from its spool at this moment; nothing is changed", "run it again")
    try:
        if not taken.exists() and not _move(home, folder, wanted):
            return frozenset()
        _put_rest_back(home, folder)
        spool.take_over()
    finally:
        spool.let_go()
    return frozenset(_lines(taken)) & frozenset(wanted)


def _move(home: Path, folder: Path, wanted: Collection[bytes]) -> bool:
    """Whether any of these lines was there to be moved."""
    lines = _lines(home / SPOOL_FILE)
    others = [line for line in lines if line not in wanted]
    if len(others) == len(lines):
        return False
    # What goes back is written down first: once the spool is moved, a later run only has to put it there.
    rest = folder / REST_FILE
    if others:
        write(rest, b"\n".join(others), mode=PRIVATE)
    else:
        rest.unlink(missing_ok=True)
    os.rename(home / SPOOL_FILE, folder / TAKEN_FILE)
    sync_folder(folder)
    sync_folder(home)
    return True


def _put_rest_back(home: Path, folder: Path) -> None:
    rest = folder / REST_FILE
    if rest.exists():
        # Under the name of what a hook kept apart: the next one that has the spool takes it over.
        os.rename(rest, home / f"{OWN_PREFIX}{os.getpid()}-{secrets.token_hex(_RANDOM_BYTES)}{OWN_SUFFIX}")
        sync_folder(home)


def take_from_source(plan: Plan, folder: Path) -> frozenset[str]:
    """Take the events of a plan out of the spool; the IDs of those that were there. Raises RepairRefused, OSError."""
    ids = {item.id for item in plan.items if item.source is Source.SPOOL and item.action in ADDS_TO_STREAM}
    if not ids:
        return frozenset()
    home = Path(plan.home)
    by_line = {}
    for line in [*spooled_lines(home), *taken_lines(folder)]:
        identity = spooled_id(line)
        if identity in ids:
            by_line[line] = identity
    return frozenset(by_line[line] for line in take_events(home, folder, by_line))


def give_back(plan: Plan, folder: Path, identity: str) -> None:
    """Put an event back into the spool, whence hooks deliver it. Raises OSError when the disk refuses."""
    home = Path(plan.home)
    lines = taken_lines(folder)
    rest = [line for line in lines if spooled_id(line) != identity]
    elsewhere = {*rest, *spooled_lines(home)}
    for line in lines:
        if line not in elsewhere:
            Spool(str(home)).add(line)
    # Only now: killed before, it is found in both places, and goes back once.
    if rest:
        write(folder / TAKEN_FILE, b"\n".join(rest), mode=PRIVATE)
    else:
        (folder / TAKEN_FILE).unlink(missing_ok=True)


def taken_lines(folder: Path) -> list[bytes]:
    """The lines that a repair took; empty where it took none."""
    return _lines(folder / TAKEN_FILE)


def _lines(file: Path) -> list[bytes]:
    try:
        content = read_head(file, MOST_BYTES)
    except FileMissing:
        return []
    return [line for line in content.split(b"\n") if line]

"""Step `database`: the telemetry database where there is none: the pipeline's own script, or its known schema."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from blueplane_doctor.errors import SourceError
from blueplane_doctor.installing import file_changes, files
from blueplane_doctor.installing.files import Entry, Journal, StepError
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.database_source import DatabaseSource

SCRIPT = Path("scripts/init_database.py")
WORKSHOP = ".blueplane-new-database"
"""Folder beside the database in which a new one is made, before it is put in place."""
SCRIPT_SECONDS = 60
_ALWAYS_FILLED = ("schema_version", "sqlite_sequence")


class DatabaseStep:
    """Makes the database when it is absent."""

    name = "database"
    summary = "the telemetry database"

    def plan(self, site: Site) -> Plan:
        """Raises StepError when the checkout has no such script."""
        path = site.settings.database_file
        if site.core and not (site.core / SCRIPT).is_file():
            raise StepError(f"--core {site.core}: there is no {SCRIPT}", "name a checkout of the pipeline")
        if path.exists():
            return Plan(notes=[f"{path} is there"])
        how = f"$ {shlex.join(_script(site.core))}" if site.core else "with the schema that this doctor knows"
        return Plan(changes=[Change(f"make {path}", f"{how}\n+ {path}", partial(_make, site, path))])

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Remove it as long as there is no row in it and nobody has it open."""
        path = Path(entry["target"])
        changes = _cleared(path.parent / WORKSHOP)
        if not path.exists():
            return Plan([f"{path} is gone already"], changes)
        if reason := _in_use(path, entry):
            return Plan([f"{path} {reason}; it stays"], changes)
        return Plan(changes=[*changes, file_changes.removal(path)])


def _cleared(workshop: Path) -> list[Change]:
    """What a run left that was killed goes."""
    if not workshop.exists():
        return []
    command = f"$ {shlex.join(['rm', '-r', str(workshop)])}"
    return [Change(f"remove {workshop}", command, lambda journal: shutil.rmtree(workshop, ignore_errors=True))]


def _make(site: Site, path: Path, journal: Journal) -> None:
    """Made aside and linked into place: whole or not at all, and never over one that appeared meanwhile."""
    entry = {"step": "database", "kind": "database", "target": str(path), "inode": None}
    journal.record(entry)
    workshop = path.parent / WORKSHOP
    with files.explained(path, "made"):
        shutil.rmtree(workshop, ignore_errors=True)
        workshop.mkdir(mode=0o700)
        try:
            new = _by_script(site.core, workshop) if site.core else _by_schema(workshop)
            # The link has the same inode: so it is known for ours later, whatever is written to it.
            journal.record(entry | {"inode": new.stat().st_ino})
            with contextlib.suppress(FileExistsError):
                os.link(new, path)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)


def _by_schema(workshop: Path) -> Path:
    import sqlite3

    from blueplane_doctor.demo.schema import create_database

    new = workshop / "telemetry.db"
    try:
        create_database(new)
    except sqlite3.Error as error:
        raise StepError(f"the database cannot be made: {error}", "see whether the disk is full: df") from error
    return new


def _script(core: Path) -> list[str]:
    """The script under the checkout's own interpreter where it has one."""
    own = [core / folder / "bin" / "python" for folder in (".venv", "venv")]
    python = next((str(path) for path in own if path.is_file()), sys.executable)
    return [python, str(core / SCRIPT)]


def _by_script(core: Path, workshop: Path) -> Path:
    """The script writes to the home of its user; it is given one of its own."""
    environment = os.environ | {"HOME": str(workshop), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            _script(core), cwd=core, env=environment, capture_output=True, timeout=SCRIPT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepError(f"the pipeline's script did not end well: {error}", "run it by hand") from error
    new = workshop / ".blueplane" / "telemetry.db"
    if done.returncode or not new.is_file():
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no words"]
        raise StepError(
            f"the pipeline's script ended with {done.returncode}: {said[-1]}",
            "install what it needs, or leave --core out",
        )
    return new


def _in_use(path: Path, entry: Entry) -> str:
    """Why it must stay; empty when it may go."""
    if path.stat().st_ino != entry["inode"]:
        return "was made by others"
    if any(path.with_name(path.name + end).exists() for end in ("-wal", "-shm", "-journal")):
        return "is open, or was not closed well"
    source = DatabaseSource(path, Deadline(10))
    try:
        tables = [table for table in source.tables() if table not in _ALWAYS_FILLED]
        filled = [table for table in tables if source.rows(f'SELECT 1 FROM "{table}" LIMIT 1')]
    except SourceError as error:
        return f"cannot be read ({error.message})"
    finally:
        source.close()
    return f"holds rows ({', '.join(sorted(filled))})" if filled else ""

"""Step `database`: the telemetry database where there is none: the pipeline's own script, or its known schema."""

import contextlib
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path

from blueplane_doctor.demo.schema import create_database
from blueplane_doctor.errors import SourceError
from blueplane_doctor.files.ownership import stranger_in, stranger_of
from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.installing import file_changes, files
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.database_source import DatabaseSource

_SCRIPT = Path("scripts/init_database.py")
WORK_FOLDER = ".blueplane-new-database"
"""Folder beside the database in which a new one is made, before it is put in place."""
# The pipeline's script needs one or two; a home on the network may be slow.
_SCRIPT_SECONDS = 60
_ALWAYS_FILLED = ("schema_version", "sqlite_sequence")


class DatabaseStep:
    """Makes the database when it is absent."""

    name = "database"
    summary = "the telemetry database"

    def plan(self, site: Site) -> Plan:
        """Raises StepError when the checkout has no such script."""
        path = site.settings.database_file
        if site.core:
            _check_core(site.core)
        if os.path.exists(path):
            return Plan(notes=[f"{path} is there"])
        how = "with the schema that this doctor knows"
        if site.core:
            how = f"$ {shlex.join(_script(site.core))}"
        return Plan(changes=[Change(f"make {path}", f"{how}\n+ {path}", partial(_make, site, path))])

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Remove it as long as there is no row in it and nobody has it open."""
        path = Path(entry.target)
        changes = _cleared(path.parent / WORK_FOLDER)
        if not os.path.exists(path):
            return Plan([f"{path} is gone already"], changes)
        reason = _why_it_stays(path, entry)
        if reason:
            return Plan([f"{path} {reason}; it stays"], changes)
        return Plan(changes=[*changes, file_changes.removal(path)])


def _check_core(core: Path) -> None:
    """Raise StepError for what is no checkout, or one in which somebody else decides what its script does."""
    if not os.path.isfile(core / _SCRIPT):
        raise StepError(f"--core {core}: there is no {_SCRIPT}", "name a checkout of the pipeline")
    stranger = stranger_in(core) or stranger_of(Path(_script(core)[0]))
    if stranger:
        raise StepError(f"--core {core}: its script is not run, for others decide what it does", stranger.told())


def _cleared(work_folder: Path) -> list[Change]:
    """Removes what a run that was killed left behind."""
    if not os.path.exists(work_folder):
        return []
    command = f"$ {shlex.join(['rm', '-r', str(work_folder)])}"
    return [Change(f"remove {work_folder}", command, lambda journal: shutil.rmtree(work_folder, ignore_errors=True))]


def _make(site: Site, path: Path, journal: Journal) -> None:
    """Made aside and linked into place: whole or not at all, and never over one that appeared meanwhile."""
    entry = Entry(step="database", kind="database", target=str(path), inode=None)
    journal.record(entry)
    work_folder = path.parent / WORK_FOLDER
    with files.explained(path, "made"):
        shutil.rmtree(work_folder, ignore_errors=True)
        work_folder.mkdir(mode=0o700)
        try:
            new = _by_script(site.core, work_folder) if site.core else _by_schema(work_folder)
            # The link has the same inode: uninstalling recognises the file by it, whatever was written to it since.
            journal.record(entry.model_copy(update={"inode": new.stat().st_ino}))
            # A link, not a rename: a rename would replace a database that somebody else made meanwhile.
            with contextlib.suppress(FileExistsError):
                os.link(new, path)
        finally:
            shutil.rmtree(work_folder, ignore_errors=True)


def _by_schema(work_folder: Path) -> Path:
    new = work_folder / "telemetry.db"
    try:
        create_database(new)
    except sqlite3.Error as error:
        raise StepError(f"the database cannot be made: {error}", "see whether the disk is full: df") from error
    return new


def _script(core: Path) -> list[str]:
    """The script under the checkout's own interpreter where it has one."""
    for folder in (".venv", "venv"):
        python = core / folder / "bin" / "python"
        if python.is_file():
            return [str(python), str(core / _SCRIPT)]
    return [sys.executable, str(core / _SCRIPT)]


def _by_script(core: Path, work_folder: Path) -> Path:
    """Runs the script. It writes to the home of its user, so it is given a home of its own."""
    environment = os.environ | {"HOME": str(work_folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            _script(core), cwd=core, env=environment, capture_output=True, timeout=_SCRIPT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepError(f"the pipeline's script failed: {error}", "run it by hand") from error
    new = work_folder / ".blueplane" / "telemetry.db"
    if done.returncode or not new.is_file():
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it wrote no error"]
        raise StepError(
            f"the pipeline's script ended with {done.returncode}: {lines[-1]}",
            "install what it needs, or leave --core out",
        )
    return new


def _why_it_stays(path: Path, entry: Entry) -> str:
    """Why the database must not be removed; empty when it may be."""
    if path.stat().st_ino != entry.inode:
        return "was made by others"
    file = real_file(path)
    if any(file.with_name(file.name + end).exists() for end in ("-wal", "-shm", "-journal")):
        return "is open, or was not closed well"
    source = DatabaseSource(path, Deadline(10))
    try:
        filled = []
        for table in source.tables():
            if table not in _ALWAYS_FILLED and source.rows(f'SELECT 1 FROM "{table}" LIMIT 1'):
                filled.append(table)
    except SourceError as error:
        return f"cannot be read ({error.message})"
    finally:
        source.close()
    if not filled:
        return ""
    return f"holds rows ({', '.join(sorted(filled))})"

"""A file changed or made under the journal: with a backup beside it, and the way back, byte for byte."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from blueplane_doctor.installing import files
from blueplane_doctor.installing.files import StepError, digest
from blueplane_doctor.installing.journal import Entry, Journal, missing_folders, remove_folder
from blueplane_doctor.installing.plan import Change, Plan
from blueplane_doctor.installing.programs import shell_line

BACKUP_SUFFIX = ".before-blueplane"
KIND = "file"
FOLDER = "folder"


def change(step: str, path: Path, before: bytes | None, after: bytes, summary: str) -> Change:
    """Replace the file's content, or make it."""
    files.refuse_foreign(files.real_file(path))
    return Change(
        summary=summary,
        preview=files.unified_diff(path, before, after),
        apply=partial(_apply, step, path, before, after),
    )


def _apply(step: str, path: Path, before: bytes | None, after: bytes, journal: Journal) -> None:
    if files.read(path) != before:
        raise StepError(f"{path} changed while you were asked; it is left as it is", "run this again")
    _make_folders(step, path, journal)
    known = journal.find(KIND, str(path))
    if known is None and before is not None:
        _refuse_strange_backup(path, before)
    original = _original(known, before)
    journal.record({"step": step, "kind": KIND, "target": str(path), "before": original, "after": digest(after)})
    if before is not None and original == digest(before):
        files.write(backup_of(path), before, mode=_mode(path))
    files.write(path, after)


def _refuse_strange_backup(path: Path, before: bytes) -> None:
    """A file of that name that this program did not write is not overwritten."""
    if files.read(backup_of(path)) not in (None, before):
        raise StepError(f"{backup_of(path)} is there already, and is no backup of ours", "move it away, run this again")


def _mode(path: Path) -> int:
    return files.real_file(path).stat().st_mode & 0o7777


def _original(known: Entry | None, before: bytes | None) -> str | None:
    """What uninstalling goes back to: the first content, as long as nobody else changed the file since."""
    if known is None or digest(before) == known["before"]:
        return digest(before)
    return known["before"] if digest(before) == known["after"] else "changed by others"


def _make_folders(step: str, path: Path, journal: Journal) -> None:
    for folder in missing_folders(files.real_file(path).parent):
        journal.record({"step": step, "kind": FOLDER, "target": str(folder)})
        with files.explained(folder, "made"):
            folder.mkdir(mode=0o755, exist_ok=True)


def backup_of(path: Path) -> Path:
    """Where the first content is kept."""
    target = files.real_file(path)
    return target.with_name(target.name + BACKUP_SUFFIX)


def undo(entry: Entry, without_ours: Callable[[bytes], bytes] | None) -> Plan:
    """Back to the first content when nothing else changed since; else take out only what is ours.

    `without_ours` does the latter; None: such a file is left as it is.
    """
    path = Path(entry["target"])
    if entry["kind"] == FOLDER:
        return Plan(changes=[_folder_change(path)] if path.is_dir() else [])
    now = files.read(path)
    back = _first_content(path, entry, now)
    if back is not _NOT_KNOWN:
        return Plan(changes=[_way_back(path, now, back)])  # type: ignore[arg-type]
    if now is None:
        return Plan(notes=[f"{path} is gone already"], changes=[_way_back(path, None, None)])
    if without_ours is None:
        return Plan(notes=[f"{path} was changed by others since; it is left as it is"])
    return Plan(changes=[_way_back(path, now, without_ours(now))])


_NOT_KNOWN = object()


def _first_content(path: Path, entry: Entry, now: bytes | None) -> object:
    if digest(now) == entry["before"]:
        return now  # killed before the change was made, or undone by hand
    if digest(now) != entry["after"]:
        return _NOT_KNOWN
    if entry["before"] is None:
        return None
    kept = files.read(backup_of(path))
    return kept if digest(kept) == entry["before"] else _NOT_KNOWN


def _way_back(path: Path, now: bytes | None, after: bytes | None) -> Change:
    def apply(journal: Journal) -> None:
        if files.read(path) != now:
            raise StepError(f"{path} changed while you were asked; it is left as it is", "run this again")
        if after is None:
            files.remove(path)
        elif after != now:
            files.write(path, after)
        files.remove(files.temporary_of(files.real_file(path)))
        files.remove(backup_of(path))

    verb = "remove" if after is None else "restore"
    return Change(f"{verb} {path}", files.unified_diff(path, now, after), apply)


def removal(path: Path) -> Change:
    """Remove a file that is ours alone."""
    return Change(f"remove {path}", f"$ {shell_line('rm', str(path))}", lambda journal: files.remove(path))


def _folder_change(path: Path) -> Change:
    command = f"$ {shell_line('rmdir', str(path))}"
    return Change(f"remove {path} if it is empty", command, lambda journal: remove_folder(path))

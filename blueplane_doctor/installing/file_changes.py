"""A file changed or made under the journal: a backup beside it, and the way back, byte for byte."""

import os
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.installing import files
from blueplane_doctor.installing.files import StepError, digest, missing_folders, remove_folder
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, Plan

_BACKUP_SUFFIX = ".before-blueplane"
KIND = "file"
FOLDER = "folder"
_CHANGED_BY_OTHERS = "changed by others"
"""Stands for a digest that no content has: so the first content is never put back over somebody else's change."""


def change(
    step: str, path: Path, before: bytes | None, after: bytes, summary: str, *, mode: int | None = None
) -> Change:
    """Replace the file's content, or make it. Raises StepError for a file of another user.

    `mode`: its permissions afterwards; None: those that it has, or the usual ones.
    """
    files.refuse_foreign(real_file(path))
    preview = files.unified_diff(path, before, after)
    apply = partial(_apply, step, path, before, after, mode)
    return Change(summary, preview, apply, public_preview=files.public_diff(preview, before))


def _apply(step: str, path: Path, before: bytes | None, after: bytes, mode: int | None, journal: Journal) -> None:
    _refuse_changed(path, before)
    for folder in missing_folders(real_file(path).parent):
        journal.record(Entry(step=step, kind=FOLDER, target=str(folder)))
        with files.explained(folder, "made"):
            folder.mkdir(mode=0o755, exist_ok=True)
    known = journal.find(KIND, str(path))
    backup = backup_of(path)
    if known is None and before is not None and files.read(backup) not in (None, before):
        raise StepError(f"{backup} is there already, and is no backup of ours", "move it away, run this again")
    original = _original(known, digest(before))
    journal.record(Entry(step=step, kind=KIND, target=str(path), before=original, after=digest(after)))
    if before is not None and original == digest(before):
        files.write(backup, before, mode=files.mode_of(real_file(path)))
    # The journal and the backup are on disk by now: killed here or later, uninstalling finds its way back.
    files.write(path, after, mode=mode)


def _refuse_changed(path: Path, content: bytes | None) -> None:
    if files.read(path) != content:
        raise StepError(f"{path} changed while you were asked; it is left as it is", "run this again")


def _original(known: Entry | None, before: str | None) -> str | None:
    """What uninstalling goes back to: the first content, as long as nobody else changed the file since."""
    if known is None or before == known.before:
        return before
    if before == known.after:
        return known.before
    return _CHANGED_BY_OTHERS


def backup_of(path: Path) -> Path:
    """Where the first content is kept."""
    target = real_file(path)
    return target.with_name(target.name + _BACKUP_SUFFIX)


def undo(entry: Entry, without_ours: Callable[[bytes], bytes] | None) -> Plan:
    """Back to the first content when nothing else changed since; else take out only what is ours.

    `without_ours` does the latter; None: such a file is left as it is.
    """
    path = Path(entry.target)
    if entry.kind == FOLDER:
        if not os.path.isdir(path):
            return Plan()
        return Plan(changes=[_folder_removal(path)])
    now = files.read(path)
    kept = files.read(backup_of(path))
    if digest(now) == entry.before:  # killed before the change was made, or undone by hand
        return Plan(changes=[_restoration(path, now, now)])
    if digest(now) == entry.after and entry.before is None:
        return Plan(changes=[_restoration(path, now, None)])
    if digest(now) == entry.after and entry.before == digest(kept):
        return Plan(changes=[_restoration(path, now, kept)])
    if now is None:
        return Plan(notes=[f"{path} is gone already"], changes=[_restoration(path, None, None)])
    if without_ours is None:
        return Plan(notes=[f"{path} was changed by others since; it is left as it is"])
    return Plan(changes=[_restoration(path, now, without_ours(now))])


def _restoration(path: Path, now: bytes | None, after: bytes | None) -> Change:
    def apply(journal: Journal) -> None:
        _refuse_changed(path, now)
        if after is None:
            files.remove(path)
        elif after != now:
            files.write(path, after)
        files.sweep(path)
        files.remove(backup_of(path))

    verb = "restore"
    if after is None:
        verb = "remove"
    preview = files.unified_diff(path, now, after)
    return Change(f"{verb} {path}", preview, apply, public_preview=files.public_diff(preview, after))


def removal(path: Path) -> Change:
    """Remove a file that is ours alone."""
    return Change(f"remove {path}", f"$ {shlex.join(['rm', str(path)])}", lambda journal: files.remove(path))


def _folder_removal(path: Path) -> Change:
    command = f"$ {shlex.join(['rmdir', str(path)])}"
    return Change(f"remove {path} if it is empty", command, lambda journal: remove_folder(path))

"""The journal in Blueplane's home: what was done, and how to undo it; an entry is written before its change is made.

Whoever can write to it decides what `uninstall` removes. So it is read and written only where this user and root alone
can: no other user's journal is followed, by root neither.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import DocumentError
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.ownership import stranger_of
from blueplane_doctor.installing.files import StepError, explained, missing_folders, read, remove, remove_folder, write
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import InvalidRecord

JOURNAL_FILE = "doctor-install.json"
_VERSION = 1
_NEEDED = {
    "file": ("before", "after"),
    "database": ("inode",),
    "stream": ("redis",),
    "group": ("redis",),
}
"""What an entry of these kinds cannot be undone without."""
_ON_DISK = ("file", "folder", "spool", "database")
"""Kinds whose target is a path."""


class Entry(Record):
    """One change, and what is needed to undo it. There is one entry a kind, target and Redis."""

    step: str
    """Name of the step that made it; empty for a folder that the journal itself needed."""
    kind: str
    target: str
    """The file, folder, service, stream, or stream and group."""
    before: str | None = None
    """Digest of a file's first content; None: there was no such file."""
    after: str | None = None
    """Digest of what was written."""
    inode: int | None = None
    """Of a database that was made; None until it is."""
    redis: str = ""
    """Address of the Redis, as it may be shown."""
    place: str = ""
    """The same in full, but for user and password."""
    token: str = ""
    """What was left in that Redis to know it by."""

    @classmethod
    def prepared(cls, value: Any) -> Any:
        """What an entry is undone by must stand there, also where it is null."""
        if not isinstance(value, Mapping):
            return value
        for kind, needed in _NEEDED.items():
            missing = [name for name in needed if name not in value]
            if value.get("kind") == kind and missing:
                raise ValueError(f"a {kind} needs {' and '.join(missing)}")
        return value

    def __post_init__(self) -> None:
        """What is to be removed must be named whole."""
        if self.kind in _ON_DISK and (not self.target.startswith("/") or "\0" in self.target):
            raise ValueError(f"the target of a {self.kind} must be a whole path")

    def is_of(self, kind: str, target: str, place: str = "") -> bool:
        """Whether it is the entry for this."""
        return (self.kind, self.target, self.place) == (kind, target, place)


class Journal:
    """The entries of a home in the order in which they were made; none when nothing was installed.

    All of it raises StepError.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / JOURNAL_FILE
        stranger = stranger_of(self.path)
        if stranger:
            raise StepError(
                f"{self.path} is not followed: others decide what stands there, and so what would be removed",
                stranger.told(),
            )
        self.entries = _entries_in(self.path)

    def find(self, kind: str, target: str, place: str = "") -> Entry | None:
        """The entry of that kind for that target, and in that Redis."""
        for entry in self.entries:
            if entry.is_of(kind, target, place):
                return entry
        return None

    def record(self, entry: Entry) -> None:
        """Write an entry down, in place of one for the same target."""
        made = missing_folders(self.home)
        with explained(self.home, "made"):
            for folder in made:
                folder.mkdir(mode=0o700)
        before = self.entries.copy()
        known = self.find(entry.kind, entry.target, entry.place)
        if known is None:
            self.entries.append(entry)
        else:
            self.entries[self.entries.index(known)] = entry
        # First in the list, so last to be undone: the folders that had to be made for the journal itself.
        for folder in reversed(made):
            self.entries.insert(0, Entry(step="", kind="folder", target=str(folder)))
        try:
            self._save()
        except StepError:
            self.entries = before
            for folder in reversed(made):
                remove_folder(folder)
            raise

    def forget(self, entry: Entry) -> None:
        """Take an entry out; with the last one the file goes, and the home when it was made here and is empty."""
        self.entries.remove(entry)
        if any(e.step for e in self.entries):
            self._save()
            return
        remove(self.path)
        for left in reversed(self.entries):
            remove_folder(Path(left.target))
        self.entries.clear()

    def _save(self) -> None:
        entries = [entry.model_dump() for entry in self.entries]
        text = json.dumps({"version": _VERSION, "entries": entries}, indent=1) + "\n"
        write(self.path, text.encode(), mode=0o600)


def _entries_in(path: Path) -> list[Entry]:
    """Raises StepError."""
    content = read(path)
    if content is None:
        return []
    try:
        return _entries_of(json_value(content))
    except DocumentError as error:
        problem = error.message
    except InvalidRecord as error:
        problem = f"{error.place}: {error.message}" if error.place else error.message
    except ValueError as error:
        problem = str(error)
    raise StepError(f"{path} is not a journal of this program: {problem}", "move it away to start afresh")


def _entries_of(known: Any) -> list[Entry]:
    """Raises ValueError, InvalidRecord among them."""
    if not isinstance(known, dict) or not isinstance(known.get("entries"), list):
        raise ValueError("it holds no list of entries")
    if known.get("version") != _VERSION:
        raise ValueError(f"it is not of version {_VERSION}")
    return [Entry.model_validate(entry) for entry in known["entries"]]

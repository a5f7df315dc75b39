"""What was done and how to undo it, in Blueplane's home; each entry is written before its change is made."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blueplane_doctor.installing import files
from blueplane_doctor.installing.files import StepError

JOURNAL_FILE = "doctor-install.json"
_VERSION = 1

Entry = dict[str, Any]
"""`step`, `kind`, `target`, and what the kind needs to be undone. One entry a kind and target."""


@dataclass
class Journal:
    """The entries in the order in which they were made. Methods raise StepError."""

    home: Path
    entries: list[Entry] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self.home / JOURNAL_FILE

    @classmethod
    def load(cls, home: Path) -> "Journal":
        """The journal of this home; empty when nothing was installed."""
        journal = cls(home)
        content = files.read(journal.path)
        if content is None:
            return journal
        try:
            known = json.loads(content)
            if known["version"] != _VERSION:
                raise ValueError(f"version {known['version']}")
            journal.entries = [dict(entry) for entry in known["entries"]]
        except (ValueError, KeyError, TypeError) as error:
            raise StepError(
                f"{journal.path} is not a journal of this program: {error}", "move it away to start afresh"
            ) from error
        return journal

    def find(self, kind: str, target: str) -> Entry | None:
        """The entry of that kind for that target."""
        return next((e for e in self.entries if (e["kind"], e["target"]) == (kind, target)), None)

    def record(self, entry: Entry) -> None:
        """Write an entry down, in place of one for the same target."""
        made, before = make_folders(self.home), list(self.entries)
        known = self.find(entry["kind"], entry["target"])
        if known is None:
            self.entries.append(entry)
        else:
            self.entries[self.entries.index(known)] = entry
        for folder in reversed(made):
            self.entries.insert(0, {"step": "", "kind": "folder", "target": str(folder)})
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
        if all(e["step"] == "" for e in self.entries):
            files.remove(self.path)
            for folder in reversed(self.entries):
                remove_folder(Path(folder["target"]))
            self.entries.clear()
        else:
            self._save()

    def sweep(self) -> None:
        """Remove what a run left that was killed before its first entry was written."""
        if files.temporary_of(files.real_file(self.path)).exists():
            files.remove(self.path)

    def _save(self) -> None:
        text = json.dumps({"version": _VERSION, "entries": self.entries}, indent=1) + "\n"
        files.write(self.path, text.encode(), mode=0o600)


def missing_folders(path: Path) -> list[Path]:
    """This folder and those above it that do not exist, outermost first."""
    missing: list[Path] = []
    while not path.exists():
        missing.insert(0, path)
        path = path.parent
    return missing


def make_folders(path: Path) -> list[Path]:
    """Make this folder, private, and those above it; which were made."""
    made = missing_folders(path)
    with files.explained(path, "made"):
        for folder in made:
            folder.mkdir(mode=0o700)
    return made


def remove_folder(path: Path) -> None:
    """Remove a folder that is empty; any other stays."""
    try:
        path.rmdir()
    except OSError:
        return

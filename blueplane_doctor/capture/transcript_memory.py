"""What was read of each transcript, remembered between runs, so that the next one reads only what is new.

It lies in the doctor's own state folder, which its user alone can read, and never in the home that is examined. Lines
whose row was seen are kept as counts; those without one are kept with their uuid, to be looked for again. Where the
memory cannot be read or written every run reads everything, and finds the same.
"""

import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.json import decode

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.files.reading import DOCUMENT_BYTES, read_bytes
from blueplane_doctor.privacy.machine_key import state_folder
from blueplane_doctor.sources.transcripts import Progress, TranscriptLine

# To be raised when the form of the file changes: one of another version is not used, and made anew.
_VERSION = 3
_MOST_OPEN = 50_000
"""Lines without a row that are remembered; a file that brings more is read anew by every run."""
# Only the few databases of one user have to be told apart.
_NAME_BYTES = 8
WITHOUT_TIME = "none"
"""Key of the bucket of lines without a time."""
_PROGRESS_TYPES = (int, int, int, bool, str, int, str | None)
_LINE_TYPES = (str, str, int | None, str, int, int)


@dataclass
class FileMemory:
    """What is known of one transcript, up to `progress.end`."""

    progress: Progress = field(default_factory=Progress)
    agents: dict[str, int] = field(default_factory=dict)
    """Agents that its lines name, and when."""
    written: Counter[str] = field(default_factory=Counter)
    """Lines whose row was seen, by the start of their ten minutes; see `bucket_key`."""
    open: list[TranscriptLine] = field(default_factory=list)
    """Lines whose row was not seen yet."""


class TableGeneration(NamedTuple):
    """What tells the rows that are there now from those of another database, or of one that was restored."""

    beginning: str
    """The file and its first row."""
    highest: int
    """The highest sequence number, which never goes back."""


class TranscriptMemory:
    """The memory for one database: what was written into another one says nothing."""

    def __init__(self, database: Path, generation: TableGeneration) -> None:
        self._generation = generation
        name = blake2b(os.fsencode(database), digest_size=_NAME_BYTES).hexdigest()
        folder = state_folder()
        self._file = folder / f"transcripts-{name}.json" if folder else None
        self._content = b""
        self._files = self._read()

    def recall(self, identity: str, size: int) -> FileMemory:
        """What is known of a file; nothing of one that is new, or shorter than what was read."""
        memory = self._files.get(identity)
        if memory is None or memory.progress.end > size:
            return FileMemory()
        return memory

    def keep(self, files: dict[str, FileMemory]) -> None:
        """Remember these files, and no others. What cannot be written is not remembered."""
        if self._file is None:
            return
        content = self._written_out(files)
        if content == self._content:
            return
        with suppress(OSError):
            _replace(self._file, content)

    def _read(self) -> dict[str, FileMemory]:
        if self._file is None:
            return {}
        try:
            content = read_bytes(self._file, DOCUMENT_BYTES)
            values = decode(content)
            before = TableGeneration(*values["generation"])
            is_same = before.beginning == self._generation.beginning and before.highest <= self._generation.highest
            if values["version"] != _VERSION or not is_same:
                return {}
            files = {}
            for identity, kept in values["files"].items():
                files[identity] = _file_memory(kept)
        except (FileUnreadable, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return {}  # of another version, or damaged: then everything is read anew
        self._content = content
        return files

    def _written_out(self, files: dict[str, FileMemory]) -> bytes:
        kept = {}
        room = _MOST_OPEN
        for identity, memory in files.items():
            room -= len(memory.open)
            if room < 0:
                break
            kept[identity] = {
                "progress": memory.progress,
                "agents": memory.agents,
                "written": memory.written,
                "open": memory.open,
            }
        values = {"version": _VERSION, "generation": self._generation, "files": kept}
        return json.dumps(values, separators=(",", ":")).encode()


def _file_memory(kept: dict[str, Any]) -> FileMemory:
    """What was kept of one file. Raises ValueError, KeyError, TypeError and AttributeError for anything else."""
    for key in kept["written"]:
        if key != WITHOUT_TIME:
            int(key)
    open_lines = []
    for line in kept["open"]:
        open_lines.append(TranscriptLine(*_typed(line, _LINE_TYPES)))
    return FileMemory(
        progress=Progress(*_typed(kept["progress"], _PROGRESS_TYPES)),
        agents=_counts(kept["agents"]),
        written=Counter(_counts(kept["written"])),
        open=open_lines,
    )


def _typed(values: list[Any], types: tuple[Any, ...]) -> list[Any]:
    """The same values. Raises TypeError where one of them has another type, or there are more or fewer."""
    if len(values) != len(types) or not all(map(isinstance, values, types)):
        raise TypeError
    return values


def _counts(values: dict[str, Any]) -> dict[str, int]:
    """The same. Raises TypeError where a value is no whole number."""
    if not all(isinstance(value, int) for value in values.values()):
        raise TypeError
    return values


def _replace(file: Path, content: bytes) -> None:
    """Put the content in the file's place, as a file that its user alone can read. Raises OSError."""
    if not file.parents[1].is_dir() and not Path(os.path.expanduser("~")).is_dir():
        return  # a home that is not there is not made
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written beside it and moved: another run never reads half a file.
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)

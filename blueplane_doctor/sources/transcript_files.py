"""Claude Code's transcripts: which files there are, of which project, session and agent. None of them is opened here.

A project is known by its number, counted from 1 in the order of the folders' names: the path of a project is private.
"""

import heapq
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.errors import DocumentError, FileUnreadable
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.reading import SETTINGS_BYTES, read_text
from blueplane_doctor.sources import Deadline

MOST_FILES = 5_000
"""Transcripts of one run, the newest first; a busy year has some thousands."""
LIST_SECONDS = 1.0
"""Processor time of its thread that one run lists for: some 100,000 entries."""
_ENTRIES_BETWEEN_LOOKS = 256
"""Entries of a folder between two looks at the clock."""
DEFAULT_KEPT_DAYS = 30
"""Claude Code deletes transcripts after this time, by default: https://code.claude.com/docs/en/settings"""
_AGENT_PREFIX = "agent-"
_SUFFIX = ".jsonl"


class TranscriptFile(NamedTuple):
    """One transcript."""

    path: Path
    """Private."""
    project: int
    """Number of its project."""
    session: str
    """The session by whose name the server reads it; empty for an agent's file."""
    agent: str
    """The agent whose file it is; empty for that of a session."""
    is_nested: bool
    """Whether it lies in a folder below the project's, in which the server never looks."""
    size: int
    modified_ns: int
    identity: str
    """Tells it from every other file, and from one that takes its place later."""

    @property
    def project_folder(self) -> str:
        """The name of its project's folder; private."""
        above = 3 if self.is_nested else 1
        return self.path.parts[-1 - above]


def project_folders(projects: Path) -> list[Path]:
    """The folders of all projects; a project's number is its place, counted from 1. Empty where there are none.

    Raises FileUnreadable.
    """
    try:
        with os.scandir(projects) as entries:
            names = []
            for entry in entries:
                if _is_folder(entry):
                    names.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise FileUnreadable(f"the folder of Claude's projects cannot be read: {reason}", reason=reason) from None
    return [projects / name for name in sorted(names)]


class Listing(NamedTuple):
    """The transcripts there are."""

    files: list[TranscriptFile]
    """By project and name."""
    unreadable_folders: int
    """Projects whose folder could not be read."""
    is_partial: bool = False
    """Whether there are, or may be, more than these: over MOST_FILES, or the time was up."""


class _Touched(NamedTuple):
    """A transcript that was touched within the window; they are ordered by the time of that."""

    modified_ns: int
    path: str
    project: int
    is_nested: bool
    state: os.stat_result


def transcript_files(projects: Path, since_ms: int, deadline: Deadline) -> Listing:
    """The transcripts that were touched since then; MOST_FILES at most, the newest. Raises FileUnreadable."""
    lister = _Lister(since_ms * 1_000_000, deadline)
    for number, folder in _newest_first(project_folders(projects)):
        if lister.is_time_up():
            break
        lister.list(number, folder)
    files = [_transcript_file(touched) for touched in lister.newest]
    files.sort(key=lambda file: (file.project, file.path))
    by_identity: dict[str, TranscriptFile] = {}
    for file in files:
        # By a link to a project's folder, which may help the server to find it, the same file comes twice.
        by_identity.setdefault(file.identity, file)
    return Listing(list(by_identity.values()), lister.unreadable_folders, lister.is_partial)


def _newest_first(folders: list[Path]) -> list[tuple[int, Path]]:
    """Each folder with its number. If the time does not suffice for all, those with a new transcript come first."""
    # Numbered before they are ordered: a project keeps its number, whichever transcript is new.
    numbered = []
    for number, folder in enumerate(folders, start=1):
        modified_ns = 0
        with suppress(OSError):
            modified_ns = folder.stat().st_mtime_ns
        numbered.append((-modified_ns, number, folder))
    numbered.sort()
    return [(number, folder) for _, number, folder in numbered]


class _Lister:
    """Lists folder after folder, and holds MOST_FILES at most: a folder may have any number of entries."""

    def __init__(self, since_ns: int, deadline: Deadline) -> None:
        self.newest: list[_Touched] = []
        """A heap: the oldest of them is the first."""
        self.unreadable_folders = 0
        self.is_partial = False
        self._since_ns = since_ns
        self._deadline = deadline
        self._until = time.thread_time() + LIST_SECONDS
        self._entries = 0

    def list(self, project: int, folder: Path) -> None:
        """Take the transcripts of one project."""
        try:
            for entry in self._entries_of(folder):
                if entry.name.endswith(_SUFFIX):
                    self._take(entry, project, is_nested=False)
                elif _is_folder(entry):
                    self._list_agents(project, Path(entry.path, "subagents"))
        except OSError:
            self.unreadable_folders += 1

    def _list_agents(self, project: int, folder: Path) -> None:
        """Newer versions of Claude Code keep the files of a session's agents in a folder of the session."""
        with suppress(OSError):
            for entry in self._entries_of(folder):
                if entry.name.endswith(_SUFFIX):
                    self._take(entry, project, is_nested=True)

    def _entries_of(self, folder: Path) -> "Iterator[os.DirEntry[str]]":
        """The entries of a folder, until the time is up. Raises OSError."""
        with os.scandir(folder) as entries:
            for entry in entries:
                self._entries += 1
                if self._entries % _ENTRIES_BETWEEN_LOOKS == 0 and self.is_time_up():
                    return
                yield entry

    def is_time_up(self) -> bool:
        """Whether listing has to end; then the listing is partial."""
        if time.thread_time() > self._until or self._deadline.passed:
            self.is_partial = True
            return True
        return False

    def _take(self, entry: "os.DirEntry[str]", project: int, *, is_nested: bool) -> None:
        """Keep the transcript if it is among the newest; not what is no regular file, or is gone."""
        try:
            if not entry.is_file():
                return
            state = entry.stat()
        except OSError:
            return
        if state.st_mtime_ns < self._since_ns:
            return
        touched = _Touched(state.st_mtime_ns, entry.path, project, is_nested, state)
        if len(self.newest) < MOST_FILES:
            heapq.heappush(self.newest, touched)
            return
        self.is_partial = True
        heapq.heappushpop(self.newest, touched)


def _transcript_file(touched: _Touched) -> TranscriptFile:
    path = Path(touched.path)
    # A name that is no text could not be looked for in the database.
    stem = os.fsencode(path.name).decode("utf-8", "replace").removesuffix(_SUFFIX)
    agent = ""
    if stem.startswith(_AGENT_PREFIX):
        agent = stem.removeprefix(_AGENT_PREFIX)
    return TranscriptFile(
        path=path,
        project=touched.project,
        session="" if agent else stem,
        agent=agent,
        is_nested=touched.is_nested,
        size=touched.state.st_size,
        modified_ns=touched.modified_ns,
        identity=f"{touched.state.st_dev}-{touched.state.st_ino}-{stem}",
    )


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def kept_days(projects: Path) -> int:
    """Days after which Claude Code deletes a transcript that nobody touched: `cleanupPeriodDays` of its settings."""
    try:
        content = json_value(read_text(projects.parent / "settings.json", SETTINGS_BYTES))
    except (FileUnreadable, DocumentError):
        return DEFAULT_KEPT_DAYS
    days = content.get("cleanupPeriodDays") if isinstance(content, dict) else None
    if isinstance(days, int) and not isinstance(days, bool) and days > 0:
        return days
    return DEFAULT_KEPT_DAYS

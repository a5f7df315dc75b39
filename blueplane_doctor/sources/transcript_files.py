"""Claude Code's transcripts: which files there are, of which project, session and agent. None of them is opened here.

A project is known by its number, counted from 1 in the order of the folders' names: the path of a project is private.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.documents import json_value
from blueplane_doctor.errors import DocumentError, FileUnreadable
from blueplane_doctor.file_reading import SETTINGS_BYTES, read_text

MOST_FILES = 5_000
"""Transcripts of one run, the newest first; a busy year has some thousands."""
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
            names = [entry.name for entry in entries if entry.is_dir()]
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


def transcript_files(projects: Path, since_ms: int) -> Listing:
    """The transcripts that were touched since then; MOST_FILES at most, the newest. Raises FileUnreadable."""
    files = []
    unreadable = 0
    for number, folder in enumerate(project_folders(projects), start=1):
        try:
            entries = _entries(folder)
        except OSError:
            unreadable += 1
            continue
        for file in _files_among(entries, number):
            if file.modified_ns >= since_ms * 1_000_000:
                files.append(file)
    if len(files) > MOST_FILES:
        files.sort(key=lambda file: file.modified_ns, reverse=True)
        del files[MOST_FILES:]
    return Listing(sorted(files, key=lambda file: (file.project, file.path)), unreadable)


def _files_among(entries: "list[os.DirEntry[str]]", project: int) -> Iterator[TranscriptFile]:
    for entry in entries:
        if entry.name.endswith(_SUFFIX):
            yield from _file(entry, project, is_nested=False)
        elif _is_folder(entry):
            # Newer versions of Claude Code keep the files of a session's agents in a folder of the session.
            with suppress(OSError):
                for nested in _entries(Path(entry.path, "subagents")):
                    if nested.name.endswith(_SUFFIX):
                        yield from _file(nested, project, is_nested=True)


def _file(entry: "os.DirEntry[str]", project: int, *, is_nested: bool) -> Iterator[TranscriptFile]:
    """The transcript; nothing for what is no regular file, or is gone."""
    with suppress(OSError):
        if not entry.is_file():
            return
        state = entry.stat()
        # A name that is no text could not be looked for in the database.
        stem = os.fsencode(entry.name).decode("utf-8", "replace").removesuffix(_SUFFIX)
        agent = stem.removeprefix(_AGENT_PREFIX) if stem.startswith(_AGENT_PREFIX) else ""
        yield TranscriptFile(
            path=Path(entry.path),
            project=project,
            session="" if agent else stem,
            agent=agent,
            is_nested=is_nested,
            size=state.st_size,
            modified_ns=state.st_mtime_ns,
            identity=f"{state.st_dev}-{state.st_ino}-{stem}",
        )


def _entries(folder: Path) -> "list[os.DirEntry[str]]":
    """Raises OSError."""
    with os.scandir(folder) as entries:
        return list(entries)


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

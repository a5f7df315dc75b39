"""Claude Code's transcripts: which files there are, and the lines of each, read in pieces from where one left off.

Of a line only its uuid, its time, its type, its session and its place leave this module, and what a line says of an
agent. The text of a line, and the path of a project, never do: a project is known by its number, counted from 1 in the
order of the folders' names.
"""

import json
import os
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from blueplane_doctor.documents import json_value
from blueplane_doctor.errors import DocumentError, FileUnreadable
from blueplane_doctor.file_reading import SETTINGS_BYTES, OpenFile, opened_file, read_text
from blueplane_doctor.pipeline import claude_project_folder, folders_looked_for
from blueplane_doctor.times import milliseconds_of

MOST_FILES = 5_000
"""Transcripts of one run, the newest first; a busy year has some thousands."""
LONGEST_LINE = 8_000_000
"""Bytes of a line that is parsed. Pictures make lines of a megabyte; a longer one costs memory and is passed over."""
READ_SECONDS = 3.0
"""Processor time of its thread that one run reads for; what is left is read by the next. 100 MB take about 0.3 s."""
DEFAULT_KEPT_DAYS = 30
"""Claude Code deletes transcripts after this time, by default: https://code.claude.com/docs/en/settings"""
_BLOCK = 1 << 20
_LONGEST_UUID = 200
_SIGNS = {".": "a dot", "_": "an underscore", " ": "a space"}
_ANOTHER_SIGN = "a sign that is neither letter nor digit"
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


class TranscriptLine(NamedTuple):
    """One line that has a uuid, and where it is, so that it can be read again whole."""

    uuid: str
    session: str
    """As the line itself names it; empty where it does not."""
    event_ms: int | None
    """Its own time, milliseconds since 1970."""
    kind: str
    """Its type, which may be private."""
    offset: int
    length: int
    """Bytes, without the line end."""


class Progress(NamedTuple):
    """What the lines of a file up to a place hold beside those with a uuid."""

    end: int = 0
    """Where reading goes on: behind the last whole line."""
    without_uuid: int = 0
    unreadable: int = 0
    """Lines that are no JSON object, or longer than LONGEST_LINE."""
    unfindable: str | None = None
    """Why the server cannot find the project's folder: which sign the path of the workspace holds. Empty where it can
    find it; None where no line tells the workspace."""


class Reading:
    """Reads one file from a place on; what was counted before goes on."""

    def __init__(self, file: TranscriptFile, begun: Progress, agents: dict[str, int]) -> None:
        """`agents`: those that the file's lines have named so far, and when, milliseconds since 1970."""
        self.agents = agents
        self.is_half_written = False
        """Whether its last line has no end yet: it is read once it is whole."""
        self.is_partial = False
        """Whether the time was up before its end."""
        self.is_rewritten = False
        """Whether it is another file than before: no line ends where reading left off. Then nothing is read."""
        self._file = file
        self._folder = file.project_folder
        self._end = begun.end
        self._without_uuid = begun.without_uuid
        self._unreadable = begun.unreadable
        self._unfindable = begun.unfindable
        self._workspace = ""

    @property
    def progress(self) -> Progress:
        """How far it was read, and what was counted."""
        return Progress(self._end, self._without_uuid, self._unreadable, self._unfindable)

    def lines(self, until: float, holding: Collection[bytes] = ()) -> Iterator[TranscriptLine]:
        """The whole lines from there on that have a uuid, until this time of the thread. Raises FileUnreadable.

        `holding`: only those in which one of these stands; the others are not even parsed, nor counted.
        A file that vanishes while it is read gives what was read; one that another takes the place of is read on.
        """
        with opened_file(self._file.path) as opened:
            try:
                if self._end and opened.read_at(self._end - 1, 1) != b"\n":
                    self.is_rewritten = True
                    return
                for offset, raw in self._raw_lines(opened, until):
                    if holding and not any(text in raw for text in holding):
                        continue
                    line = self._understood(offset, raw)
                    if line is not None:
                        yield line
            except OSError as error:
                reason = error.strerror or "unknown error"
                raise FileUnreadable(f"a transcript cannot be read: {reason}", reason=reason) from None

    def _raw_lines(self, opened: OpenFile, until: float) -> Iterator[tuple[int, bytes]]:
        """Each whole line with its place; the progress stands behind it when it is given."""
        start = self._end
        rest = b""
        skipped = 0
        offset = start
        # What is written while the file is read belongs to the next run: else a busy writer could keep this one busy.
        end = opened.state.st_size
        while offset < end:
            if time.thread_time() > until:
                self.is_partial = True
                return
            block = opened.read_at(offset, min(_BLOCK, end - offset))
            if not block:
                return
            offset += len(block)
            *whole, rest_of_block = block.split(b"\n")
            for piece in whole:
                raw = rest + piece
                length = skipped + len(raw)
                self._end = start + length + 1
                if skipped:
                    self._unreadable += 1
                else:
                    yield start, raw
                start += length + 1
                rest = b""
                skipped = 0
            rest += rest_of_block
            if skipped + len(rest) > LONGEST_LINE:
                skipped += len(rest)
                rest = b""
        self.is_half_written = bool(rest or skipped)

    def _understood(self, offset: int, raw: bytes) -> TranscriptLine | None:
        content = parsed_line(raw)
        if content is None:
            if raw.strip():
                self._unreadable += 1
            return None
        if "toolUseResult" in content:
            self._note_agent(content)
        if self._unfindable is None:
            self._note_workspace(_text(content.get("cwd")))
        uuid = _text(content.get("uuid"))
        if not uuid or len(uuid) > _LONGEST_UUID or not uuid.isascii():
            self._without_uuid += 1
            return None
        return TranscriptLine(
            uuid=uuid,
            session=_text(content.get("sessionId")),
            event_ms=milliseconds_of(_text(content.get("timestamp"))),
            kind=_text(content.get("type")),
            offset=offset,
            length=len(raw),
        )

    def _note_workspace(self, workspace: str) -> None:
        if workspace != self._workspace:
            self._workspace = workspace
            self._unfindable = why_unfindable(self._folder, workspace)

    def _note_agent(self, content: dict[str, Any]) -> None:
        """Remember an agent that the result of a tool names: from then on the server reads that agent's file."""
        result = content.get("toolUseResult")
        if not isinstance(result, dict):
            return
        agent = _text(result.get("agentId"))
        if agent and agent not in self.agents:
            self.agents[agent] = milliseconds_of(_text(content.get("timestamp"))) or 0


def why_unfindable(folder: str, workspace: str) -> str | None:
    """Why the server does not find this folder for the workspace: the sign in its path. Empty where it finds it.

    None where the folder is not that of the workspace: somebody works in another folder than the session began in.
    """
    if folder in folders_looked_for(workspace):
        return ""
    if claude_project_folder(workspace) != folder:
        return None
    for sign, words in _SIGNS.items():
        if sign in workspace:
            return words
    return _ANOTHER_SIGN


def parsed_line(raw: bytes) -> dict[str, Any] | None:
    """The object that a line holds; None for anything else."""
    content: Any
    try:
        content = from_json(raw)  # several times as fast as the json module
    except ValueError:
        try:  # the server reads lines with the json module, which takes a lone surrogate and deep nesting
            content = json.loads(raw)
        except (ValueError, RecursionError):
            return None
    if not isinstance(content, dict):
        return None
    return content


def _text(value: Any) -> str:
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-8", "replace").decode()  # half of a surrogate pair could not be looked for
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


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


class FoundLine(NamedTuple):
    """A line that was looked for by its uuid."""

    file: TranscriptFile
    line: TranscriptLine


def find_lines(projects: Path, uuids: Collection[str]) -> dict[str, FoundLine]:
    """The lines with these uuids in all transcripts on disk, the newest first; of several the first found counts.

    It ends after READ_SECONDS of processor time: what was not found by then may be there all the same.
    """
    wanted = set(uuids)
    texts = [uuid.encode() for uuid in wanted]
    lines: dict[str, FoundLine] = {}
    if not wanted:
        return lines
    until = time.thread_time() + READ_SECONDS
    files = transcript_files(projects, 0).files
    for file in sorted(files, key=lambda file: file.modified_ns, reverse=True):
        with suppress(FileUnreadable):
            for line in Reading(file, Progress(), {}).lines(until, texts):
                if line.uuid in wanted:
                    wanted.remove(line.uuid)
                    lines[line.uuid] = FoundLine(file, line)
        if not wanted:
            break
    return lines

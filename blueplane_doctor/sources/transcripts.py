"""The lines of Claude Code's transcripts, read in pieces from where one left off.

Of a line only its uuid, its time, its type, its session and its place leave this module, and what a line says of an
agent. The text of a line, and the path of a project, never do.
"""

import json
import os
import time
from collections.abc import Collection, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from msgspec.json import decode

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.files.reading import OpenFile, opened_file
from blueplane_doctor.pipeline import claude_project_folder, folders_looked_for
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.transcript_files import TranscriptFile
from blueplane_doctor.text.times import milliseconds_of

LONGEST_LINE = 8_000_000
"""Bytes of a line that is parsed. Pictures make lines of a megabyte; a longer one costs memory and is passed over."""
READ_SECONDS = 3.0
"""Processor time of its thread that one run reads for; what is left is read by the next. 100 MB take about 0.3 s."""
_BLOCK = 1 << 20
# Mostly a uuid and a time are among them, which no other file has.
_TAIL_BYTES = 512
_LONGEST_UUID = 200
_SIGNS = {".": "a dot", "_": "an underscore", " ": "a space"}
_ANOTHER_SIGN = "a sign that is neither letter nor digit"


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
    stops_the_server: bool = False
    """Whether one of them keeps the server from reading the lines behind it."""
    tail: str = ""
    """What the last bytes before that place were, as a digest; empty where nothing was read."""
    modified_ns: int = 0
    """When the file was last written, as it was listed; nanoseconds since 1970."""
    unfindable: str | None = None
    """Why the server cannot find the project's folder: which sign the path of the workspace holds. Empty where it can
    find it; None where no line tells the workspace."""


class Reading:
    """Reads one file from a place on; what was counted before goes on."""

    def __init__(
        self, file: TranscriptFile, begun: Progress, agents: dict[str, int], deadline: Deadline | None = None
    ) -> None:
        """`agents`: those that the file's lines have named so far, and when, milliseconds since 1970."""
        self.agents = agents
        self._deadline = deadline
        self.is_half_written = False
        """Whether its last line has no end yet: it is read once it is whole."""
        self.is_partial = False
        """Whether the time was up before its end."""
        self.is_rewritten = False
        """Whether it is another file than before: other bytes stand before the place where reading left off. Then
        nothing is read."""
        self._file = file
        self._folder = file.project_folder
        self._end = begun.end
        self._without_uuid = begun.without_uuid
        self._unreadable = begun.unreadable
        self._stops_the_server = begun.stops_the_server
        self._unfindable = begun.unfindable
        self._tail = begun.tail
        self._workspace = ""

    @property
    def progress(self) -> Progress:
        """How far it was read, and what was counted."""
        return Progress(
            end=self._end,
            without_uuid=self._without_uuid,
            unreadable=self._unreadable,
            stops_the_server=self._stops_the_server,
            tail=self._tail,
            modified_ns=self._file.modified_ns,
            unfindable=self._unfindable,
        )

    def lines(self, until: float, holding: Collection[bytes] = ()) -> Iterator[TranscriptLine]:
        """The whole lines from there on that have a uuid, until this time of the thread. Raises FileUnreadable.

        `holding`: only those in which one of these stands; the others are not even parsed, nor counted.
        A file that vanishes while it is read gives what was read; one that another takes the place of is read on.
        """
        with opened_file(self._file.path) as opened:
            try:
                if self._end and _tail(opened, self._end) != self._tail:
                    self.is_rewritten = True
                    return
                for offset, raw in self._raw_lines(opened, until):
                    if holding and not any(text in raw for text in holding):
                        continue
                    line = self._understood(offset, raw)
                    if line is not None:
                        yield line
                self._tail = _tail(opened, self._end)
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
            # On a busy machine the run's time is over long before the processor time.
            if time.thread_time() > until or (self._deadline is not None and self._deadline.passed):
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
            # Of a line that is too long only the length is kept: it tells where the next one begins.
            if skipped + len(rest) > LONGEST_LINE:
                skipped += len(rest)
                rest = b""
        self.is_half_written = bool(rest or skipped)

    def _understood(self, offset: int, raw: bytes) -> TranscriptLine | None:
        content = parsed_line(raw)
        if content is None:
            if raw.strip():
                self._unreadable += 1
                self._stops_the_server = self._stops_the_server or _stops_the_server(raw)
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
            if self._unfindable and self._is_found_by_link(workspace):
                self._unfindable = ""

    def _is_found_by_link(self, workspace: str) -> bool:
        """Whether the server finds the file all the same: somebody made a link of the name that it looks for."""
        file = self._file.path
        for name in folders_looked_for(workspace):
            if "\0" not in name and os.path.isfile(file.parents[1] / name / file.name):
                return True
        return False

    def _note_agent(self, content: dict[str, Any]) -> None:
        """Remember an agent that the result of a tool names: from then on the server reads that agent's file."""
        result = content.get("toolUseResult")
        if not isinstance(result, dict):
            return
        agent = _text(result.get("agentId"))
        if agent and agent not in self.agents:
            self.agents[agent] = milliseconds_of(_text(content.get("timestamp"))) or 0


def _tail(opened: OpenFile, end: int) -> str:
    """A digest of the last bytes before a place: the uuid and the time of a line are among them. Raises OSError."""
    if not end:
        return ""
    start = max(0, end - _TAIL_BYTES)
    return blake2b(opened.read_at(start, end - start), digest_size=8).hexdigest()


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
        content = decode(raw)  # several times as fast as the json module
    except (ValueError, RecursionError):
        try:  # the server reads lines with the json module, which takes a lone surrogate and deep nesting
            content = json.loads(raw)
        except (ValueError, RecursionError):
            return None
    if not isinstance(content, dict):
        return None
    return content


def _stops_the_server(raw: bytes) -> bool:
    """Whether the server fails at a line: it passes over what is no JSON, and nothing else that it cannot read."""
    try:
        json.loads(raw.decode())
    except json.JSONDecodeError:
        return False
    except (ValueError, RecursionError):
        return True  # no UTF-8 text, a number of thousands of digits, or nested thousands deep
    return False


def _text(value: Any) -> str:
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-8", "replace").decode()  # half of a surrogate pair could not be looked for
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""

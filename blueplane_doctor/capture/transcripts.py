"""Every line of Claude's transcripts that has a uuid, and what became of it in the pipeline.

The order of reading makes a false loss impossible: first the transcripts, then rows, then dead letters and the stream,
then, for what is still nowhere, rows once more. A message that left the stream before it was looked for there was
written before that, and so its row is seen at the second look.
"""

import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.capture.claude_sessions import ClaudeSession, ClaudeSessions, is_wired
from blueplane_doctor.capture.comparison import Comparison, MissingLine
from blueplane_doctor.capture.line_states import (
    BEFORE_SETUP,
    DEAD_LETTERED,
    ENDED,
    FOLDER_NOT_FOUND,
    IN_STREAM,
    MISSING,
    NOT_CAPTURED,
    NOT_STARTED,
    OTHER_REASON,
    REPEATED,
    TOO_YOUNG,
    UNEXAMINED,
    WRITTEN,
    YOUNG_MS,
)
from blueplane_doctor.capture.line_traces import LineKey, LineTraces
from blueplane_doctor.capture.transcript_memory import WITHOUT_TIME, FileMemory, TranscriptMemory
from blueplane_doctor.custody.ledger import BUCKET_MS, bucket_of
from blueplane_doctor.errors import FileMissing, FileUnreadable, SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.locations import USUAL_HOME
from blueplane_doctor.pipeline import folders_looked_for
from blueplane_doctor.sources.transcript_files import TranscriptFile, transcript_files
from blueplane_doctor.sources.transcripts import READ_SECONDS, Reading, TranscriptLine

__all__ = ["Comparison", "MissingLine", "compare_transcripts", "missing_lines"]

_SETTLE_MS = 40_000
"""A session that the server was told of less than this ago may not have been looked at: it looks every 30 s."""


class _OpenLine(NamedTuple):
    """A line whose row was not seen."""

    file: TranscriptFile
    memory: FileMemory
    line: TranscriptLine
    key: LineKey
    """The session and uuid under which the server writes it."""


def compare_transcripts(examination: Examination) -> Comparison:
    """Compare the transcripts with the pipeline. Raises SourceError where the database has no rows to compare with."""
    return _Comparer(examination).compare()


def missing_lines(examination: Examination) -> list[MissingLine]:
    """The lines that are missing, with what is needed to read each again: the file, its place and its length.

    Raises SourceError.
    """
    return compare_transcripts(examination).missing


class _Comparer:
    """One comparison."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._now_ms = examination.now_ms()
        self._result = Comparison()
        self._sessions = ClaudeSessions(examination)
        self._agents: dict[int, dict[str, int]] = defaultdict(dict)
        """For each project, the agents that a session's lines name, and when."""

    def compare(self) -> Comparison:
        settings = self._examination.settings
        since_ms = self._now_ms - int(settings.since_seconds * 1000)
        listing = transcript_files(settings.claude_projects, since_ms)
        files = listing.files
        self._result.files = len(files)
        self._result.unreadable_files = listing.unreadable_folders
        if not files:
            return self._result
        traces = LineTraces(self._examination)
        memory = TranscriptMemory(self._examination.settings.database_file, traces.generation())
        memories = self._read(files, memory)
        absent = self._settle(files, memories, traces)
        memory.keep(memories)
        self._count_written(files, memories)
        self._judge_absent(absent, traces)
        return self._result

    def _read(self, files: list[TranscriptFile], memory: TranscriptMemory) -> dict[str, FileMemory]:
        """What is known of each file once what is new was read."""
        until = time.thread_time() + READ_SECONDS
        memories = {}
        for file in files:
            known = memory.recall(file.identity, file.size)
            if known.progress.end < file.size:
                known = self._read_on(file, known, until)
            memories[file.identity] = known
            self._result.without_uuid += known.progress.without_uuid
            self._result.unreadable += known.progress.unreadable
            self._agents[file.project].update(known.agents)
        return memories

    def _read_on(self, file: TranscriptFile, known: FileMemory, until: float) -> FileMemory:
        """The memory of the file once what is new was read; a new one where the file is no longer what it was."""
        reading = Reading(file, known.progress, known.agents)
        try:
            known.open += reading.lines(until)
        except FileMissing:
            pass  # deleted since it was listed
        except FileUnreadable:
            self._result.unreadable_files += 1
        if reading.is_rewritten:
            return self._read_on(file, FileMemory(), until)
        known.progress = reading.progress
        self._result.half_written += reading.is_half_written
        if reading.is_partial or self._examination.deadline.passed:
            self._result.partial = True
        return known

    def _settle(
        self, files: list[TranscriptFile], memories: dict[str, FileMemory], traces: LineTraces
    ) -> list[_OpenLine]:
        """Count the open lines whose row is there now; gives the others."""
        absent = []
        for file in files:
            memory = memories[file.identity]
            lines = [_OpenLine(file, memory, line, _key(file, line)) for line in memory.open]
            written = traces.written({one.key for one in lines})
            still_open = [one for one in lines if one.key not in written]
            for one in lines:
                if one.key in written:
                    memory.written[_bucket_key(one.line)] += 1
            memory.open = [one.line for one in still_open]
            absent += still_open
        return absent

    def _count_written(self, files: list[TranscriptFile], memories: dict[str, FileMemory]) -> None:
        for file in files:
            for key, lines in memories[file.identity].written.items():
                self._result.add(file.project, self._bucket(_bucket_ms(key)), WRITTEN, lines)

    def _bucket(self, event_ms: int | None) -> int | str:
        return bucket_of(event_ms, self._now_ms)

    def _judge_absent(self, absent: list[_OpenLine], traces: LineTraces) -> None:
        """The states of lines without a row."""
        if not absent:
            return
        sessions = self._sessions.read(one.key.session for one in absent)
        rest: dict[LineKey, _OpenLine] = {}
        for one in absent:
            state = self._state_by_itself(one, sessions.get(one.key.session))
            if not state and one.key in rest:
                state = REPEATED  # the first of the lines with this uuid counts
            if state:
                self._count(one, state)
            else:
                rest[one.key] = one
        if rest:
            self._judge_due(rest, sessions, traces)

    def _state_by_itself(self, one: _OpenLine, session: ClaudeSession | None) -> str:
        """The state that the line's file and time tell; empty where the pipeline has to tell it."""
        since_ms = _event_ms(one)
        # Of an agent's file that has a row the server reads all, whatever tells it of the agent.
        if one.file.agent and not one.memory.written:
            named_ms = self._agents[one.file.project].get(one.file.agent)
            if named_ms is None or one.file.is_nested:
                return NOT_CAPTURED
            since_ms = max(since_ms, named_ms)
        if self._now_ms - since_ms < YOUNG_MS:
            return TOO_YOUNG
        if session and session.started_ms and self._now_ms - session.started_ms < _SETTLE_MS:
            return TOO_YOUNG
        return ""

    def _judge_due(
        self, rest: dict[LineKey, _OpenLine], sessions: dict[str, ClaudeSession], traces: LineTraces
    ) -> None:
        """The states of lines that should be in the pipeline by now."""
        states = self._looked_up(rest, traces)
        missing = [one for key, one in rest.items() if states.get(key, MISSING) == MISSING]
        if missing:
            before_setup = self._sessions_before_setup(missing, sessions, traces)
            for one in missing:
                if one.key.session in before_setup:
                    states[one.key] = BEFORE_SETUP
        for key, one in rest.items():
            state = states.get(key, MISSING)
            self._count(one, state)
            if state == MISSING:
                self._add_missing(one, sessions.get(key.session))

    def _looked_up(self, lines: dict[LineKey, _OpenLine], traces: LineTraces) -> dict[LineKey, str]:
        """What the pipeline tells of these lines; nothing of those that are nowhere."""
        wanted = set(lines)
        states: dict[LineKey, str] = {}
        try:
            states |= dict.fromkeys(traces.dead_lettered(wanted), DEAD_LETTERED)
            in_stream = traces.in_stream(wanted - states.keys())
            states |= dict.fromkeys(in_stream, IN_STREAM)
        except SourceError as error:
            self._result.cause = error.message
            return dict.fromkeys(wanted, UNEXAMINED)
        rest = wanted - states.keys()
        states |= dict.fromkeys(traces.written(rest), WRITTEN)
        states |= dict.fromkeys(traces.written_elsewhere(rest - states.keys()), REPEATED)
        # A resumed session may repeat lines that still name the session before.
        named = {LineKey(one.line.session, key.uuid): key for key, one in lines.items() if key not in states}
        states |= dict.fromkeys((named[key] for key in traces.written(named)), REPEATED)
        if traces.is_partial:
            self._result.cause = "the time was up before the stream was read to its end"
            return {key: states.get(key, UNEXAMINED) for key in wanted}
        return states

    def _sessions_before_setup(
        self, missing: list[_OpenLine], sessions: dict[str, ClaudeSession], traces: LineTraces
    ) -> set[str]:
        """The sessions that ended before the first sign that anything of Claude is captured here.

        Such a session is not known to the server, has no row at all, and its newest line is older than that sign.
        """
        newest: dict[str, int] = {}
        for one in missing:
            name = one.key.session
            newest[name] = max(newest.get(name, 0), _event_ms(one))
        signs = [start for start in self._result.buckets if isinstance(start, int)]
        written = [start for start in signs if self._result.buckets[start][WRITTEN]]
        first_ms = self._sessions.first_sign_ms()
        if first_ms is None and not written:
            self._result.is_set_up = self._is_meant_to_be()
            return set() if self._result.is_set_up else set(newest)
        if first_ms is not None:
            written.append(first_ms)
        early = {name for name, last_ms in newest.items() if last_ms < min(written) and name not in sessions}
        return {name for name in early if not traces.has_rows(name)}

    def _is_meant_to_be(self) -> bool:
        """Whether Claude Code's hooks lead to this pipeline: they know of no other home than the usual one."""
        settings = self._examination.settings
        is_usual = settings.home == Path(USUAL_HOME).expanduser()
        return is_usual and is_wired(settings.claude_projects)

    def _count(self, one: _OpenLine, state: str) -> None:
        self._result.add(one.file.project, self._bucket(one.line.event_ms), state)

    def _add_missing(self, one: _OpenLine, session: ClaudeSession | None) -> None:
        file = one.file
        line = one.line
        reason = self._reason(one, session)
        self._result.missing.append(
            MissingLine(
                path=file.path,
                project=file.project,
                session=one.key.session,
                uuid=line.uuid,
                event_ms=line.event_ms,
                kind=line.kind,
                offset=line.offset,
                length=line.length,
                reason=reason,
            )
        )
        known = self._result.first_deleted_ns
        self._result.first_deleted_ns = min(known or file.modified_ns, file.modified_ns)

    def _reason(self, one: _OpenLine, session: ClaudeSession | None) -> str:
        unfindable = one.memory.progress.unfindable
        if session and session.workspace and one.file.project_folder in folders_looked_for(session.workspace):
            unfindable = ""  # what the server was told counts
        if unfindable:
            self._result.unfindable[one.file.project] = unfindable
            return FOLDER_NOT_FOUND
        if session is None and self._sessions.are_known:
            return NOT_STARTED
        if session and session.ended_ms is not None and _event_ms(one) > session.ended_ms - YOUNG_MS:
            return ENDED
        return OTHER_REASON


def _key(file: TranscriptFile, line: TranscriptLine) -> LineKey:
    return LineKey(file.session or line.session, line.uuid)


def _event_ms(one: _OpenLine) -> int:
    """When it was written, as far as that is known: by its own time, else by its file's."""
    if one.line.event_ms is not None:
        return one.line.event_ms
    return one.file.modified_ns // 1_000_000


def _bucket_key(line: TranscriptLine) -> str:
    if line.event_ms is None:
        return WITHOUT_TIME
    return str(line.event_ms - line.event_ms % BUCKET_MS)


def _bucket_ms(key: str) -> int | None:
    if key == WITHOUT_TIME:
        return None
    return int(key)

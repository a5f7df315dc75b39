"""The states of lines without a row: what the line tells, then what the pipeline tells, and why one is missing."""

from collections.abc import Mapping
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
    ROWS_DELETED,
    STOPPED,
    TOO_YOUNG,
    UNEXAMINED,
    WRITTEN,
    YOUNG_MS,
)
from blueplane_doctor.capture.line_traces import LineKey, LineTraces
from blueplane_doctor.capture.transcript_memory import FileMemory
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.locations import USUAL_HOME
from blueplane_doctor.pipeline import CLAUDE_TABLE, folders_looked_for
from blueplane_doctor.sources.deleted_rows import read_beginnings
from blueplane_doctor.sources.transcript_files import TranscriptFile
from blueplane_doctor.sources.transcripts import TranscriptLine

_SETTLE_MS = 40_000
"""A session that the server was told of less than this ago may not have been looked at: it looks every 30 s."""


class OpenLine(NamedTuple):
    """A line whose row was not seen."""

    file: TranscriptFile
    memory: FileMemory
    line: TranscriptLine
    key: LineKey
    """The session and uuid under which the server writes it."""

    @property
    def event_ms(self) -> int:
        """When it was written, as far as that is known: by its own time, else by its file's."""
        if self.line.event_ms is not None:
            return self.line.event_ms
        return self.file.modified_ns // 1_000_000


class AbsentLines:
    """Judges the lines of one comparison, to whose result it adds those that are missing."""

    def __init__(
        self,
        examination: Examination,
        result: Comparison,
        traces: LineTraces,
        agents: Mapping[int, Mapping[str, int]],
    ) -> None:
        """`agents`: for each project, those that a session's lines name, and when; milliseconds since 1970."""
        self._examination = examination
        self._now_ms = examination.now_ms()
        self._result = result
        self._traces = traces
        self._agents = agents
        self._sessions = ClaudeSessions(examination)

    def judge(self, absent: list[OpenLine]) -> list[tuple[OpenLine, str]]:
        """Each line with its state. Raises SourceError."""
        judged: list[tuple[OpenLine, str]] = []
        sessions = self._sessions.read(one.key.session for one in absent)
        rest: dict[LineKey, OpenLine] = {}
        for one in absent:
            state = self._state_by_itself(one, sessions.get(one.key.session))
            if not state and one.key in rest:
                state = REPEATED  # the first of the lines with this uuid counts
            if state:
                judged.append((one, state))
            else:
                rest[one.key] = one
        if rest:
            judged += self._judge_due(rest, sessions)
        return judged

    def _state_by_itself(self, one: OpenLine, session: ClaudeSession | None) -> str:
        """The state that the line's file and time tell; empty where the pipeline has to tell it."""
        since_ms = self._not_in_future(one.event_ms, one.file)
        # Of an agent's file that has a row the server reads all, whatever tells it of the agent.
        if one.file.agent and not one.memory.written:
            named_ms = self._agents[one.file.project].get(one.file.agent)
            if named_ms is None or one.file.is_nested:
                return NOT_CAPTURED
            since_ms = max(since_ms, self._not_in_future(named_ms, one.file))
        if self._now_ms - since_ms < YOUNG_MS:
            return TOO_YOUNG
        if session and session.started_ms and self._now_ms - session.started_ms < _SETTLE_MS:
            return TOO_YOUNG
        return ""

    def _not_in_future(self, event_ms: int, file: TranscriptFile) -> int:
        """The time of an event; where its clock was ahead, the time at which its file was last written."""
        if event_ms <= self._now_ms:
            return event_ms
        return min(event_ms, file.modified_ns // 1_000_000)

    def _judge_due(
        self, rest: dict[LineKey, OpenLine], sessions: dict[str, ClaudeSession]
    ) -> list[tuple[OpenLine, str]]:
        """The states of lines that should be in the pipeline by now."""
        states = self._looked_up(rest)
        missing = []
        kept_from_ms = self._rows_are_kept_from()
        for key, one in rest.items():
            if states.get(key, MISSING) != MISSING:
                continue
            if one.event_ms < kept_from_ms:
                states[key] = ROWS_DELETED
            else:
                missing.append(one)
        before_setup = self._sessions_before_setup(missing, sessions) if missing else set()
        for one in missing:
            if one.key.session in before_setup:
                states[one.key] = BEFORE_SETUP
            else:
                states[one.key] = MISSING
                self._add_missing(one, sessions.get(one.key.session))
        return [(one, states[key]) for key, one in rest.items()]

    def _rows_are_kept_from(self) -> int:
        """The time from which on no row was deleted, in milliseconds since 1970. Raises SourceError."""
        beginning = read_beginnings(self._examination.database, (CLAUDE_TABLE,)).get(CLAUDE_TABLE)
        if beginning is None or not beginning.rows_before:
            return 0
        if beginning.first_ms is None:
            return self._now_ms
        return beginning.first_ms

    def _looked_up(self, lines: dict[LineKey, OpenLine]) -> dict[LineKey, str]:
        """What the pipeline tells of these lines; nothing of those that are nowhere."""
        wanted = set(lines)
        states: dict[LineKey, str] = {}
        # Rows come last: a message that left the stream before it was looked for there was written before that.
        try:
            states |= dict.fromkeys(self._traces.dead_lettered(wanted), DEAD_LETTERED)
            in_stream = self._traces.in_stream(wanted - states.keys())
            states |= dict.fromkeys(in_stream, IN_STREAM)
        except SourceError as error:
            self._result.cause = error.message
            return dict.fromkeys(wanted, UNEXAMINED)
        rest = wanted - states.keys()
        states |= dict.fromkeys(self._traces.written(rest), WRITTEN)
        states |= dict.fromkeys(self._traces.written_elsewhere(rest - states.keys()), REPEATED)
        # A resumed session may repeat lines that still name the session before.
        named = {}
        for key, one in lines.items():
            if key not in states:
                named[LineKey(one.line.session, key.uuid)] = key
        for key_before in self._traces.written(named):
            states[named[key_before]] = REPEATED
        if self._traces.is_partial:
            self._result.cause = "the time was up before the stream was read to its end"
            return {key: states.get(key, UNEXAMINED) for key in wanted}
        return states

    def _sessions_before_setup(self, missing: list[OpenLine], sessions: dict[str, ClaudeSession]) -> set[str]:
        """The sessions that ended before the first sign that anything of Claude is captured here.

        Such a session is not known to the server, has no row at all, and its newest line is older than that sign.
        """
        newest: dict[str, int] = {}
        for one in missing:
            name = one.key.session
            newest[name] = max(newest.get(name, 0), one.event_ms)
        signs_ms = []
        for start, lines in self._result.buckets.items():
            if isinstance(start, int) and lines[WRITTEN]:
                signs_ms.append(start)
        first_ms = self._sessions.first_sign_ms()
        if first_ms is not None:
            signs_ms.append(first_ms)
        if not signs_ms:
            self._result.is_set_up = self._is_meant_to_be()
            return set() if self._result.is_set_up else set(newest)
        began_ms = min(signs_ms)
        before = set()
        for name, last_ms in newest.items():
            if last_ms < began_ms and name not in sessions and not self._traces.has_rows(name):
                before.add(name)
        return before

    def _is_meant_to_be(self) -> bool:
        """Whether Claude Code's hooks lead to this pipeline: they know of no other home than the usual one."""
        settings = self._examination.settings
        is_usual = settings.home == Path(USUAL_HOME).expanduser()
        return is_usual and is_wired(settings.claude_projects)

    def _add_missing(self, one: OpenLine, session: ClaudeSession | None) -> None:
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

    def _reason(self, one: OpenLine, session: ClaudeSession | None) -> str:
        unfindable = one.memory.progress.unfindable
        if session and session.workspace and one.file.project_folder in folders_looked_for(session.workspace):
            unfindable = ""  # what the server was told counts
        if unfindable:
            self._result.unfindable[one.file.project] = unfindable
            return FOLDER_NOT_FOUND
        if session is None and self._sessions.are_known:
            return NOT_STARTED
        if session and session.ended_ms is not None and one.event_ms > session.ended_ms - YOUNG_MS:
            return ENDED
        if one.memory.progress.stops_the_server:
            return STOPPED
        return OTHER_REASON

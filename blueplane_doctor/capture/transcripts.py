"""Every line of Claude's transcripts that has a uuid, and what became of it in the pipeline.

The order of reading makes a false loss impossible: first the transcripts, then rows, then dead letters and the stream,
then, for what is still nowhere, rows once more. A message that left the stream before it was looked for there was
written before that, and so its row is seen at the second look.
"""

import time
from collections import defaultdict
from collections.abc import Collection

from blueplane_doctor.capture.absent_lines import AbsentLines, OpenLine
from blueplane_doctor.capture.comparison import Comparison, MissingLine
from blueplane_doctor.capture.line_states import WRITTEN
from blueplane_doctor.capture.line_traces import LineKey, LineTraces
from blueplane_doctor.capture.transcript_memory import WITHOUT_TIME, FileMemory, TranscriptMemory
from blueplane_doctor.custody.ledger import BUCKET_MS, bucket_of
from blueplane_doctor.errors import FileMissing, FileUnreadable
from blueplane_doctor.examination import Examination
from blueplane_doctor.sources.transcript_files import TranscriptFile, transcript_files
from blueplane_doctor.sources.transcript_search import FoundLine
from blueplane_doctor.sources.transcripts import READ_SECONDS, Reading, TranscriptLine

__all__ = ["Comparison", "MissingLine", "compare_transcripts", "missing_lines", "states_of_lines"]

_Place = tuple[str, int]
"""Where a line is: the identity of its file, and its offset."""


def compare_transcripts(examination: Examination) -> Comparison:
    """Compare the transcripts with the pipeline. Raises SourceError where the database has no rows to compare with."""
    return _Comparer(examination).compare(_window_start(examination))


def missing_lines(examination: Examination) -> list[MissingLine]:
    """The lines that are missing, with what is needed to read each again: the file, its place and its length.

    Raises SourceError.
    """
    return compare_transcripts(examination).missing


def states_of_lines(examination: Examination, lines: Collection[FoundLine]) -> dict[FoundLine, str]:
    """The state of each of these lines, by the same rules; without those that the time did not suffice for.

    Raises SourceError.
    """
    since_ms = _window_start(examination)
    places = set()
    for found in lines:
        since_ms = min(since_ms, found.file.modified_ns // 1_000_000)
        places.add(_place(found.file, found.line))
    comparer = _Comparer(examination, places)
    comparer.compare(since_ms)
    states = {}
    for found in lines:
        state = comparer.state_at(found)
        if state:
            states[found] = state
    return states


def _window_start(examination: Examination) -> int:
    """Milliseconds since 1970."""
    return examination.now_ms() - int(examination.settings.since_seconds * 1000)


class _Comparer:
    """One comparison."""

    def __init__(self, examination: Examination, asked: Collection[_Place] = ()) -> None:
        """`asked`: the lines whose states are noted one by one."""
        self._examination = examination
        self._asked = asked
        self._asked_states: dict[_Place, str] = {}
        self._memories: dict[str, FileMemory] = {}
        self._now_ms = examination.now_ms()
        self._result = Comparison()
        self._agents: dict[int, dict[str, int]] = defaultdict(dict)
        """For each project, the agents that a session's lines name, and when."""

    def compare(self, since_ms: int) -> Comparison:
        """Compare the transcripts that were touched since then. Raises SourceError."""
        settings = self._examination.settings
        listing = transcript_files(settings.claude_projects, since_ms, self._examination.deadline)
        files = listing.files
        self._result.files = len(files)
        self._result.unreadable_files = listing.unreadable_folders
        self._result.has_more_files = listing.is_partial
        if not files:
            return self._result
        traces = LineTraces(self._examination)
        memory = TranscriptMemory(self._examination.settings.database_file, traces.generation())
        self._memories = self._read(files, memory)
        absent = self._settle(files, self._memories, traces)
        if not self._asked:
            memory.keep(self._memories)  # whoever asks for single lines may have read files of another time
        self._count_written(files, self._memories)
        if absent:
            self._judge(absent, traces)
        return self._result

    def state_at(self, found: FoundLine) -> str:
        """The state of a line that was asked for; empty where it was not read in time."""
        state = self._asked_states.get(_place(found.file, found.line), "")
        memory = self._memories.get(found.file.identity)
        if not state and memory is not None and found.line.offset < memory.progress.end:
            return WRITTEN  # an earlier run saw its row: since then it is only counted
        return state

    def _read(self, files: list[TranscriptFile], memory: TranscriptMemory) -> dict[str, FileMemory]:
        """What is known of each file once what is new was read."""
        until = time.thread_time() + READ_SECONDS
        memories = {}
        asked = {identity for identity, _ in self._asked}
        for file in sorted(files, key=lambda file: file.identity not in asked):
            known = memory.recall(file.identity, file.size)
            if known.progress.end < file.size or known.progress.modified_ns != file.modified_ns:
                known = self._read_on(file, known, until)
            memories[file.identity] = known
            self._result.without_uuid += known.progress.without_uuid
            self._result.unreadable += known.progress.unreadable
            self._agents[file.project].update(known.agents)
        return memories

    def _read_on(self, file: TranscriptFile, known: FileMemory, until: float) -> FileMemory:
        """The memory of the file once what is new was read; a new one where the file is no longer what it was."""
        reading = Reading(file, known.progress, known.agents, self._examination.deadline)
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
    ) -> list[OpenLine]:
        """Count the open lines whose row is there now; gives the others."""
        absent = []
        for file in files:
            memory = memories[file.identity]
            lines = []
            for line in memory.open:
                lines.append(OpenLine(file, memory, line, _key(file, line)))
            written = traces.written({one.key for one in lines})
            memory.open = []
            for one in lines:
                if one.key in written:
                    memory.written[_bucket_key(one.line)] += 1
                    self._note(one, WRITTEN)
                else:
                    memory.open.append(one.line)
                    absent.append(one)
        return absent

    def _count_written(self, files: list[TranscriptFile], memories: dict[str, FileMemory]) -> None:
        for file in files:
            for key, lines in memories[file.identity].written.items():
                self._result.add(file.project, self._bucket(_bucket_ms(key)), WRITTEN, lines)

    def _bucket(self, event_ms: int | None) -> int | str:
        return bucket_of(event_ms, self._now_ms)

    def _judge(self, absent: list[OpenLine], traces: LineTraces) -> None:
        """Count the lines without a row."""
        for one, state in AbsentLines(self._examination, self._result, traces, self._agents).judge(absent):
            self._result.add(one.file.project, self._bucket(one.line.event_ms), state)
            self._note(one, state)

    def _note(self, one: OpenLine, state: str) -> None:
        """Keep the state of a line that was asked for."""
        place = _place(one.file, one.line)
        if place in self._asked:
            self._asked_states[place] = state


def _place(file: TranscriptFile, line: TranscriptLine) -> _Place:
    return (file.identity, line.offset)


def _key(file: TranscriptFile, line: TranscriptLine) -> LineKey:
    return LineKey(file.session or line.session, line.uuid)


def _bucket_key(line: TranscriptLine) -> str:
    if line.event_ms is None:
        return WITHOUT_TIME
    return str(line.event_ms - line.event_ms % BUCKET_MS)


def _bucket_ms(key: str) -> int | None:
    if key == WITHOUT_TIME:
        return None
    return int(key)

"""Claude's transcripts against the pipeline: what became of every line, from the file to its row."""

from collections import Counter
from datetime import timedelta

from blueplane_doctor.capture.comparison import Comparison
from blueplane_doctor.capture.line_states import LINE_STATES, MISSING, REASONS, WRITTEN, equation
from blueplane_doctor.errors import SourceError
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.monitoring.time_buckets import of_last_day, of_other_times
from blueplane_doctor.privacy.public_fields import MessageId
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.transcript_files import kept_days, project_folders
from blueplane_doctor.text.times import from_milliseconds, iso_of_milliseconds

_SHOWN_LINES = 3
"""Missing lines whose uuids stand in the report; all are counted."""


class ProjectTranscripts(Record):
    """The lines of one project."""

    number: int
    """Its place among the folders of all projects in the order of their names, counted from 1."""
    lines: int
    """Lines with a uuid."""
    written: int
    """Those whose row is there."""
    missing: int
    """Those that are nowhere in the pipeline."""
    unfindable_reason: str = ""
    """Which sign in its path keeps the server from finding its folder; empty where nothing is missing for that."""


class LineBucket(Record):
    """Lines of ten minutes of event time, by their states."""

    start: str
    """ISO 8601, or `older` (than a day), `later` (than now), `without_timestamp`."""
    states: dict[str, int]


class TranscriptHealth(Record):
    """The lines with a uuid of all transcripts that were touched within `since`: `lines` is the sum of `states`."""

    since: str = ""
    """The window, as the settings give it: `24h`."""
    files: int = 0
    """Transcripts that were touched within the window."""
    lines: int = 0
    """Their lines with a uuid."""
    written: int = 0
    """Those whose row is there."""
    missing: int = 0
    """Those that should be in the pipeline and are nowhere."""
    states: dict[str, int] = {}
    """Lines in each state."""
    equation: str = ""
    """Conservation: the lines and their states, as a sum."""
    projects: list[ProjectTranscripts] = []
    """Each project that has lines."""
    buckets: list[LineBucket] = []
    """By event time, the last day."""
    other_buckets: list[LineBucket] = []
    """Older than a day, later than now, without a timestamp."""
    missing_by_reason: dict[str, int] = {}
    """Missing lines by the reason, as far as it is known."""
    missing_ids: list[MessageId] = []
    """The uuids of the first missing lines."""
    first_missing_timestamp: str | None = None
    """When the first of them was written into its transcript; null where none is missing, or none has a time."""
    deleted_at: str | None = None
    """The day on which Claude Code begins to delete them; null where none is missing."""
    without_uuid: int = 0
    """Lines that carry no uuid: by these no row could be found."""
    unreadable_lines: int = 0
    """Lines that are no JSON object, or too long to be read."""
    half_written: int = 0
    """Last lines that are not whole yet."""
    unreadable_files: int = 0
    """Transcripts, and folders of projects, that could not be read."""
    has_more_files: bool = False
    """Whether there are, or may be, transcripts of the window that were not read: too many for one run."""
    partial: bool = False
    """Whether the time was up before everything was read."""
    is_set_up: bool = True
    """Whether anything of Claude is captured here: a row, a session, or a hook in its settings."""
    cause: str = ""
    """Why lines could not be looked up."""


class TranscriptMonitor(Monitor):
    """Reads what is new in the transcripts, and looks up every line in the database, dead letters and stream."""

    name = "transcripts"
    record = TranscriptHealth

    def collect(self) -> TranscriptHealth:
        """Always a record: where nothing can be compared its cause says why."""
        settings = self.examination.settings
        try:
            comparison = self._compared()
        except SourceError as error:
            return TranscriptHealth(since=settings.since, cause=error.message)
        states = {state: comparison.total(state) for state in LINE_STATES}
        lines = sum(states.values())
        times = []
        for line in comparison.missing:
            if line.event_ms is not None:
                times.append(line.event_ms)
        buckets = []
        for bucket in of_last_day(comparison.buckets):
            buckets.append(_bucket(*bucket))
        other_buckets = []
        for bucket in of_other_times(comparison.buckets):
            other_buckets.append(_bucket(*bucket))
        missing_ids = []
        for line in comparison.missing[:_SHOWN_LINES]:
            missing_ids.append(line.uuid)
        return TranscriptHealth(
            since=settings.since,
            files=comparison.files,
            lines=lines,
            written=states[WRITTEN],
            missing=states[MISSING],
            states=states,
            equation=equation(lines, states),
            projects=_projects(comparison),
            buckets=buckets,
            other_buckets=other_buckets,
            missing_by_reason=_reasons(comparison),
            missing_ids=missing_ids,
            first_missing_timestamp=iso_of_milliseconds(min(times)) if times else None,
            deleted_at=self._first_deleted(comparison),
            without_uuid=comparison.without_uuid,
            unreadable_lines=comparison.unreadable,
            half_written=comparison.half_written,
            unreadable_files=comparison.unreadable_files,
            has_more_files=comparison.has_more_files,
            partial=comparison.partial,
            is_set_up=comparison.is_set_up,
            cause=comparison.cause,
        )

    def _compared(self) -> Comparison:
        """Raises SourceError."""
        if not project_folders(self.examination.settings.claude_projects):
            return Comparison()
        # Where Claude Code has no project, a start does without the comparison.
        from blueplane_doctor.capture.transcripts import compare_transcripts

        return compare_transcripts(self.examination)

    def _first_deleted(self, comparison: Comparison) -> str | None:
        if comparison.first_deleted_ns is None:
            return None
        touched = from_milliseconds(comparison.first_deleted_ns // 1_000_000)
        days = kept_days(self.examination.settings.claude_projects)
        try:
            return (touched + timedelta(days=days)).date().isoformat()
        except OverflowError:
            return None  # so many days that no calendar has them


def _projects(comparison: Comparison) -> list[ProjectTranscripts]:
    projects = []
    for number, states in sorted(comparison.projects.items()):
        projects.append(
            ProjectTranscripts(
                number=number,
                lines=sum(states.values()),
                written=states[WRITTEN],
                missing=states[MISSING],
                unfindable_reason=comparison.unfindable.get(number, ""),
            )
        )
    return projects


def _reasons(comparison: Comparison) -> dict[str, int]:
    counts = Counter(line.reason for line in comparison.missing)
    by_reason = {}
    for reason in REASONS:
        if counts[reason]:
            by_reason[reason] = counts[reason]
    return by_reason


def _bucket(start: str, counts: Counter[str]) -> LineBucket:
    states = {}
    for state in LINE_STATES:
        if counts[state]:
            states[state] = counts[state]
    return LineBucket(start=start, states=states)


MONITOR = TranscriptMonitor

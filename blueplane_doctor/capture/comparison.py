"""What one comparison of Claude's transcripts with the pipeline found. No I/O."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class MissingLine(NamedTuple):
    """One line that is missing from the pipeline, and where it is: it can be read again whole and enqueued."""

    path: Path
    """The transcript; private."""
    project: int
    session: str
    """The session under which the server would have enqueued it."""
    uuid: str
    event_ms: int | None
    kind: str
    """Its type, which may be private."""
    offset: int
    length: int
    """Bytes, without the line end."""
    reason: str
    """One of REASONS."""


@dataclass(eq=False, repr=False)
class Comparison:
    """What became of the lines of all transcripts that were touched within the window."""

    files: int = 0
    projects: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Lines by project number and state."""
    buckets: dict[int | str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Lines by ten minutes of event time and state; see `bucket_of`."""
    missing: list[MissingLine] = field(default_factory=list)
    unfindable: dict[int, str] = field(default_factory=dict)
    """For each project that the server cannot find, the sign in its path."""
    first_deleted_ns: int | None = None
    """When the oldest transcript with a missing line was last touched, nanoseconds since 1970."""
    without_uuid: int = 0
    unreadable: int = 0
    half_written: int = 0
    unreadable_files: int = 0
    """Transcripts, and folders of projects, that could not be read."""
    has_more_files: bool = False
    """Whether there are, or may be, transcripts of the window that were not read: too many for one run."""
    partial: bool = False
    """Whether the time was up before everything was read."""
    cause: str = ""
    """Why rows, or the stream, could not be looked up."""
    is_set_up: bool = True
    """Whether anything of Claude is captured here at all."""

    def total(self, state: str) -> int:
        """Lines in a state, over all projects."""
        return sum(states[state] for states in self.projects.values())

    def add(self, project: int, bucket: int | str, state: str, lines: int = 1) -> None:
        """Count lines of one project and ten minutes."""
        self.projects[project][state] += lines
        self.buckets[bucket][state] += lines

"""What a target is: one kind of thing that can be healed, and how its items and their messages are read.

A file of `targets/` that sets `TARGET` is a target; nothing else is registered.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.model import Report
from blueplane_doctor.records.base import Record
from blueplane_doctor.repair.plan import Fields, Item, Refusal
from blueplane_doctor.repair.survey import Candidate, Survey

if TYPE_CHECKING:
    from blueplane_doctor.repair.plan import Plan


@dataclass(frozen=True)
class Wanted:
    """What a repair was asked for."""

    targets: frozenset[str] = frozenset()
    """Names of targets; empty: all."""
    ids: frozenset[str] = frozenset()
    """Only what has one of these IDs; empty: whatever its ID."""
    filter: DeadLetterFilter = field(default_factory=DeadLetterFilter)
    saves_only: bool = False
    """Whether nothing is to be changed: messages are saved, and nothing stands in the way of that."""

    def target(self, name: str) -> bool:
        """Whether this target is meant."""
        return not self.targets or name in self.targets

    @property
    def names_letters(self) -> bool:
        """Whether anything says which dead letters are meant: without that, none is."""
        return bool(self.ids) or self.filter != DeadLetterFilter()

    def candidate(self, candidate: Candidate, now_ms: int) -> bool:
        """Whether a message of the stream is meant. It has no error, so a filter by error excludes it."""
        if self.ids and self.ids.isdisjoint(candidate.names):
            return False
        chosen = self.filter
        age_ms = now_ms - candidate.id[0]
        if chosen.error:
            return False
        if chosen.newer_than_ms is not None and age_ms > chosen.newer_than_ms:
            return False
        if chosen.older_than_ms is not None and age_ms < chosen.older_than_ms:
            return False
        if chosen.group and candidate.group != chosen.group:
            return False
        if chosen.event_type not in ("", candidate.event_type):
            return False
        return chosen.platform in ("", candidate.platform)


@dataclass
class Case:
    """One examined pipeline, as the targets see it."""

    examination: Examination
    """Its sources are open, and its readings are remembered."""
    report: Report
    """What the checks say of it."""
    records: dict[str, Record]
    """The health records, by the names of their monitors."""
    survey: Survey
    now_ms: int
    """By the clock of the Redis server, when it was examined."""
    gone: frozenset[tuple[str, str]]
    """Consumers that are gone: the group, and the consumer's name as reports show it."""
    wanted: Wanted

    def candidates(self, *states: str) -> list[Candidate]:
        """The messages in one of these states that are meant."""
        chosen = []
        for candidate in self.survey.candidates:
            if candidate.state in states and self.wanted.candidate(candidate, self.now_ms):
                chosen.append(candidate)
        return chosen


_PlanItems = Callable[[Case], Iterable[Item | Refusal]]
_ReadMessage = Callable[[Examination, "Plan", Item], Fields | None]


@dataclass(frozen=True)
class Target:
    """One kind of thing that can be healed."""

    name: str
    """The word on the command line."""
    summary: str
    plan: _PlanItems
    """Gives the items of an examined pipeline, oldest first, and why others are none."""
    read: _ReadMessage | None = None
    """Reads the message of an item whose source is not a stream; None where it is gone. Raises SourceError."""

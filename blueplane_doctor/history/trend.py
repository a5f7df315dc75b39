"""What samples say over time: pure functions over series, for checks. docs/HISTORY.md tells each rule's source.

The rules for a backlog are those of LinkedIn's Burrow (core/internal/evaluator/caching.go and its wiki,
Consumer-Lag-Evaluation-Rules), in its order, with two holes closed: there, a single zero in the window hides a consumer
that stopped (linkedin/Burrow#745), and a lag that nobody refreshes is taken for current (#287).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from blueplane_doctor.history.samples import MINUTE, Sample

CAUGHT_UP = "caught up"
STOPPED = "stopped"
STALLED = "stalled"
FALLING_BEHIND = "falling behind"
DRAINING = "draining"
STEADY = "steady"
UNKNOWN = "unknown"

FRESH_SECONDS = 180
"""A newest sample older than this is no evidence of now: three minutes, so that one missed sample is forgiven."""
FEWEST = 3
"""Samples that a verdict on movement needs: two intervals, so that no colour rests on one difference."""

Points = Sequence[tuple[int, float | None]]
"""Seconds since 1970, and a value; None where nothing was recorded."""


@dataclass(frozen=True)
class GroupSample:
    """A writer group at one moment; None for what was not known."""

    time: int
    """Seconds since 1970."""
    added: int | None
    """Messages ever added to the stream."""
    read: int | None
    """Messages given to the group, as the server counts them."""
    undelivered: int | None
    """Messages it was not given yet, counted."""
    pending: int | None
    """Given and not acknowledged."""
    delivered: int | None
    """Milliseconds of the newest ID that it was given: moves with every delivery."""

    @property
    def backlog(self) -> int | None:
        """Messages it has not finished with."""
        return None if self.undelivered is None or self.pending is None else self.undelivered + self.pending

    @property
    def finished(self) -> int | None:
        """Messages it has acknowledged."""
        return None if self.read is None or self.pending is None else self.read - self.pending

    @property
    def unread_and_gone(self) -> int | None:
        """Added, not read, and not waiting either: what trimming took, as far as this moment shows it."""
        if self.added is None or self.read is None or self.undelivered is None:
            return None
        return self.added - self.read - self.undelivered


def group_metrics(group: str) -> list[str]:
    """The metrics that a GroupSample is made of, in its order."""
    names = ("entries_read", "undelivered", "pending", "last_delivered")
    return ["queue.entries_added", *(f"queue.groups.{group}.{name}" for name in names)]


def group_samples(samples: Iterable[Sample], group: str) -> list[GroupSample]:
    """A writer group's part of each sample."""
    names = group_metrics(group)
    return [GroupSample(sample.time, *(_whole(sample.values.get(name)) for name in names)) for sample in samples]


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


@dataclass(frozen=True)
class BacklogTrend:
    """The verdict on a backlog, and what it rests on."""

    state: str
    """One of the constants of this module."""
    backlog: int | None = None
    """At the newest sample."""
    per_minute: float | None = None
    """Change of the backlog; negative while it drains."""
    minutes_left: float | None = None
    """Until it is drained, at that rate; only while draining."""
    still_for: int = 0
    """Seconds without movement, while something waited; only when stopped or stalled."""
    samples: int = 0
    """How many it rests on."""
    cause: str = ""
    """Why it is unknown."""


def judge_backlog(samples: Sequence[GroupSample], now: float) -> BacklogTrend:
    """The trend of one group's backlog over a window of samples, oldest first; ten minutes are usual."""
    known = [sample for sample in samples if sample.backlog is not None]
    if not known:
        return BacklogTrend(UNKNOWN, cause="no sample holds the backlog")
    age, count, backlogs = now - known[-1].time, len(known), [sample.backlog or 0 for sample in known]
    backlog = backlogs[-1]
    if age > FRESH_SECONDS:  # Burrow#287
        return BacklogTrend(UNKNOWN, samples=count, cause=f"the newest sample is {age / 60:.0f} min old")
    if not backlog:  # before any other rule
        return BacklogTrend(CAUGHT_UP, 0, samples=count)
    if cause := f"{count} of at least {FEWEST} samples" if count < FEWEST else _went_back(known):
        return BacklogTrend(UNKNOWN, backlog, samples=count, cause=cause)
    rate = rate_per_minute([(sample.time, sample.backlog) for sample in known])
    for state, moves, waits in ((STOPPED, "delivered", "undelivered"), (STALLED, "finished", "backlog")):
        still = _still(known, moves, waits)
        if still and still * 2 >= known[-1].time - known[0].time:  # asked before the zeros, Burrow#745
            return BacklogTrend(state, backlog, rate, still_for=still, samples=count)
    if 0 not in backlogs and backlog > backlogs[0] and not any(b < a for a, b in pairwise(backlogs)):
        return BacklogTrend(FALLING_BEHIND, backlog, rate, samples=count)
    if rate is not None and rate < 0 and backlog < backlogs[0]:
        return BacklogTrend(DRAINING, backlog, rate, backlog / -rate, samples=count)
    return BacklogTrend(STEADY, backlog, rate, samples=count)


def _still(known: Sequence[GroupSample], moves: str, waits: str) -> int:
    """Seconds for which `moves` has not moved since something first waited; 0 with fewer than two intervals.

    A zero in between does not end it: what waits can only go without movement by being trimmed.
    """
    position = getattr(known[-1], moves)
    if position is None or not getattr(known[-1], waits):
        return 0
    run = list(takewhile(lambda sample: getattr(sample, moves) == position, reversed(known)))
    waiting = [sample for sample in run if getattr(sample, waits)]
    return known[-1].time - waiting[-1].time if len(waiting) >= FEWEST else 0


def _went_back(known: Sequence[GroupSample]) -> str:
    """Why counters of this window cannot be compared; empty when they can."""
    for what, words in (("added", "messages added"), ("read", "messages read"), ("delivered", "last delivered")):
        for earlier, later in pairwise(getattr(sample, what) for sample in known):
            if earlier is not None and later is not None and later < earlier:
                return f"the counter of {words} went back: the server was restarted, or the stream made anew"
    return ""


@dataclass(frozen=True)
class SeenLoss:
    """Messages that were trimmed before delivery, between samples."""

    count: int | None
    """At least so many; None when no two samples could be compared."""
    found: tuple[tuple[int, int], ...] = ()
    """Time of the sample that shows a loss first, and how many it adds."""
    not_compared: tuple[tuple[int, str], ...] = ()
    """Time of a sample that cannot be compared with the one before, and why."""


def loss_between(samples: Sequence[GroupSample]) -> SeenLoss:
    """What a group lost from the first of these samples to the last.

    What is added, not read and not waiting was trimmed unread. Redis up to 7.4.1 shows that sum for ever, later
    servers and Valkey only until the group's next read. So every rise is a loss, and after a fall (the evidence was
    erased) whatever is there is a new one; what was lost and erased between two samples is in neither.
    """
    found: list[tuple[int, int]] = []
    skipped: list[tuple[int, str]] = []
    compared = 0
    before: GroupSample | None = None
    for sample in samples:
        gone = sample.unread_and_gone
        if gone is None or gone < 0:
            cause = "its counters are not known" if gone is None else "its counters contradict each other"
            skipped.append((sample.time, cause))
            continue
        if before is not None and (restarted := _went_back([before, sample])):
            skipped.append((sample.time, restarted))
        elif before is not None:
            compared += 1
            earlier = before.unread_and_gone or 0
            new = gone - earlier if gone >= earlier else gone
            found += [(sample.time, new)] if new else []
        before = sample
    return SeenLoss(sum(count for _, count in found) if compared else None, tuple(found), tuple(skipped))


def rate_per_minute(points: Points) -> float | None:
    """Slope of the line through these points, by least squares; None for fewer than two moments."""
    known = [(moment / MINUTE, value) for moment, value in points if value is not None]
    if len(known) < 2:
        return None
    middle = sum(moment for moment, _ in known) / len(known)
    mean = sum(value for _, value in known) / len(known)
    spread = sum((moment - middle) ** 2 for moment, _ in known)
    return sum((moment - middle) * (value - mean) for moment, value in known) / spread if spread else None


def increase(points: Points) -> float | None:
    """How much was added from the first point to the last; a fall (a purge, a restart) takes nothing away."""
    known = [value for _, value in points if value is not None]
    return sum(max(0.0, after - before) for before, after in pairwise(known)) if len(known) >= 2 else None


def minutes_until(points: Points, limit: float) -> float | None:
    """Minutes until the series reaches `limit` at its own rate: 0 when it has, None when it never will.

    None also for fewer than three points: a forecast from one difference is a guess.
    """
    known = [(moment, value) for moment, value in points if value is not None]
    if known and known[-1][1] >= limit:
        return 0.0
    rate = rate_per_minute(known) if len(known) >= FEWEST else None
    return (limit - known[-1][1]) / rate if rate and rate > 0 else None


def is_fresh(points: Points, now: float) -> bool:
    """Whether the newest value is recent enough to speak of now."""
    newest = max((moment for moment, value in points if value is not None), default=None)
    return newest is not None and now - newest <= FRESH_SECONDS

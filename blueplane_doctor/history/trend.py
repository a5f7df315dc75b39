"""Where the backlog of a writer group goes, by samples or by one look. docs/HISTORY.md tells each rule's source.

The rules for a backlog are those of LinkedIn's Burrow (core/internal/evaluator/caching.go and its wiki,
Consumer-Lag-Evaluation-Rules), in its order, with two holes closed: there, a single zero in the window hides a consumer
that stopped (linkedin/Burrow#745), and a lag that nobody refreshes is taken for current (#287).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from blueplane_doctor.history.samples import MINUTE, Sample
from blueplane_doctor.history.series import FEWEST, FRESH_SECONDS, minutes_until, rate_per_minute

CAUGHT_UP = "caught up"
STOPPED = "stopped"
STALLED = "stalled"
FALLING_BEHIND = "falling behind"
DRAINING = "draining"
STEADY = "steady"
UNKNOWN = "unknown"

_LASTING_MESSAGES = 100
"""A smaller backlog is a batch or two in flight: where it goes says nothing, but that nothing moves does."""
_STILL_MS = 5 * MINUTE * 1000
"""From one look nothing moves when no row was written for so long: half of the window of samples."""

_URGENT_MINUTES = 60
"""A loss that is nearer than this at the rate of the last minutes: where time-to-loss leaves green."""


class GroupSample(NamedTuple):
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
    written: int | None = None
    """Of the undelivered, those whose row is there: a group that was moved back is given them again."""

    @property
    def waiting(self) -> int | None:
        """Messages that it was not given yet and that are not written."""
        if self.undelivered is None:
            return None
        return max(0, self.undelivered - (self.written or 0))

    @property
    def backlog(self) -> int | None:
        """Messages it has not finished with."""
        if self.waiting is None or self.pending is None:
            return None
        return self.waiting + self.pending

    @property
    def finished(self) -> int | None:
        """Messages it has acknowledged."""
        if self.read is None or self.pending is None:
            return None
        return self.read - self.pending

    @property
    def unread_and_gone(self) -> int | None:
        """Added, not read, and not waiting either: what trimming took, as far as this moment shows it."""
        if self.added is None or self.read is None or self.undelivered is None:
            return None
        return self.added - self.read - self.undelivered


def group_metrics(group: str) -> list[str]:
    """The metrics that a GroupSample is made of, in its order."""
    names = ("entries_read", "undelivered", "pending", "last_delivered", "written_not_delivered")
    metrics = ["queue.entries_added"]
    for name in names:
        metrics.append(f"queue.groups.{group}.{name}")
    return metrics


def group_samples(samples: Iterable[Sample], group: str) -> list[GroupSample]:
    """A writer group's part of each sample."""
    names = group_metrics(group)
    of_group = []
    for sample in samples:
        values = [_whole(sample.values.get(name)) for name in names]
        of_group.append(GroupSample(sample.time, *values))
    return of_group


def _whole(value: float | None) -> int | None:
    if value is None:
        return None
    return int(value)


class BacklogTrend(NamedTuple):
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


def judge_backlog(samples: Sequence[GroupSample], now: float, limit: float | None = None) -> BacklogTrend:
    """The trend of one group's backlog over a window of samples, oldest first; ten minutes are usual.

    `limit` is the backlog at which messages are lost: one that nears it fast falls behind, however long it was empty.
    """
    known = [sample for sample in samples if sample.backlog is not None]
    if not known:
        return BacklogTrend(UNKNOWN, cause="no sample holds the backlog")
    count = len(known)
    age = now - known[-1].time
    if age > FRESH_SECONDS:  # Burrow#287
        return BacklogTrend(UNKNOWN, samples=count, cause=f"the newest sample is {age / 60:.0f} min old")
    backlog = known[-1].backlog
    if not backlog:  # before any other rule: an empty backlog is healthy however few samples there are
        return BacklogTrend(CAUGHT_UP, 0, samples=count)
    if count < FEWEST:
        return BacklogTrend(UNKNOWN, backlog, samples=count, cause=f"{count} of at least {FEWEST} samples")
    reset = counter_reset(known)
    if reset:
        return BacklogTrend(UNKNOWN, backlog, samples=count, cause=reset)
    rate = rate_per_minute([(sample.time, sample.backlog) for sample in known])
    # Asked before the backlogs are compared: a zero among them must not hide a consumer that stopped (Burrow#745).
    for state, moves, waits in ((STOPPED, "delivered", "waiting"), (STALLED, "finished", "backlog")):
        still = _seconds_without_movement(known, moves, waits)
        # For half of the window, by Burrow's rules 3 and 6.
        if still and still * 2 >= known[-1].time - known[0].time:
            return BacklogTrend(state, backlog, rate, still_for=still, samples=count)
    backlogs = [sample.backlog or 0 for sample in known]
    if _only_grows(backlogs) or _is_urgent(known, limit):
        return BacklogTrend(FALLING_BEHIND, backlog, rate, samples=count)
    # Both are asked: the line may fall although the newest backlog is the largest.
    if rate is not None and rate < 0 and backlog < backlogs[0]:
        return BacklogTrend(DRAINING, backlog, rate, minutes_left=backlog / -rate, samples=count)
    return BacklogTrend(STEADY, backlog, rate, samples=count)


class OneLook(NamedTuple):
    """What one look tells of the backlog of all writers, by the times in stream IDs and rows."""

    backlog: int
    """Messages that their writer has not finished with."""
    oldest_ms: int
    """Age of the oldest of them; 0 when there is none."""
    still_ms: int
    """How long nothing was written while that one waited."""
    last_minute: float
    """Messages to be written that came within the last minute, less the rows written."""
    five_minutes: float
    """The same a minute, as the mean of the last five."""

    @property
    def growth(self) -> float:
        """Messages a minute, of a backlog that lasts: the smaller rate."""
        # One rate alone misleads: a burst of seconds is in both, and what was a burst is worked off in the last minute.
        if self.backlog < _LASTING_MESSAGES or self.oldest_ms < MINUTE * 1000:
            return 0.0
        return round(min(self.last_minute, self.five_minutes), 1)


def judge_one_look(look: OneLook) -> BacklogTrend:
    """The trend without samples. It does not tell a writer that is given nothing from one that acknowledges nothing."""
    if not look.backlog:
        return BacklogTrend(CAUGHT_UP, 0)
    if look.still_ms >= _STILL_MS:
        return BacklogTrend(STALLED, look.backlog, still_for=look.still_ms // 1000)
    # Less than a batch or two is what is in flight at any moment: it does not show that the backlog grows.
    grown = look.five_minutes * 5
    if look.growth > 0 and grown >= _LASTING_MESSAGES:
        return BacklogTrend(FALLING_BEHIND, look.backlog, look.growth)
    # Only a backlog that lasts is worked off at a rate that means something.
    if look.growth < 0 and look.last_minute < 0:
        left = look.backlog / -look.last_minute
        return BacklogTrend(DRAINING, look.backlog, look.last_minute, minutes_left=left)
    return BacklogTrend(STEADY, look.backlog)


def _is_urgent(known: Sequence[GroupSample], limit: float | None) -> bool:
    """Whether the last minutes alone lead to a loss soon. They decide, for an outage begins with an empty backlog."""
    last = known[-FEWEST:]
    if limit is None or not _only_grows([sample.backlog or 0 for sample in last if sample.backlog]):
        return False
    left = minutes_until([(sample.time, sample.backlog) for sample in last], limit)
    return left is not None and left <= _URGENT_MINUTES


def _only_grows(backlogs: Sequence[int]) -> bool:
    """Whether there was a backlog all the time, it never shrank, and it is larger than at first."""
    if 0 in backlogs or backlogs[-1] <= backlogs[0]:
        return False
    return all(earlier <= later for earlier, later in pairwise(backlogs))


def _seconds_without_movement(known: Sequence[GroupSample], moves: str, waits: str) -> int:
    """Seconds for which `moves` has not moved since something first waited; 0 with fewer than two intervals.

    A zero in between does not end it: what waits can only go without movement by being trimmed.
    """
    newest = known[-1]
    position = getattr(newest, moves)
    if position is None or not getattr(newest, waits):
        return 0
    waiting = []
    for sample in reversed(known):
        if getattr(sample, moves) != position:
            break
        if getattr(sample, waits):
            waiting.append(sample)
    if len(waiting) < FEWEST:
        return 0
    return newest.time - waiting[-1].time


def counter_reset(known: Sequence[GroupSample]) -> str:
    """Why counters of this window cannot be compared; empty when they can."""
    for counter, words in (("added", "messages added"), ("read", "messages read"), ("delivered", "last delivered")):
        for earlier, later in pairwise(getattr(sample, counter) for sample in known):
            if earlier is not None and later is not None and later < earlier:
                return f"the counter of {words} went back: the server was restarted, or the stream made anew"
    return ""

"""What was trimmed unread between samples: of each writer group, and of all together. Pure functions."""

from collections.abc import Sequence

from blueplane_doctor.history.trend import GroupSample, counter_reset
from blueplane_doctor.privacy.public_fields import GroupName
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.times import iso_of_seconds, readable


class GroupLosses(Record):
    """What one writer group was not given, because it was trimmed before, between samples of the last day."""

    group: GroupName
    lost: int | None = None
    """Messages, at least; null when no two samples could be compared."""
    losses: dict[str, int] = {}
    """Time of each sample that shows a loss first, and how many it adds."""
    not_compared: dict[str, str] = {}
    """Time of each sample that cannot be compared with the one before, and why."""


class SeenLoss(Record):
    """Messages that were trimmed unread between samples of the last day, each counted once for all writer groups."""

    at_least: int
    """What no writer group was given, which is certainly lost."""
    at_most: int
    """What some group was not given: lost if it was that group's to write, which nothing records."""
    first: str | None
    """Time of the first sample that shows a loss; null where none does."""
    last: str | None
    """The same of the last one."""

    @property
    def shown_by(self) -> str:
        """The samples that show it, in words."""
        if self.first == self.last:
            return f"the sample of {readable(self.first)}"
        return f"samples from {readable(self.first)} to {readable(self.last)}"


def loss_of_all(groups: Sequence[GroupLosses]) -> SeenLoss:
    """What the writer groups together were not given."""
    # Trimming cuts the same beginning of the stream for every group, so that all show it in the same sample.
    moments: set[str] = set()
    at_most = 0
    for group in groups:
        moments.update(group.losses)
        at_most = max(at_most, group.lost or 0)
    times = sorted(moments)
    at_least = 0
    for moment in times:
        at_least += min(group.losses.get(moment, 0) for group in groups)
    return SeenLoss(
        at_least=at_least,
        at_most=at_most,
        first=times[0] if times else None,
        last=times[-1] if times else None,
    )


def losses_between(samples: Sequence[GroupSample], group: str) -> GroupLosses:
    """What a group lost from the first of its samples to the last.

    What is added, not read and not waiting was trimmed unread. Redis up to 7.4.1 shows that sum for ever, later
    servers and Valkey only until the group's next read. So every rise is a loss, and after a fall (the evidence was
    erased) whatever is there is a new one; what was lost and erased between two samples is in neither.
    """
    losses: dict[str, int] = {}
    not_compared: dict[str, str] = {}
    lost: int | None = None
    before: GroupSample | None = None
    for sample in samples:
        time = iso_of_seconds(sample.time)
        unread = sample.unread_and_gone
        if unread is None:
            not_compared[time] = "its counters are not known"
            continue
        if unread < 0:
            not_compared[time] = "its counters contradict each other"
            continue
        if before is not None:
            reset = counter_reset([before, sample])
            if reset:
                not_compared[time] = reset
            else:
                new = _newly_lost(before.unread_and_gone or 0, unread)
                lost = (lost or 0) + new
                if new:
                    losses[time] = new
        before = sample
    return GroupLosses(group=group, lost=lost, losses=losses, not_compared=not_compared)


def _newly_lost(earlier: int, now: int) -> int:
    """Messages lost since the earlier sum: after a fall the server has begun to count anew, and all of it is new."""
    if now < earlier:
        return now
    return now - earlier

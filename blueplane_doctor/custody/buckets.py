"""Messages by ten-minute buckets of event time, as audits of message queues count them.

A message counts in the bucket of its own `timestamp` at every stage, however late it is read or written; so the
stages of one bucket can be compared at any time. What has no timestamp is counted apart: loss must not look like
silence. (Uber's Chaperone audited Kafka this way: https://www.infoq.com/news/2017/01/chaperone-kafka-audit-tool/)
"""

from collections import Counter
from dataclasses import dataclass, field

BUCKET_MS = 600_000
KEPT_MS = 86_400_000
"""Buckets go back one day; older and later messages are counted in one bucket each, which bounds memory."""
OLDER, LATER, WITHOUT = "older", "later", "without_timestamp"


@dataclass
class Buckets:
    """Counts of states: by start of the bucket (milliseconds since 1970), or by OLDER, LATER, WITHOUT."""

    counts: dict[int | str, Counter[str]] = field(default_factory=dict)

    def add(self, bucket: int | str, state: str, messages: int) -> None:
        """Count messages of one bucket."""
        counted = self.counts.get(bucket)
        if counted is None:
            counted = self.counts[bucket] = Counter()
        counted[state] += messages


def bucket_of(event_ms: int | None, now_ms: int) -> int | str:
    """The bucket that an event belongs to."""
    if event_ms is None:
        return WITHOUT
    if event_ms < now_ms - KEPT_MS:
        return OLDER
    if event_ms > now_ms + BUCKET_MS:
        return LATER
    return event_ms - event_ms % BUCKET_MS

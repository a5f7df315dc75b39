"""Which written messages of the last hour are measured: an even sample, however many there are."""

from typing import NamedTuple

MOST_KEPT = 1000
"""Of one route. P95 of the 500 or more that are kept is then known to about one in a hundred messages."""


class WrittenMessage(NamedTuple):
    """A message, and the row that it claims."""

    enqueued_ms: int
    """Milliseconds since 1970."""
    table: str
    sequence: int


class DelaySample:
    """Every n-th written message of one route. They are to be given in the order of the stream."""

    def __init__(self) -> None:
        self.messages = 0
        """All that were given."""
        self.kept: list[WrittenMessage] = []
        self._step = 1

    def add(self, message: WrittenMessage) -> None:
        """Keep the message if it is an n-th one. A full sample is halved, and keeps every 2n-th one from then on."""
        if self.messages % self._step == 0:
            self.kept.append(message)
        self.messages += 1
        if len(self.kept) > MOST_KEPT:
            self.kept = self.kept[::2]
            self._step *= 2

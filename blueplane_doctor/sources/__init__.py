"""Where evidence comes from: Redis, SQLite, the server. Everything here only reads, within a time limit."""

import time


class Deadline:
    """The moment, `seconds` from now, at which everything that waits has to end."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end = time.monotonic() + seconds
        """By time.monotonic()."""

    @property
    def remaining(self) -> float:
        """Seconds left; never below zero."""
        return max(0.0, self.end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return not self.remaining

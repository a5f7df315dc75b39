"""Which written messages of the last hour are measured: an even sample, however many there are."""

MOST_KEPT = 1000
"""Of one route. P95 of the 500 or more that are kept is then known to about one in a hundred messages."""


WrittenMessage = tuple[int, str, int]
"""When a message was enqueued (milliseconds since 1970), and the table and the `sequence` of the row that it claims."""


class DelaySample:
    """Every n-th written message of one route. They are to be given in the order of the stream."""

    def __init__(self) -> None:
        self.messages = 0
        """All that were given."""
        self.kept: list[WrittenMessage] = []
        self._step = 1

    def add(self, messages: list[WrittenMessage]) -> None:
        """Keep every n-th message. A full sample is halved, and keeps every 2n-th one from then on."""
        for start in range(0, len(messages), MOST_KEPT):
            part = messages[start : start + MOST_KEPT]
            # The numbers of those that are kept are multiples of the step, counted from the very first message.
            self.kept += part[-self.messages % self._step :: self._step]
            self.messages += len(part)
            while len(self.kept) > MOST_KEPT:
                self.kept = self.kept[::2]
                self._step *= 2

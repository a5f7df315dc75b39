"""Why a message has no row now although it may have been written: its table begins later, or its letter was dropped.

Both are known to have happened only in general, never of one message. So such a message is not called lost.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.sources.trace_tables import Lookup

TABLES_BEGIN_LATER = "tables_begin_later"
"""Rows of that time are gone from the table, or the table was made later."""
LETTER_DROPPED = "letter_dropped"
"""Its dead letter may be among those that were dropped from their stream."""


class DroppedLetters(NamedTuple):
    """Dead letters that are no longer in their streams."""

    letters: int = 0
    until_ms: int = 0
    """Messages that were enqueued later cannot have one of these letters."""


class Absence:
    """Tells of each message without a row whether it may have had one. Messages are given in the stream's order."""

    def __init__(self, beginnings: Mapping[str, int | None], dropped: DroppedLetters) -> None:
        """`beginnings`: of each table, when its first row was written, in milliseconds since 1970; None: no row."""
        self.counts: Counter[str] = Counter()
        """Messages by the reason why nothing can be said of them."""
        self.dropped = dropped
        self._beginnings = beginnings
        self._seen_rows: set[str] = set()
        """Tables in which an earlier message of the stream has its row."""

    def has_row(self, lookups: list[Lookup]) -> None:
        """Take notice of a message that has its row: its table does not begin after it."""
        self._seen_rows.update(lookup.table for lookup in lookups)

    def reason(self, message: Message, lookups: list[Lookup]) -> str:
        """Why this message without a row may have been handled all the same; empty when it cannot have been."""
        reason = self._reason(message, lookups)
        if reason:
            self.counts[reason] += 1
        return reason

    def _reason(self, message: Message, lookups: list[Lookup]) -> str:
        if message.id[0] <= self.dropped.until_ms:
            return LETTER_DROPPED
        if message.malformed():
            return ""  # the writers pass over it, so there never was a row
        for lookup in lookups:
            if lookup.table in self._seen_rows or lookup.table not in self._beginnings:
                continue
            beginning = self._beginnings[lookup.table]
            if beginning is None or message.id[0] < beginning:
                return TABLES_BEGIN_LATER
        return ""

"""Why a message has no row now although it may have been handled: rows or dead letters are gone, or cannot be read.

That is known to have happened only in general, never of one message. So such a message is not called lost.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.errors import SourceError
from blueplane_doctor.sources.deleted_rows import DeletedRows, TableBeginning
from blueplane_doctor.sources.trace_tables import Lookup
from blueplane_doctor.text.times import from_milliseconds

TABLES_BEGIN_LATER = "tables_begin_later"
"""Rows of that time were pruned, or the table was made later: the sequence numbers tell which."""
LETTER_DROPPED = "letter_dropped"
"""Its dead letter may be among those that were dropped from their stream."""
LETTERS_UNREADABLE = "letters_unreadable"
"""This user may not read a stream of dead letters, which may hold its dead letter."""
ROWS_DELETED = "rows_deleted"
"""Where its row would be, a row was deleted: a sequence number is missing."""

OF_UNKNOWN_GROUP = "of_unknown_group"
"""No route is known for its platform, and a group reads the stream that nobody knows: that one may write it."""


class DroppedLetters(NamedTuple):
    """Dead letters that are no longer in their streams."""

    letters: int = 0
    until_ms: int = 0
    """Messages that were enqueued later cannot have one of these letters."""
    may_hold_unseen: bool = False
    """Whether there may be dead letters that this user may not read."""


class Absence:
    """Tells of each message without a row whether it may have had one. Messages are given in the stream's order."""

    def __init__(
        self, beginnings: Mapping[str, TableBeginning], dropped: DroppedLetters, deleted: DeletedRows | None = None
    ) -> None:
        """`beginnings` of the tables of which they are known; `deleted` is None when the database cannot be read."""
        self.counts: Counter[str] = Counter()
        """Messages by the reason why nothing can be said of them."""
        self.dropped = dropped
        self._beginnings = beginnings
        self.misses_rows = bool(beginnings)
        """Whether any of these tables has no row yet of the messages so far: only then `has_row` need be called."""
        self._seen_rows: set[str] = set()
        """Tables in which an earlier message of the stream has its row."""
        self._before_table: Counter[str] = Counter()
        """Messages that are older than the rows of their table."""
        self._newest_before: dict[str, int] = {}
        """When the last of these was enqueued."""
        self._deleted = deleted
        self.last_rows: dict[str, int] = {}
        """Of each table the row of the last message so far that has one: the next one's row comes behind it."""

    def has_row(self, lookups: list[Lookup]) -> None:
        """Take notice of a message that has its row: its table does not begin after it."""
        for lookup in lookups:
            self._seen_rows.add(lookup.table)
        self.misses_rows = not self._seen_rows.issuperset(self._beginnings)

    def reason(self, message: Message, lookups: list[Lookup]) -> str:
        """Why this message without a row may have been handled all the same; empty when it cannot have been."""
        table = self._table_that_begins_later(message, lookups)
        if table:
            reason = TABLES_BEGIN_LATER
            self._before_table[table] += 1
            self._newest_before[table] = message.id[0]
        elif self._deleted and self._is_deleted(self._deleted, message, lookups):
            reason = ROWS_DELETED
        elif self.dropped.may_hold_unseen:
            reason = LETTERS_UNREADABLE
        elif message.id[0] <= self.dropped.until_ms:
            reason = LETTER_DROPPED
        else:
            return ""
        self.counts[reason] += 1
        return reason

    def _table_that_begins_later(self, message: Message, lookups: list[Lookup]) -> str:
        """The name of the first such table; empty where there is none."""
        if message.malformed():
            return ""  # the writers pass over it, so there never was a row
        for lookup in lookups:
            if lookup.table in self._seen_rows or lookup.table not in self._beginnings:
                continue
            beginning = self._beginnings[lookup.table]
            if beginning.first_ms is None:
                return lookup.table
            # The time of a row is cut to the second. Of the rows of one second, the first may be those that are gone.
            rest_of_second = 1_000 if beginning.rows_before else 0
            if message.id[0] < beginning.first_ms + rest_of_second:
                return lookup.table
        return ""

    def _is_deleted(self, deleted: DeletedRows, message: Message, lookups: list[Lookup]) -> bool:
        """Whether a row was deleted where this message's row would be. Writers write in the order of the stream."""
        if message.malformed():
            return False  # the writers pass over it, so there never was a row
        try:
            for table in dict.fromkeys(lookup.table for lookup in lookups):
                before = self.last_rows.get(table)
                if before is None:
                    # The time of a row is cut to the second.
                    before = deleted.row_before(table, from_milliseconds(message.id[0] // 1_000 * 1_000))
                if deleted.take_behind(table, before):
                    return True
        except SourceError:
            pass  # whoever looks its row up meets the same error, and tells it
        return False

    def pruned(self) -> int:
        """Of the messages that are older than the rows of their table, those whose rows were pruned.

        That is so where at least as many rows were written before the first that is kept, and where something newer
        is known to be written. To be asked at the end of the walk.
        """
        pruned = 0
        for table, messages in self._before_table.items():
            if messages <= self._beginnings[table].rows_before and self._is_followed_by_rows(table):
                pruned += messages
        return pruned

    def have_as_many_rows(self) -> bool:
        """Whether exactly as many rows were written before the first that is kept as messages are older than it.

        Where no message ever left the stream, each of these rows was that of one of them. To be asked at the end.
        """
        for table, messages in self._before_table.items():
            if messages != self._beginnings[table].rows_before:
                return False
        return bool(self._before_table)

    def _is_followed_by_rows(self, table: str) -> bool:
        """Whether a newer message has its row: in this table or, where it was emptied, in one that begins later.

        Pruning takes from every table what is older than one moment, and that is no later than any row it left.
        """
        if table in self._seen_rows:
            return True
        for other in self._seen_rows & self._beginnings.keys():
            first_ms = self._beginnings[other].first_ms
            if first_ms is not None and self._newest_before[table] < first_ms:
                return True
        return False

"""Which row each message has: of the rows with its key, the first that no earlier message has claimed."""

from collections import defaultdict

from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.poison import poison_reason
from blueplane_doctor.custody.row_owners import rows_are_others
from blueplane_doctor.errors import SourceError
from blueplane_doctor.sources.trace_tables import Lookup, RowFinder

ClaimedRow = tuple[str, int]
"""The row of a message: its table and its `sequence`. (A plain tuple: one is made for each message.)"""

_CHUNK_BITS = 12
_CHUNK_ROWS = 1 << _CHUNK_BITS
"""Rows of one chunk of what is claimed: 4 kB."""
_EVERY_PLACE = _CHUNK_ROWS - 1


class RowClaims:
    """The rows of a stream's messages, which claim them in their order."""

    def __init__(self, finder: RowFinder | None) -> None:
        """`finder` is None when the database cannot be read."""
        self.cause = ""
        """Why rows could not be read to the end."""
        self._finder = finder
        self.claimed = 0
        """How many rows are claimed."""
        self._chunks: dict[str, dict[int, bytearray]] = defaultdict(dict)
        """One byte for each row, by its table and the upper bits of its number, made when first needed.

        A set of row numbers would cost about 60 bytes for each, and one bit for each takes twice the time.
        """

    def find(self, lookups: list[Lookup]) -> list[list[int]] | None:
        """For each key, at its place, the rows that have it; None once the database cannot be read."""
        if self._finder is None:
            return None
        try:
            return self._finder.find(lookups)
        except SourceError as error:
            # Redis alone still tells the states of all messages that are not acknowledged.
            self._finder = None
            self.cause = error.message
            return None

    def claim(self, lookups: list[Lookup], found: list[list[int]], first_found: int) -> ClaimedRow | None:
        """Claim the first row of a message that no earlier message has claimed; None where there is no such row.

        Its rows are in `found` from the place `first_found` on, one list for each key.
        """
        for place, lookup in enumerate(lookups, first_found):
            chunks = self._chunks[lookup[0]]
            for sequence in found[place]:
                number = sequence >> _CHUNK_BITS
                chunk = chunks.get(number)
                if chunk is None:
                    chunk = chunks[number] = bytearray(_CHUNK_ROWS)
                if not chunk[sequence & _EVERY_PLACE]:
                    chunk[sequence & _EVERY_PLACE] = 1
                    self.claimed += 1
                    return lookup[0], sequence
        return None

    def are_of_another(self, message: Message, lookups: list[Lookup], rows: list[list[int]]) -> bool:
        """Whether the rows of its key are another message's, which had the same key: no writer can have written it.

        What a later version of the writer may write has its own row where the time of the row is its own.
        """
        if self._finder is None or not any(rows):
            return False
        if not (message.malformed() or poison_reason(message)):
            return False
        times = message.times()
        try:
            for lookup, sequences in zip(lookups, rows, strict=True):
                for sequence in sequences:
                    if self._finder.time_of(lookup.table, sequence) in times:
                        return False
        except SourceError:
            return False  # the next look-up meets the same error, and tells it
        return True

    def have_another_time(self, message: Message, lookups: list[Lookup]) -> bool:
        """Whether another message of the same key wrote the rows that are there; False where that cannot be read."""
        if self._finder is None:
            return False
        try:
            return rows_are_others(self._finder, lookups, message.times())
        except SourceError:
            return False

"""Which rows of the trace tables were claimed by a message."""

_CHUNK_BITS = 16
_CHUNK_ROWS = 1 << _CHUNK_BITS
"""Rows of one chunk of the bitmap: 8 KB."""
_EVERY_PLACE = _CHUNK_ROWS - 1


class RowBitmap:
    """One bit for each row, in chunks that are made when first needed, so that 30 million rows cost 4 MB.

    A set of row numbers would cost about 60 bytes for each row instead of an eighth of a byte.
    """

    def __init__(self) -> None:
        self._chunks: dict[tuple[str, int], bytearray] = {}
        self.claimed = 0
        """How many rows are claimed."""

    def claim(self, table: str, sequence: int) -> bool:
        """Claim a row; False when an earlier message has it."""
        # The upper bits of the number select a chunk, the others a place in it.
        chunk = sequence >> _CHUNK_BITS
        place = sequence & _EVERY_PLACE
        bits = self._chunks.get((table, chunk))
        if bits is None:
            bits = self._chunks[table, chunk] = bytearray(_CHUNK_ROWS // 8)
        # The upper bits of the place select a byte of the chunk, the lower three a bit of that byte.
        byte = place >> 3
        mask = 1 << (place & 7)
        if bits[byte] & mask:
            return False
        bits[byte] |= mask
        self.claimed += 1
        return True

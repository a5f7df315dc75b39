"""Rows that are claimed once."""

from blueplane_doctor.custody.row_bitmap import RowBitmap


def test_a_row_is_claimed_once() -> None:
    claims = RowBitmap()
    for sequence in (0, 1, 7, 8, 65_535, 65_536, 30_000_000, 1 << 62):
        assert claims.claim("cursor_raw_traces", sequence)
        assert not claims.claim("cursor_raw_traces", sequence)
        assert claims.claim("claude_raw_traces", sequence), "another table has rows of its own"
    assert claims.claim("cursor_raw_traces", 2)

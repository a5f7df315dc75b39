"""Numbers as Python reads them: of text, and of classes of other libraries."""

from typing import Any

LARGEST_NUMBER = 1 << 64
"""Redis and SQLite count no further. Larger ones overflow in arithmetic, and fill pages with digits."""


def plain_number(value: Any) -> int | float | None:
    """`True`, `" 5 "`, and what numpy and fractions have, as a plain number; None where it is one, or none at all."""
    if type(value) in (int, float):
        return None
    for read, method in ((int, "__index__"), (float, "__float__")):
        if not isinstance(value, str) and not hasattr(value, method):
            continue
        try:
            return read(value)
        except (TypeError, ValueError, OverflowError):
            continue
    return None


def is_in_bounds(number: float) -> bool:
    """Whether what came from outside is a number that everything here can count with; NaN is none."""
    return -LARGEST_NUMBER <= number <= LARGEST_NUMBER

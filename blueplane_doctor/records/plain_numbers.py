"""Numbers as Python reads them: of text, and of classes of other libraries."""

from typing import Any


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

"""Numbers as text, everywhere the same: thousands commas, no exponent, no more digits than say something."""

from math import floor, isfinite, log10

_DIGITS = 6
"""Significant digits of a number that is not whole."""


def number(value: float) -> str:
    """A number for people: `1,234,567`, `0.25`, `1,234.57`."""
    if not isfinite(value):
        return f"{value:g}"
    if float(value).is_integer():
        return f"{int(value):,}"
    decimals = max(0, _DIGITS - 1 - floor(log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def many(count: float, one: str, more: str) -> str:
    """A count with the words for it: `1 message is`, `1,200 messages are`, `0.2 errors`."""
    words = one if count == 1 else more
    return f"{number(count)} {words}"

"""Numbers and units as text, everywhere the same: thousands commas, no exponent, no more digits than say something."""

from collections.abc import Iterable
from math import floor, isfinite, log10

from blueplane_doctor.text.times import span

_DIGITS = 6
"""Significant digits of a number that is not whole."""
FRACTION = "fraction"
"""The unit of a share from 0.0 to 1.0; people read it in percent."""
_MEASURED_DIGITS = 4
"""The same of a number that was measured: more are not known."""
_LARGEST = 10**15
"""A larger number is shown as more than this: no true figure of a pipeline is."""
_MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
"""Units of time, in milliseconds."""
_KILO = 1000


def known(values: Iterable[float | None]) -> list[float]:
    """Those that are known: None stands for a number that could not be read."""
    return [value for value in values if value is not None]


def number(value: float, digits: int = _DIGITS) -> str:
    """A number for people: `1,234,567`, `0.25`, `1,234.57`."""
    if isinstance(value, float) and not isfinite(value):
        return f"{value:g}"
    if value > _LARGEST:
        return f"more than {_LARGEST:,}"
    if value < -_LARGEST:
        return f"less than {-_LARGEST:,}"
    if float(value).is_integer():
        return f"{int(value):,}"
    decimals = max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".")


def quantity(value: float, unit: str = "") -> str:
    """A measured value with its unit: `1,204 messages`, `6 min` for 360.301 s, `99.97 %`, `41.2 MB`."""
    if unit in _MILLISECONDS and 0 < abs(value) < _LARGEST:
        return span(value * _MILLISECONDS[unit])
    if unit == FRACTION:
        return quantity(round(100 * value, 6), "%")
    if unit == "bytes":
        return _size(value)
    text = number(value, _MEASURED_DIGITS)
    if unit == "%" and text == "100" and value < 100:
        text = "more than 99.99"  # rounding must not hide the one that failed
    return _with_unit(text, unit)


def _with_unit(text: str, unit: str) -> str:
    if text == "1":
        unit = _of_one(unit)
    return f"{text} {unit}".rstrip()


def _of_one(unit: str) -> str:
    """The unit of exactly one: `message`, `delivery`, `entry/h`; `ms` and `MB` are no plurals."""
    word, slash, per = unit.partition("/")
    if len(word) <= len("ms"):
        return unit
    if word.endswith("ies"):
        word = word.removesuffix("ies") + "y"
    return word.removesuffix("s") + slash + per


def many(count: float, one: str, more: str) -> str:
    """A count with the words for it: `1 message is`, `1,200 messages are`, `0.2 errors`."""
    words = one if count == 1 else more
    digits = _DIGITS if float(count).is_integer() else _MEASURED_DIGITS
    return f"{number(count, digits)} {words}"


def _size(value: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if abs(value) < _KILO:
            return _with_unit(number(value, 3), unit)
        value = value / _KILO
    return f"{number(value, 3)} GB"

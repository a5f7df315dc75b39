"""What is read as a number, and what is left as it is."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from blueplane_doctor.text.plain_numbers import LARGEST_NUMBER, is_in_bounds, plain_number


class OwnInteger(int):
    """Of a test."""


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (True, 1),
        (" 017 ", 17),
        ("1_000", 1000),
        ("2.50", 2.5),
        (OwnInteger(5), 5),
        (Fraction(1, 2), 0.5),
        (Decimal("1.5"), 1.5),
        (5, None),
        (2.5, None),
        ("five", None),
        ("9" * 5_000, float("inf")),
        (None, None),
        ([1], None),
        (b"5", None),
        (5j, None),
    ],
    ids=lambda value: str(value)[:10],
)
def test_plain_numbers(value: Any, number: float | None) -> None:
    result = plain_number(value)
    assert result == number
    assert type(result) is type(number)


@pytest.mark.parametrize("number", [0, -1.5, LARGEST_NUMBER, -LARGEST_NUMBER])
def test_in_bounds(number: float) -> None:
    assert is_in_bounds(number)


@pytest.mark.parametrize("number", [LARGEST_NUMBER + 1, -(10**400), float("nan"), float("inf"), 1e300])
def test_out_of_bounds(number: float) -> None:
    assert not is_in_bounds(number)

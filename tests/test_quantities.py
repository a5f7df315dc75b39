"""Numbers as text, and counts with the words that belong to them."""

import pytest

from blueplane_doctor.quantities import many, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1_234_567, "1,234,567"),
        (-1_200, "-1,200"),
        (3.0, "3"),
        (0.25, "0.25"),
        (0.1 + 0.2, "0.3"),
        (360.301, "360.301"),
        (1_234_567.5, "1,234,568"),
        (1_234.567, "1,234.57"),
        (0.000_000_1, "0.0000001"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_has_commas_and_no_exponent(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 errors"), (0.2, "0.2 errors"), (1, "1 error"), (1.0, "1 error"), (1_234_567, "1,234,567 errors")],
)
def test_a_count_has_the_word_that_belongs_to_it(count: float, said: str) -> None:
    assert many(count, "error", "errors") == said

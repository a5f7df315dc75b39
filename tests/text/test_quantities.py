"""Numbers as text, and counts with the words that belong to them."""

import re
from pathlib import Path

import pytest

from blueplane_doctor.text.quantities import known, many, number, quantity

REPOSITORY = Path(__file__).parents[2]


_NOUNS = "messages|rows|letters|lines|deliveries|entries|consumers|groups|errors|events|times|files|hooks|causes"
_COUNTED = re.compile(rf"\{{(?![A-Z_.]*[:}}])(?:[^{{}}]*:,|len\([^{{}}]*|[^{{}}]*count)\}} (?:[a-z]+ )?(?:{_NOUNS})\b")
"""A number and a plural beside it; of a constant (in capitals) the number is known not to be 1."""
_TRUE_OF_ANY = (
    *("{share:g} % of the {limit:,} messages", "{least:,} and at most {most:,} messages"),
    *("{judged:,} messages is accounted for", "{len(gone)} consumers that", "{deliveries:,} times"),
    "{lost:,} messages were trimmed before a writer",
)
"""Where one was dealt with before, or the sentence is about more than one."""


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1, "messages", "1 message"),
        (1, "deliveries", "1 delivery"),
        (1, "entries/h", "1 entry/h"),
        (1.0, "rows/s", "1 row/s"),
        (0, "messages", "0 messages"),
        (1.5, "messages", "1.5 messages"),
        (1, "bytes", "1 byte"),
        (2, "bytes", "2 bytes"),
        (1, "MB", "1 MB"),
        (1, "%", "1 %"),
        (1, "", "1"),
    ],
)
def test_the_unit_of_one_is_singular(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_every_sentence_that_counts_knows_one_from_many() -> None:
    """`1 messages` is what a reader remembers. Whatever counts goes through `many`."""
    wrong = []
    for folder in ("blueplane_doctor", "checks"):
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            for line in file.read_text().splitlines():
                is_counted = _COUNTED.search(line) and "many(" not in line
                if is_counted and not any(allowed in line for allowed in _TRUE_OF_ANY):
                    wrong.append(f"{file.name}: {line.strip()}")
    assert not wrong


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
        (1.23457e6, "1,234,570"),
        (1e20, "more than 1,000,000,000,000,000"),
        (-(10**400), "less than -1,000,000,000,000,000"),
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


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (360.301, "s", "6 min"),
        (240.001, "min", "4 h"),
        (4.2, "ms", "4.2 ms"),
        (0, "s", "0 s"),
        (1_204, "messages", "1,204 messages"),
        (1.234567e6, "events/s", "1,234,567 events/s"),
        (3.243333333, "events/s", "3.243 events/s"),
        (2841.606, "MB", "2,842 MB"),
        (99.97412, "%", "99.97 %"),
        (99.9999, "%", "more than 99.99 %"),
        (100, "%", "100 %"),
        (512, "bytes", "512 bytes"),
        (16_777_216, "bytes", "16.8 MB"),
        (5e9, "bytes", "5 GB"),
        (1e300, "ms", "more than 1,000,000,000,000,000 ms"),
        (7, "", "7"),
    ],
)
def test_a_quantity_is_said_as_a_person_says_it(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


@pytest.mark.parametrize(("values", "numbers"), [([], []), ([None], []), ([0, None, 2.5], [0, 2.5])])
def test_a_zero_is_known_and_none_is_not(values: list[float | None], numbers: list[float]) -> None:
    assert known(values) == numbers

"""Tables of any width break no word; where a table would have to, there is a list."""

import pytest

from blueplane_doctor.text.tables import fitted

HEADERS = ["area", "check", "scale"]
ROWS = [
    ["queue", "queue-depth", "green < 1,000, yellow ≥ 1,000 and < 10,000, red ≥ 50,000 messages"],
    ["chain", "loss-between-samples", "green 0, red > 0 messages"],
]
WORDS = {word for row in ROWS for cell in row for word in cell.split()}


@pytest.mark.parametrize("width", [None, 200, 100, 80, 60, 50, 40, 30, 22])
def test_no_word_is_broken_and_no_line_too_long(width: int | None) -> None:
    text = fitted(ROWS, HEADERS, width)
    assert set(text.split()) >= WORDS
    if width:
        assert max(len(line) for line in text.splitlines()) <= width


def test_where_there_is_room_each_row_is_a_line() -> None:
    assert len(fitted(ROWS, HEADERS, None).splitlines()) == 2 + len(ROWS)


def test_a_narrow_terminal_gets_a_list() -> None:
    text = fitted(ROWS, HEADERS, 30)
    assert text.startswith("area: queue\ncheck: queue-depth\nscale: green < 1,000, yellow ≥\n  1,000")
    assert "\n\narea: chain\n" in text


def test_a_word_that_is_wider_than_everything_stays_whole() -> None:
    assert "x" * 50 in fitted([["x" * 50]], ["id"], 20)


def test_empty_cells_and_numbers() -> None:
    assert fitted([[None, 5]], ["a", "b"], 80).splitlines()[-1].split() == ["5"]

"""Sparklines."""

import pytest

from blueplane_doctor.history.shapes import sparkline


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        pytest.param([0, 1, 2, 3, 4, 5, 6, 7], 60, "▁▂▃▄▅▆▇█", id="every level"),
        pytest.param([0, None, 7], 60, "▁ █", id="a gap is a space"),
        pytest.param([None, None], 60, "  ", id="nothing"),
        pytest.param([], 60, "", id="no steps"),
        pytest.param([0, 0, None, 0], 60, "▁▁ ▁", id="always zero"),
        pytest.param([5, 5], 60, "▄▄", id="always the same"),
        pytest.param([-3, 3], 60, "▁█", id="below zero"),
        pytest.param([0, 9, 0, 0, None, None], 3, "█▁ ", id="a short peak survives squeezing"),
    ],
)
def test_sparkline(values: list[float | None], width: int, line: str) -> None:
    assert sparkline(values, width) == line

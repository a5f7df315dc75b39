"""The geometry of the page's charts."""

import re
from typing import Any

import pytest

from blueplane_doctor.reports.charts import BARS, bars, flow, trends


def numbers(outline: str) -> list[float]:
    return [float(text) for text in re.findall(r"-?\d+\.?\d*", outline)]


def test_a_state_without_messages_has_no_band_and_a_single_one_is_seen() -> None:
    bands = {
        row["leak"]: row["band"] for row in flow({"written": 10**6, "lost": 1, "stuck": 0})["rows"] if "leak" in row
    }
    assert bands["lost"]
    assert not bands["stuck"]
    assert not bands["duplicate"]


def test_the_flow_has_room_for_all_its_rows() -> None:
    drawn = flow({"waiting": 5, "stuck": 7, "written": 88})
    assert all(row["middle"] < drawn["height"] for row in drawn["rows"])
    middles = [row["middle"] for row in drawn["rows"]]
    assert middles == sorted(middles)


def test_bars_are_as_high_as_their_messages_and_stay_inside() -> None:
    chart = bars([{"enqueued": 10, "written": 6, "broken": 4}, {"enqueued": 5, "written": 5}])
    assert chart["highest"] == 10
    assert [kind for kind, _ in chart["shapes"]] == ["enqueued", "enqueued", "written", "broken", "written"]
    tops = [numbers(outline)[1] for _, outline in chart["shapes"]]
    assert tops == pytest.approx([0, 50, 40, 0, 50])


@pytest.mark.parametrize("buckets", [[], [{}], [{"enqueued": None, "written": "x"}], [{"enqueued": -3}]])
def test_bars_of_nothing_are_empty(buckets: list[dict[str, Any]]) -> None:
    chart = bars(buckets)
    assert chart["highest"] == 0
    assert not [kind for kind, _ in chart["shapes"] if kind in BARS]


def test_a_line_breaks_off_where_nothing_was_recorded() -> None:
    points = [(f"2026-03-13T09:0{minute}:00Z", value) for minute, value in enumerate([0, 10, None, 4])]
    drawn = trends({"history": {"series": [{"label": "Depth", "unit": "messages", "points": points}]}})
    assert drawn is not None
    (chart,) = drawn["series"]
    assert (chart["lowest"], chart["highest"], chart["now"]) == (0, 10, None)
    assert chart["line"] == "M0.0 64.0L80.0 2.0M240.0 39.2h0.1"
    assert chart["area"] == "M0.0 64.0L80.0 2.0L80.0 64.0L0.0 64.0Z"
    assert chart["heading"] == "Depth (messages)"

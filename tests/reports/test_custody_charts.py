"""The geometry of the charts of custody."""

import re
from typing import Any

import pytest

from blueplane_doctor.reports.custody_charts import BARS, bars, custody_strip, flow
from tests.reports import samples


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


def test_the_custody_picture_shows_every_state_that_there_is() -> None:
    strip = custody_strip(samples.mixed().metrics["chain"])
    assert strip is not None
    assert [part["state"] for part in strip["parts"]][:1] == ["written"]
    assert sum(part["width"] for part in strip["parts"]) == pytest.approx(100, abs=0.1)
    assert min(part["width"] for part in strip["parts"]) > 0.4
    assert custody_strip(None) is None
    assert custody_strip({"states": []}) is None


def test_the_river_keeps_its_proportions_and_shows_the_smallest_leak() -> None:
    bands = {
        row["leak"]: row["band"]
        for row in flow({"written": 1_000_000, "lost": 1, "waiting": 0})["rows"]
        if "leak" in row
    }
    assert bands["lost"]
    assert not bands["waiting"]
    assert flow({})["rows"]

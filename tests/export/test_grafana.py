"""The dashboard: a panel for every check, coloured as its scale grades."""

import json
from typing import Any

import pytest

from blueplane_doctor.export.grafana import render
from blueplane_doctor.metrics import CHARTED
from blueplane_doctor.plugins.discovery import find_checks, selected
from blueplane_doctor.settings.values import Settings

CHECKS = selected(find_checks().checks, Settings())


@pytest.fixture(scope="module")
def panels() -> list[dict[str, Any]]:
    return list(json.loads(render(CHECKS))["panels"])


def panel(panels: list[dict[str, Any]], check_id: str) -> dict[str, Any]:
    return next(p for p in panels if any(f'id="{check_id}"' in t["expr"] for t in p.get("targets", [])))


def test_every_check_has_a_panel_and_none_overlaps(panels: list[dict[str, Any]]) -> None:
    assert all(panel(panels, check.id)["title"] == check.title for check in CHECKS)
    taken: set[tuple[int, int]] = set()
    for place in (p["gridPos"] for p in panels):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({p["id"] for p in panels}) == len(panels)


@pytest.mark.parametrize(
    ("check_id", "steps"),
    [
        ("queue-depth", [("green", None), ("yellow", 1000), ("orange", 10000), ("red", 50000)]),
        ("write-success", [("red", None), ("orange", 90), ("yellow", 95), ("green", 99)]),
    ],
)
def test_colours_change_where_the_scale_does(
    panels: list[dict[str, Any]], check_id: str, steps: list[tuple[str, int | None]]
) -> None:
    defaults = panel(panels, check_id)["fieldConfig"]["defaults"]
    assert [(s["color"], s["value"]) for s in defaults["thresholds"]["steps"]] == steps


def test_states_are_shown_as_words(panels: list[dict[str, Any]]) -> None:
    shown = panel(panels, "server-alive")["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert {code: it["text"] for code, it in shown.items()} == {
        "0": "green",
        "1": "yellow",
        "2": "orange",
        "3": "red",
        "-1": "unknown",
    }


def test_every_metric_that_is_drawn_has_a_panel_in_its_base_unit(panels: list[dict[str, Any]]) -> None:
    shown = {p["targets"][0]["expr"].partition("{")[0]: p for p in panels if p.get("targets")}
    for metric in CHARTED:
        assert shown[f"blueplane_doctor_{metric.prometheus}"]["title"] == metric.label
    lag = shown["blueplane_doctor_consumer_lag_seconds"]
    assert lag["fieldConfig"]["defaults"]["unit"] == "s"


def test_the_same_checks_give_the_same_bytes() -> None:
    assert render(CHECKS) == render(CHECKS)


def test_causes_are_shown_over_time(panels: list[dict[str, Any]]) -> None:
    [shown] = [p for p in panels if p["title"] == "Causes over time"]
    [target] = shown["targets"]
    assert target["legendFormat"] == "{{cause}}"
    assert 'blueplane_doctor_cause_active{instance=~"$instance"} == 1' in target["expr"]

"""Capture and demand: rates per the time that counts, and activity of sources that nobody knows yet."""

from pathlib import Path

import pytest

from tests.truth.situations import SITUATIONS

SERVER = "valkey-9.1"


@pytest.mark.parametrize(("name", "status"), [("window-just-opened", "green"), ("window-just-opened-slow", "orange")])
def test_a_window_that_just_opened_is_judged_by_its_own_time(name: str, status: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(SERVER, tmp_path / "p") as situation:
        examination = situation.doctor("--select", "capture")
        finding = examination.finding("capture-rate")
        assert finding["status"] == status
        # The doctor looks some seconds after the window's time was set.
        expected = situation.truth.facts["events_per_min"]
        assert expected * 0.7 < finding["observed"] <= expected * 1.05


@pytest.mark.parametrize("name", ["source-not-known", "source-not-known-at-all"])
def test_any_traffic_of_the_monitors_kind_is_activity(name: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(SERVER, tmp_path / "p") as situation:
        finding = situation.doctor("--select", "capture").finding("database-monitor")
        assert finding["status"] == "green"
        assert (situation.truth.facts["source"] in finding["summary"]) == (name == "source-not-known-at-all")


@pytest.mark.parametrize("name", ["stuck-beside-a-flow", "stuck-beside-a-slow-flow"])
def test_what_is_stuck_is_no_demand_for_throughput(name: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(SERVER, tmp_path / "p") as situation:
        finding = situation.doctor("--select", "write-throughput").finding("write-throughput")
        assert finding["status"] == "green"
        assert "wait" not in finding["summary"]

"""Capture and demand: rates per the time that counts, and activity of sources that nobody knows yet."""

from pathlib import Path

import pytest

from tests.truth.registry import ONE_SERVER
from tests.truth.situations import SITUATIONS, instances

RATES = {"window-just-opened": "green", "window-just-opened-slow": "orange"}


@pytest.mark.parametrize(("name", "server"), instances(*RATES, servers=ONE_SERVER))
def test_a_window_that_just_opened_is_judged_by_its_own_time(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor("--select", "capture")
        finding = examination.finding("capture-rate")
        assert finding["status"] == RATES[name]
        # The doctor looks some seconds after the window's time was set.
        expected = situation.truth.facts["events_per_min"]
        assert expected * 0.7 < finding["observed"] <= expected * 1.05


@pytest.mark.parametrize(
    ("name", "server"), instances("source-not-known", "source-not-known-at-all", servers=ONE_SERVER)
)
def test_any_traffic_of_the_monitors_kind_is_activity(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor("--select", "capture").finding("database-monitor")
        assert finding["status"] == "green"
        # A name that the contract does not know may be private: its fingerprint stands for it.
        assert situation.truth.facts["source"] not in finding["summary"]
        unknown = "the doctor does not know its source <hidden-" in finding["summary"]
        assert unknown == (name == "source-not-known-at-all")

"""What only the other writer group has to finish is nobody's loss and nobody's wait; clocks are not believed."""

from pathlib import Path

import pytest

from tests.truth.situations import SITUATIONS, instances

ONE_GROUP = (
    *("claude-writer-stands-still", "claude-writer-stands-still-11-lost", "claude-writer-stands-still-few"),
    *("cursor-writer-stands-still", "burst-before-both-groups", "burst-before-both-groups-small"),
)
NOT_LOST = (
    *("append-only-restart-after-trim", "append-only-restart-after-trim-few", "append-only-restart-then-work"),
    *("groups-made-anew", "groups-made-anew-few", "groups-made-anew-one", "setid-0"),
)
SELECT = ("--select", "chain,queue,write-throughput")


@pytest.mark.parametrize(("name", "server"), instances(*ONE_GROUP))
def test_a_loss_is_a_range_by_owner(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor(*SELECT)
        loss = examination.finding("lost-before-delivery")
        least, most = situation.truth.trimmed_unread or (0, 0)
        assert (loss["evidence"]["at least"], loss["evidence"]["at most"]) == (least, most)
        assert least <= (situation.truth.cut_unread or 0) <= most
        assert loss["status"] == ("red" if least else "unknown")
        assert examination.finding("queue-depth")["observed"] == situation.truth.waiting


@pytest.mark.parametrize(("name", "server"), instances(*NOT_LOST))
def test_counters_that_contradict_make_no_loss(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        loss = situation.doctor(*SELECT).finding("lost-before-delivery")
        assert loss["status"] in ("green", "unknown")


@pytest.mark.parametrize(("name", "server"), instances("deleted-unread-and-read-on"))
def test_what_the_counters_no_longer_show_is_not_denied(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        loss = situation.doctor(*SELECT).finding("lost-before-delivery")
        assert loss["status"] in ("green", "unknown")
        assert loss["summary"] != "No message was trimmed before it was read"


@pytest.mark.parametrize(
    ("name", "server"), instances("ids-two-hours-ahead", "ids-a-day-ahead", "ids-ninety-seconds-ahead")
)
def test_ids_ahead_of_the_clock_are_said(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        lag = situation.doctor(*SELECT).finding("consumer-lag")
        assert lag["evidence"]["IDs ahead of the clock"] == situation.truth.waiting
        assert "ahead of the clock" in lag["summary"]
        assert "No message is waiting" not in lag["summary"]


@pytest.mark.parametrize(("name", "server"), instances("ids-ahead-untimed"))
def test_what_has_no_time_makes_no_hook_silent(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor("--select", "capture", "--ignore", "hook-success,hook-spool,hook-losses")
        for check in ("hook-inactivity", "capture-rate", "database-monitor"):
            finding = examination.finding(check)
            assert finding["status"] == "unknown", finding
            assert f"{situation.truth.facts['untimed']} messages have a stream ID ahead" in finding["cause"]


@pytest.mark.parametrize(
    ("name", "server"),
    instances("stuck-beside-a-flow", "stuck-beside-a-slow-flow", servers=("redis-7.0", "valkey-9.1")),
)
def test_what_is_stuck_is_no_demand(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor(*SELECT).finding("write-throughput")
        assert finding["status"] == "green"
        assert "wait" not in finding["summary"]

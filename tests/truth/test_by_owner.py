"""What only the other writer group has to finish is nobody's loss and nobody's wait; clocks are not believed."""

from pathlib import Path

import pytest

import tests.truth.situations  # noqa: F401  # fills the registry
from tests.servers import SERVERS
from tests.truth.registry import SITUATIONS

QUICK = (
    *("claude-writer-stands-still", "burst-before-both-groups-small", "ids-two-hours-ahead", "stuck-beside-a-flow"),
    *("append-only-restart-after-trim", "groups-made-anew-few", "setid-0"),
)
ONE_GROUP = (
    *("claude-writer-stands-still", "claude-writer-stands-still-11-lost", "claude-writer-stands-still-few"),
    *("cursor-writer-stands-still", "burst-before-both-groups", "burst-before-both-groups-small"),
)
NOT_LOST = (
    *("append-only-restart-after-trim", "append-only-restart-after-trim-few", "append-only-restart-then-work"),
    *("groups-made-anew", "groups-made-anew-few", "groups-made-anew-one", "setid-0"),
)
SELECT = ("--select", "chain,queue,write-throughput")


def _named(names: tuple[str, ...]) -> list[object]:
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in names]


@pytest.mark.server
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", _named(ONE_GROUP))
def test_a_loss_is_a_range_by_owner(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor(*SELECT)
        loss = examination.finding("lost-before-delivery")
        least, most = situation.truth.trimmed_unread or (0, 0)
        assert (loss["evidence"]["at least"], loss["evidence"]["at most"]) == (least, most)
        assert least <= (situation.truth.cut_unread or 0) <= most
        assert loss["status"] == ("red" if least else "unknown")
        assert examination.finding("queue-depth")["observed"] == situation.truth.waiting


@pytest.mark.server
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", _named(NOT_LOST))
def test_counters_that_contradict_make_no_loss(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        loss = situation.doctor(*SELECT).finding("lost-before-delivery")
        assert loss["status"] in ("green", "unknown")


@pytest.mark.server
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", _named(("ids-two-hours-ahead", "ids-a-day-ahead", "ids-ninety-seconds-ahead")))
def test_ids_ahead_of_the_clock_are_said(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        lag = situation.doctor(*SELECT).finding("consumer-lag")
        assert lag["evidence"]["IDs ahead of the clock"] == situation.truth.waiting
        assert "ahead of the clock" in lag["summary"]
        assert "No message is waiting" not in lag["summary"]


@pytest.mark.server
@pytest.mark.parametrize("name", _named(("stuck-beside-a-flow", "stuck-beside-a-slow-flow")))
def test_what_is_stuck_is_no_demand(name: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built("redis-7.0", tmp_path / "p") as situation:
        assert situation.doctor(*SELECT).finding("write-throughput")["status"] == "green"

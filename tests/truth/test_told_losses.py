"""A loss that the groups' next read erased from the counters: told from samples, for a day; else not known."""

from pathlib import Path

import pytest

from tests.truth.situations import SITUATIONS, instances

RECORDED = ("trimmed-then-read-on-recorded", "trimmed-then-read-on-recorded-an-hour-ago")
NOT_RECORDED = (
    *("trimmed-then-read-on-and-restarted", "trimmed-then-read-on", "trimmed-then-read-on-recorded-days-ago"),
)
SELECT = ("--select", "chain")
KEEP_COUNT = ("redis-7.0", "redis-7.4")
"""These servers go on showing the loss: 7.4 is 7.4.1 here, Redis forgets from 7.4.2 on."""


@pytest.mark.parametrize(("name", "server"), instances(*RECORDED))
def test_a_recorded_loss_stays_red_for_a_day(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor(*SELECT)
        assert examination.exit_code == 1
        lost = situation.truth.cut_unread
        loss = examination.finding("loss-between-samples")
        assert (loss["status"], loss["observed"]) == ("red", lost)
        assert "the sample of 20" in loss["summary"]
        told = examination.finding("lost-before-delivery")
        assert (told["status"], told["observed"]) == ("red", lost)


@pytest.mark.parametrize(("name", "server"), instances(*NOT_RECORDED))
def test_a_loss_that_nothing_recorded_is_not_known(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        loss = situation.doctor(*SELECT).finding("lost-before-delivery")
        if server in KEEP_COUNT:
            assert (loss["status"], loss["observed"]) == ("red", situation.truth.cut_unread)
            return
        assert loss["status"] == "unknown"
        at_most = loss["evidence"]["of those without a row, at most"]
        assert at_most >= situation.truth.cut_unread
        assert f"at most {at_most} were" in loss["summary"]
        assert "does not keep that after the next read" in loss["cause"]


@pytest.mark.parametrize(("name", "server"), instances("busy-trimmed"))
def test_a_busy_stream_that_was_trimmed_of_what_was_read_is_green(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        loss = situation.doctor(*SELECT).finding("lost-before-delivery")
        assert (loss["status"], loss["observed"]) == ("green", 0)

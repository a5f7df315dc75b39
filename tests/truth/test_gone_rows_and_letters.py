"""A message without a row is not lost where its row, or its dead letter, may be what is gone."""

from pathlib import Path

import pytest

from tests.truth.situations import SITUATIONS, instances

PRUNED = (
    *("rows-pruned-few", "rows-pruned-claude", "rows-pruned-both", "rows-pruned-claude-unused-since"),
    "rows-pruned",
)
GONE_ROWS = (
    *("database-made-anew-and-used", "database-made-anew", "database-made-anew-and-pruned", "one-table-made-anew"),
    "rows-pruned-all",
)
"""The table was made anew; or all rows were pruned, and nothing is left to judge by."""
DROPPED = ("letters-dropped", "letters-dropped-one", "newest-letter-deleted")
OTHER_TYPES = ("dead-letters-are-a-list", "dead-letters-are-a-string", "dead-letters-are-a-hash")
SELECT = ("--select", "chain,dead-letters")


@pytest.mark.parametrize(("name", "server"), instances(*PRUNED))
def test_pruned_rows_keep_no_pipeline_from_being_green(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        gone = situation.truth.rows_gone
        examination = situation.doctor(*SELECT)
        assert examination.exit_code == 0
        assert examination.report["metrics"]["chain"]["chain_status"] == "healthy"
        breaks = examination.finding("chain-breaks")
        assert (breaks["status"], breaks["observed"]) == ("green", 0)
        assert f"{gone} are older than the rows that the database keeps, and were not judged" in breaks["summary"]
        assert (breaks["evidence"]["tables begin later"], breaks["evidence"]["of those pruned"]) == (gone, gone)


@pytest.mark.parametrize(("name", "server"), instances(*GONE_ROWS))
def test_rows_that_are_gone_are_no_losses(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor(*SELECT)
        breaks = examination.finding("chain-breaks")
        assert breaks["status"] == "unknown"
        assert breaks["evidence"]["tables begin later"] == situation.truth.rows_gone
        assert "the tables begin later than these messages" in breaks["cause"]
        assert breaks["evidence"]["states"]["lost"] == 0


@pytest.mark.parametrize(("name", "server"), instances("rows-deleted-in-the-middle"))
def test_rows_that_were_deleted_are_no_losses(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert examination.exit_code == 3
        breaks = examination.finding("chain-breaks")
        assert (breaks["status"], breaks["evidence"]["row may be deleted"]) == ("unknown", situation.truth.rows_gone)
        assert "30 messages have no row now, and as many rows were deleted where theirs would be" in breaks["cause"]


@pytest.mark.parametrize(("name", "server"), instances("rows-deleted-in-the-middle-and-lost"))
def test_what_was_lost_beside_deleted_rows_is_told(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        breaks = situation.doctor().finding("chain-breaks")
        assert (breaks["status"], breaks["observed"]) == ("orange", situation.truth.lost)
        assert breaks["evidence"]["row may be deleted"] == situation.truth.rows_gone
        assert "1 message has no row now" in breaks["summary"]


@pytest.mark.parametrize(("name", "server"), instances("reader-without-ping", "reader-of-the-queue-alone"))
def test_what_may_be_read_is_judged(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor(redis_url=situation.truth.facts["redis_url"])
        assert examination.finding("redis-reachable")["status"] == "green"
        assert examination.custody["states"]["written"] == situation.truth.written
        assert examination.custody["states"]["lost"] == situation.truth.lost
        assert examination.exit_code == (1 if situation.truth.lost else 3)
        assert examination.custody["letters_unreadable"] == situation.truth.dead_lettered


@pytest.mark.parametrize(("name", "server"), instances(*DROPPED))
def test_dropped_letters_are_told(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor(*SELECT)
        breaks = examination.finding("chain-breaks")
        assert breaks["status"] == "unknown"
        assert breaks["evidence"]["letter may be dropped"] == situation.truth.letters_dropped
        letters = examination.finding("dead-letters")
        assert letters["observed"] == situation.truth.dead_lettered
        assert f"; {situation.truth.letters_dropped:,} more " in letters["summary"]


@pytest.mark.server
def test_what_dead_letters_cost_counts_each_message_once(tmp_path: Path) -> None:
    with SITUATIONS["letters-of-one-message"].built("redis-7.0", tmp_path / "p") as situation:
        causes = situation.doctor(*SELECT).report["causes"]
        given_up = {cause["summary"]: cause["at_stake"]["dead_lettered"] for cause in causes}
        letters = situation.truth.facts["letters"]
        (many,) = [summary for summary in given_up if summary.startswith(f"{letters} dead letters of 2 messages")]
        assert "1 of these messages is written by now, or still pending" in many
        assert given_up.pop(many) == 1
        ((one, none),) = given_up.items()
        assert "Its message is written by now, or still pending" in one
        assert none == 0


@pytest.mark.server
def test_more_without_a_row_than_letters_were_dropped_is_a_loss(tmp_path: Path) -> None:
    with SITUATIONS["letters-dropped-and-lost"].built("valkey-9.1", tmp_path / "p") as situation:
        breaks = situation.doctor(*SELECT).finding("chain-breaks")
        assert (breaks["status"], breaks["observed"]) == ("orange", situation.truth.lost)


@pytest.mark.parametrize(("name", "server"), instances(*OTHER_TYPES, servers=("redis-7.0", "valkey-9.1")))
def test_custody_is_judged_without_letters_that_are_none(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor(*SELECT)
        assert examination.finding("chain-breaks")["observed"] == situation.truth.lost
        letters = examination.finding("dead-letters")
        assert letters["status"] == "unknown"
        assert str(situation.truth.facts["letters_unknown"]) in letters["summary"]
        assert "not a stream" in letters["cause"]

"""Pending entries: written and not acknowledged, held twice, orphaned, deleted with their consumer."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.truth import rows
from tests.truth.examination import Examination
from tests.truth.following import follow
from tests.truth.messages import QUEUE
from tests.truth.situations import SITUATIONS, instances, named

WRITTEN = named("written-not-acknowledged", "written-before-the-crash", "failover-lost")
POISONED = named("stuck-behind-a-large", "stuck-behind-a-lone")


def _state(examination: Examination, state: str) -> int:
    assert examination.custody is not None
    count: int = examination.custody["states"][state]
    return count


def _unacknowledged(examination: Examination) -> int:
    """Messages that their own writer holds and has not written."""
    return _state(examination, "stuck") + _state(examination, "in_flight")


@pytest.mark.parametrize(("name", "server"), instances(*WRITTEN))
def test_what_is_written_is_not_stuck_and_can_be_acknowledged(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        before = situation.doctor()
        written = situation.truth.written_not_acknowledged
        stuck = situation.truth.pending
        finding = before.finding("written-not-acknowledged")
        assert (finding["status"], finding["observed"]) == ("orange", written)
        assert _state(before, "written_not_acknowledged") == written
        assert _unacknowledged(before) == stuck
        assert before.custody and before.custody["chain_break_count"] == 0
        summary = before.finding("stuck-consumers")["summary"]
        assert "99 more" not in summary
        if not stuck:
            assert before.finding("stuck-consumers")["status"] == "green"
        outcome = follow(situation)
        assert outcome.harm == []
        after = situation.doctor()
        assert after.finding("written-not-acknowledged")["observed"] == max(0, (written or 0) - 1_000)
        assert _unacknowledged(after) == stuck


@pytest.mark.parametrize(("name", "server"), instances(*named("pending-in-two-groups")))
def test_a_message_counts_once_whoever_holds_it(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        stuck = situation.truth.pending
        assert _state(examination, "stuck") == stuck
        assert examination.finding("pending-messages")["observed"] == stuck
        assert f"; {stuck} messages are stuck" in examination.finding("stuck-consumers")["summary"]
        groups = examination.report["metrics"]["queue"]["groups"]
        assert sum(group["stuck"] or 0 for group in groups) == stuck


@pytest.mark.parametrize(("name", "server"), instances(*named("crash-restart-quiet")))
def test_what_a_dead_process_holds_is_orphaned(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        orphaned = situation.doctor().finding("orphaned-messages")
        assert orphaned["observed"] == situation.truth.pending
        assert str(situation.truth.facts["dead_pid"]) in str(orphaned["evidence"])


@pytest.mark.parametrize(("name", "server"), instances(*named("consumer-deleted")))
def test_what_a_deleted_consumer_held_is_nobodys(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        breaks = examination.finding("chain-breaks")
        count = (situation.truth.lost or 0) + (situation.truth.nobodys or 0)
        assert breaks["observed"] == count
        assert f"{count} neither pending nor written" in breaks["summary"]
        assert "acknowledged" not in breaks["summary"]
        assert "can be delivered again" in breaks["remedy"]["text"]


@pytest.mark.parametrize(("name", "server"), instances(*POISONED))
def test_a_poison_is_named_by_the_type_of_its_value(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        summary = situation.doctor().finding("stuck-consumers")["summary"]
        (poison,) = situation.truth.facts["poison"]
        assert f"stuck behind {poison}" in summary
        assert situation.truth.facts["reason"].split()[0] in summary


@pytest.mark.parametrize(("name", "server"), instances(*named("third-writer-group")))
def test_a_group_that_nobody_knows_is_named(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor().finding("unknown-groups")
        assert finding["status"] == "yellow"
        assert situation.truth.facts["unknown_group"] in finding["summary"]


@pytest.mark.parametrize(("name", "server"), instances(*named("third-writer-group")))
def test_what_only_an_unknown_group_writes_is_not_judged(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        behind = situation.truth.facts["behind"]
        assert _state(examination, "untraceable") == behind
        assert _state(examination, "lost") == 0
        finding = examination.finding("chain-breaks")
        assert finding["status"] == "green"
        assert f"{behind} are for a group that this doctor does not know, and were not judged" in finding["summary"]
        newest = situation.client.xinfo_stream(QUEUE)["last-generated-id"]
        (traced,) = json.loads(situation.doctor("trace", str(newest)).stdout)
        assert traced["state"] == "untraceable"
        assert "See unknown-groups" in traced["advice"]


@pytest.mark.parametrize(("name", "server"), instances(*named("column-of-another-branch")))
def test_a_column_of_another_branch_takes_nothing_else_from_judgement(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        assert _state(examination, "lost") == situation.truth.lost
        assert _state(examination, "unexamined") == 0
        assert examination.finding("chain-breaks")["observed"] == situation.truth.lost
        # Without any column that is known only that route is unknown.
        with closing(rows.connect(situation.database)) as connection:
            connection.execute("ALTER TABLE claude_raw_traces RENAME COLUMN session_id TO conversation")
        examination = situation.doctor()
        assert _state(examination, "lost") == situation.truth.lost
        by_route = examination.custody["by_route"]
        assert set(by_route["claude"]) == {"unexamined"}
        assert set(by_route["cursor"]) == {"written", "lost"}
        assert "external_id" in examination.custody["database_cause"]

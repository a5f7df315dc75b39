"""What is written and lies behind its group's position is no backlog: delivered again, it blocks its batch."""

from pathlib import Path

import pytest

from tests.truth.examination import Examination
from tests.truth.following import follow
from tests.truth.messages import CLAUDE_GROUP, CURSOR_GROUP
from tests.truth.situation import Situation
from tests.truth.situations import SITUATIONS, instances, named

BEHIND = (*named("rewound-group-"), *named("setid-0"), *named("groups-made-anew"), "sent-again-and-waiting")
STOPPED = named("rewound-group-server-stopped")
GONE = named("group-gone-and-")
STATE = "written_not_delivered"


def _states(examination: Examination) -> dict[str, int | None]:
    assert examination.custody is not None
    states: dict[str, int | None] = examination.custody["states"]
    return states


def _assert_nothing_but_the_truth_waits(examination: Examination, waiting: int) -> None:
    assert examination.finding("queue-depth")["observed"] == waiting
    queue = examination.report["metrics"]["queue"]
    assert queue["waiting_messages"] == waiting
    share = examination.finding("queue-headroom")["observed"]
    assert share == pytest.approx(100 * waiting / 10_000)
    if not waiting:
        assert examination.finding("consumer-lag")["observed"] == 0
        assert queue["minutes_to_loss"] is None


def _work_and_count_failures(situation: Situation, group: str) -> list[str]:
    """What the group is given next, of which the row is there: these would fail their batch."""
    return [one for one in situation.deliver(group) if one in situation.written and _owner(situation, one) == group]


def _owner(situation: Situation, entry_id: str) -> str | None:
    return situation.messages[entry_id].group


@pytest.mark.parametrize(("name", "server"), instances(*BEHIND))
def test_what_is_written_is_not_waiting(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        truth = situation.truth
        waiting = truth.facts.get("never_written", truth.waiting or 0)
        finding = examination.finding("written-not-delivered")
        assert (finding["status"], finding["observed"]) == ("orange", truth.delivered_again)
        states = _states(examination)
        assert (states[STATE], states["waiting"], states["lost"]) == (truth.delivered_again, waiting, 0)
        assert examination.custody is not None
        total = sum(states[state] or 0 for state in states if state not in ("trimmed_unread", "payload_gone"))
        assert total == examination.custody["examined"]
        assert f"{truth.delivered_again} written not delivered" in examination.custody["equation"]
        assert examination.custody["chain_break_count"] == 0
        _assert_nothing_but_the_truth_waits(examination, waiting)
        assert examination.status not in ("green", "yellow")


@pytest.mark.parametrize(("name", "server"), instances("sent-again-and-waiting"))
def test_what_was_enqueued_once_more_is_no_group_that_was_moved(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        (cause,) = situation.doctor().report["causes"]
        assert cause["title"] == "Messages that are written already were enqueued once more"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "server"), instances("rewound-group-40", "rewound-group-claude"))
def test_trace_agrees_and_a_running_server_gets_words_only(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor("--select", "written-not-delivered").finding("written-not-delivered")
        assert "Stop the Blueplane server" in finding["remedy"]["text"]
        assert not any("XGROUP" in command for command in finding["remedy"]["commands"])
        (group,) = [name for name, evidence in finding["evidence"].items() if evidence["first of them"]]
        assert group == situation.truth.facts["group"]
        (first, *_) = finding["evidence"][group]["first of them"]
        (traced,) = situation.doctor("trace", first, "--format", "json").report
        assert traced["state"] == STATE
        assert "makes its whole batch fail" in traced["advice"]


@pytest.mark.parametrize(("name", "server"), instances(*STOPPED))
def test_a_stopped_groups_command_moves_it_past_what_is_written(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        group = situation.truth.facts["group"]
        outcome = follow(situation, "--select", "written-not-delivered,chain,queue-depth")
        assert any("XGROUP SETID" in followed.command for followed in outcome.commands)
        assert outcome.harm == []
        after = situation.doctor("--select", "written-not-delivered,chain,queue-depth")
        assert after.finding("written-not-delivered")["status"] == "green"
        assert _states(after)["waiting"] == situation.truth.waiting, "what waits is passed over by nobody"
        assert _work_and_count_failures(situation, group) == []


@pytest.mark.parametrize(("name", "server"), instances("rewound-group-mixed"))
def test_no_group_is_moved_past_what_was_never_written(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        finding = situation.doctor("--select", "written-not-delivered").finding("written-not-delivered")
        behind = situation.truth.delivered_again or 0
        evidence = finding["evidence"][CURSOR_GROUP]
        assert evidence["all written up to"] == situation.truth.facts["up_to"]
        assert evidence["behind a message that waits"] == behind - behind // 2
        assert "must not be moved past" in finding["remedy"]["text"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "server"), instances(*GONE))
def test_groups_that_are_gone_are_made_behind_what_is_written(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        before = situation.doctor()
        assert before.finding("written-not-delivered")["observed"] == 76
        missing = before.finding("writer-missing")
        assert "NOGROUP" in missing["summary"]
        assert "restart it" in missing["remedy"]["text"]
        assert "76 messages that are written already would be delivered again" in missing["remedy"]["text"]
        _assert_nothing_but_the_truth_waits(before, situation.truth.waiting or 0)
        outcome = follow(situation)
        assert sum("XGROUP CREATE" in followed.command for followed in outcome.commands) == 2
        assert outcome.harm == []
        for group in (CURSOR_GROUP, CLAUDE_GROUP):
            assert _work_and_count_failures(situation, group) == []
        assert _states(situation.doctor())["in_flight"] == situation.truth.waiting


@pytest.mark.parametrize(("name", "server"), instances("rewound-batch-delivered-again"))
def test_a_batch_that_was_delivered_again_is_told_apart(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        states = _states(situation.doctor("--select", "chain"))
        truth = situation.truth
        assert states["written_not_acknowledged"] == truth.written_not_acknowledged
        assert states[STATE] == truth.delivered_again
        assert (states["stuck"], states["waiting"], states["lost"]) == (0, 0, 0)


@pytest.mark.parametrize(("name", "server"), instances("healthy", "busy", "messages-in-flight"))
def test_a_healthy_pipeline_stands_where_it_left_off(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        assert situation.doctor("--select", "written-not-delivered").finding("written-not-delivered")["observed"] == 0

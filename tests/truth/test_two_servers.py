"""Two servers on one Redis: what the other one was given may be in its own database, and is not called lost."""

from pathlib import Path

import pytest

from tests.truth.situations import SITUATIONS, instances, named

SHARED = (*named("two-live-servers"), "servers-of-other-machines", "second-server-ended-first-restarted")
SINGLE = ("server-just-restarted", "just-restarted-append-only", "just-restarted-snapshot", "healthy", "busy")


@pytest.mark.parametrize(("name", "server"), instances(*SHARED))
def test_what_another_server_was_given_is_not_lost(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor()
        facts = situation.truth.facts
        assert examination.custody is not None
        states = examination.custody["states"]
        malformed = facts.get("malformed", 0)
        assert (states["lost"], states["untraceable"]) == (malformed, facts["written_elsewhere"])
        assert examination.custody["written_elsewhere"] == facts["written_elsewhere"]
        assert examination.custody["chain_break_count"] == malformed
        finding = examination.finding("second-server")
        assert finding["status"] == "orange"
        assert str(facts["second_pid"]) in finding["summary"]
        assert str(facts["written_elsewhere"]) in finding["summary"]
        breaks = examination.finding("chain-breaks")
        assert breaks["status"] == ("orange" if malformed else "unknown")
        assert "second-server" in breaks["summary"] + str(breaks["cause"])


@pytest.mark.parametrize(("name", "server"), instances("read-by-hand"))
def test_who_reads_by_hand_is_no_second_server(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor("--select", "second-server,chain-breaks")
        assert examination.finding("second-server")["status"] == "green"
        assert examination.finding("chain-breaks")["observed"] == situation.truth.lost


@pytest.mark.parametrize(("name", "server"), instances("read-by-hand-under-a-writers-name"))
def test_a_name_alone_is_no_certain_server(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor("--select", "second-server,chain-breaks")
        finding = examination.finding("second-server")
        assert (finding["status"], finding["observed"]) == ("yellow", "perhaps two servers")
        (cause,) = examination.report["causes"]
        assert (cause["id"], cause["certain"]) == ("second-server", False)
        assert examination.finding("chain-breaks")["status"] == "unknown"


@pytest.mark.parametrize(("name", "server"), instances("two-live-servers-few"))
def test_trace_says_that_it_may_be_elsewhere(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        newest = list(situation.messages)[-1]
        (traced,) = situation.doctor("trace", newest, "--format", "json").report
        assert traced["state"] == "untraceable"
        assert "A second server reads, or may read, for the same group" in traced["advice"]


@pytest.mark.parametrize(("name", "server"), instances(*SINGLE))
def test_a_restart_is_no_second_server(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        assert situation.doctor("--select", "second-server").finding("second-server")["status"] == "green"


@pytest.mark.parametrize(("name", "server"), instances("restarted-and-lost"))
def test_after_a_restart_what_is_lost_is_lost(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        examination = situation.doctor("--select", "second-server,chain-breaks")
        assert examination.finding("second-server")["status"] == "green"
        assert examination.finding("chain-breaks")["observed"] == situation.truth.lost

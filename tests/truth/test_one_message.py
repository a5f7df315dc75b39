"""One message in hand: whose dead letter, what holds it up, and what is found without an ID."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.lookup.by_state import FINDABLE, MOST_IDS
from tests.parameters import one_quick
from tests.servers import SERVERS
from tests.truth.situation import Situation
from tests.truth.situations import SITUATIONS, instances


def _traced(situation: Situation, *words: str) -> list[Any]:
    examination = situation.doctor("trace", *words)
    traces: list[Any] = json.loads(examination.stdout)
    return traces


@pytest.mark.slow
@pytest.mark.parametrize(("name", "server"), instances("trace-a-dead-letter"))
def test_a_dead_letter_says_whose_it_is(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        facts = situation.truth.facts
        (trace,) = _traced(situation, facts["letter"])
        assert (trace["id"], trace["state"]) == (facts["letter"], "dead_lettered")
        assert f"{facts['letter']} is a dead letter in" in trace["advice"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "server"), instances("trace-what-is-held-up"))
def test_what_holds_a_message_up_is_named(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        facts = situation.truth.facts
        (trace,) = _traced(situation, facts["asked"])
        assert trace["state"] == "stuck"
        assert any(f"{one} holds it up" in trace["advice"] for one in facts["held_up_by"])


@pytest.mark.parametrize(("name", "server"), instances("lost-without-an-id"))
def test_lost_ones_are_found_without_an_id(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        traces = _traced(situation, "--state", "lost", "--since", "10m")
        assert [trace["id"] for trace in traces] == situation.truth.facts["lost"]
        assert {trace["state"] for trace in traces} == {"lost"}


AS_THE_LEDGER = (
    *("rows-pruned-few", "database-made-anew-and-used", "one-table-made-anew"),
    *("letters-dropped-one", "letters-dropped-and-lost", "consumer-deleted-beside-losses"),
    *("written-before-the-crash", "trace-written-and-row-gone"),
)
QUICK = ("rows-pruned-few", "letters-dropped-one")


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in AS_THE_LEDGER]
)
def test_each_message_is_told_as_the_ledger_counts_it(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        states = situation.doctor("--select", "chain").finding("chain-breaks")["evidence"]["states"]
        traces = _traced(situation, *situation.messages)
        counts = Counter(trace["state"] for trace in traces)
        for state, count in counts.items():
            assert states[state] == count, state
        assert sum(counts.values()) == len(situation.messages)


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_a_dropped_letter_is_a_reason_of_its_own(server: str, tmp_path: Path) -> None:
    with SITUATIONS["letters-dropped-one"].built(server, tmp_path / "p") as situation:
        traces = _traced(situation, *situation.messages)
        advice = [trace["advice"] for trace in traces if trace["state"] == "untraceable"]
        assert len(advice) == situation.truth.letters_dropped
        assert all("Dead letters of that time were dropped" in one for one in advice)


WITH_IDS = {
    "retry-storm": ("retry-storm",),
    "pending-in-two-groups": ("pending-messages", "stuck-consumers"),
    "server-killed-and-trimmed": ("queue-depth", "lost-before-delivery"),
    "crash-restart-quiet": ("orphaned-messages", "consumer-lag"),
    "written-before-the-crash": ("written-not-acknowledged",),
    "letters-dropped-one": ("dead-letters", "dead-letter-growth"),
    "consumer-deleted-one": ("chain-breaks",),
}


@pytest.mark.parametrize("name", one_quick(WITH_IDS))
def test_a_finding_that_counts_messages_names_some_and_how_to_follow_them(name: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built("redis-7.0", tmp_path / "p") as situation:
        examination = situation.doctor()
        for check in WITH_IDS[name]:
            commands = examination.finding(check)["remedy"]["commands"]
            (line,) = [command for command in commands if " trace " in command and "--state" not in command]
            ids = line.partition(" trace ")[2].split()
            for trace in _traced(situation, *ids):
                assert trace["state"] != "not_found", (check, trace)


@pytest.mark.server
@pytest.mark.slow
def test_each_state_can_be_asked_for_without_an_id(tmp_path: Path) -> None:
    """As many are found as the ledger counts, each of that state."""
    with SITUATIONS["consumer-deleted-beside-losses"].built("redis-7.0", tmp_path / "p") as situation:
        states = situation.doctor("--select", "chain").custody["states"]
        for state in FINDABLE:
            traces = _traced(situation, "--state", state, "--since", "10m")
            assert {trace["state"] for trace in traces} <= {state}
            assert len(traces) == min(states[state], MOST_IDS), state

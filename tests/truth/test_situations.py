"""Each situation is what it says: its truth is confirmed by direct look-ups, and the doctor looks without changing it.

Of what the doctor says of it the causes are judged here; all else is for the tests of each kind.
"""

from pathlib import Path

import pytest

from tests.truth.expected_causes import REMEMBERS, of_situation
from tests.truth.observe import observe
from tests.truth.situations import MAIN_INSTANCES, SITUATIONS, instances
from tests.truth.snapshot import snapshot
from tests.truth.sound_causes import assert_causes, assert_stakes

DOCUMENTED_EXIT_CODES = (0, 1, 3)
"""Of README's table, those of a run that examined something."""
QUICK = (
    "stream-gone-flushall",
    "no-persistence",
    "rows-pruned-few",
    "orphans-some-trimmed",
    "healthy",
    "just-installed",
    "server-dead",
    "orphans",
    "stuck-no-reason-found",
    "home-elsewhere",
)


def _parameters() -> list[object]:
    """The main instance of each builder on each of its servers, every other instance on one of them."""
    parameters: list[object] = []
    for name, entry in SITUATIONS.items():
        servers = entry.servers
        if MAIN_INSTANCES[entry.build] != name:
            servers = servers[:1]
        parameters += instances(name, quick=int(name in QUICK), servers=servers)
    return parameters


def _has_row(name: str, server: str) -> bool:
    """Whether the table of causes is made for this server: the situation's first, or the one that remembers losses."""
    entry = SITUATIONS[name]
    remembers = server == REMEMBERS and entry.section in "CE" and MAIN_INSTANCES[entry.build] == name
    return server == entry.servers[0] or remembers


@pytest.mark.parametrize(("name", "server"), _parameters())
def test_the_truth_is_confirmed_looking_changes_nothing_and_the_causes_are_exact(
    name: str, server: str, tmp_path: Path
) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        claimed = situation.truth
        url = claimed.facts.get("redis_url")
        before = snapshot(situation)
        if _has_row(name, server):
            # First of all, and without a process: what waits, waits longer with every second.
            first = situation.doctor(redis_url=url)
            assert_causes(first, of_situation(name, server))
            assert_stakes(first, claimed)
        assert claimed.claims(), "a situation claims something"
        assert observe(situation, claimed) == claimed.claims()
        # As a process: what a command writes, and what it ends with, is to be seen.
        examination = situation.doctor("--format", "json", redis_url=url)
        assert snapshot(situation) == before
        assert examination.exit_code in DOCUMENTED_EXIT_CODES, examination.stderr
        assert examination.report["exit_code"] == examination.exit_code
        assert examination.report["findings"]


def test_each_section_has_situations() -> None:
    sections = {entry.section for entry in SITUATIONS.values()}
    assert sections == set("ABCDEFN")


def test_each_situation_is_told_in_a_sentence() -> None:
    for entry in SITUATIONS.values():
        assert entry.sentence.endswith("."), entry.name
        assert "{" not in entry.sentence, entry.name

"""Each situation is what it says: its truth is confirmed by direct look-ups, and the doctor looks without changing it.

What the doctor says of it is not judged here: that is for the tests of each kind.
"""

from pathlib import Path

import pytest

from tests.truth.observe import observe
from tests.truth.situations import MAIN_INSTANCES, SITUATIONS, instances
from tests.truth.snapshot import snapshot

DOCUMENTED_EXIT_CODES = (0, 1, 3)
"""Of README's table, those of a run that examined something."""
QUICK = (
    "stream-gone-flushall",
    "no-persistence",
    "rows-pruned-few",
    "orphans-some-trimmed",
    "healthy",
    "just-installed",
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


@pytest.mark.parametrize(("name", "server"), _parameters())
def test_the_truth_is_confirmed_and_looking_changes_nothing(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        claimed = situation.truth
        assert claimed.claims(), "a situation claims something"
        assert observe(situation, claimed) == claimed.claims()
        before = snapshot(situation)
        # As a process: what a command writes, and what it ends with, is to be seen.
        examination = situation.doctor("--format", "json", redis_url=claimed.facts.get("redis_url"))
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

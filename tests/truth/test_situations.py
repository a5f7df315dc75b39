"""Each situation is what it says: its truth is confirmed by direct look-ups, and the doctor looks without changing it.

Of what the doctor says of it the causes are judged here; all else is for the tests of each kind.
"""

import os
from pathlib import Path

import pytest

from tests.truth.expected_causes import REMEMBERS, of_situation
from tests.truth.observe import observe
from tests.truth.situations import MAIN_INSTANCES, SITUATIONS, instances
from tests.truth.snapshot import snapshot
from tests.truth.sound_causes import assert_causes, assert_stakes

IS_WHOLE = os.environ.get("BLUEPLANE_TEST_PROFILE") == "long"
"""Every builder on every server, and every situation with a process of the command, take more than CI's time."""
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
    """Every situation on its first server; the main instance of each builder on its other servers too.

    Of the other servers there is time in CI for one, which is another with each builder, or the one that remembers.
    """
    parameters: list[object] = []
    for position, (name, entry) in enumerate(SITUATIONS.items()):
        first, *others = entry.servers
        if not _is_main(name):
            others = []
        elif not IS_WHOLE and others:
            others = [REMEMBERS if entry.section in "CE" else others[position % len(others)]]
        parameters += instances(name, quick=int(name in QUICK), servers=(first, *others))
    return parameters


def _is_main(name: str) -> bool:
    """Whether it is the instance that stands for all of its builder."""
    return MAIN_INSTANCES[SITUATIONS[name].build] == name


def _has_row(name: str, server: str) -> bool:
    """Whether the table of causes is made for this server: the situation's first, or the one that remembers losses."""
    entry = SITUATIONS[name]
    remembers = server == REMEMBERS and entry.section in "CE" and _is_main(name)
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
        if IS_WHOLE or _is_main(name):
            # As a process: what a command writes, and what it ends with, is to be seen.
            examination = situation.doctor("--format", "json", redis_url=url)
        else:
            examination = first
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

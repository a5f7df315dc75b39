"""Every remedy of a report, followed to the letter: nothing is lost by it, and nothing gets worse.

On every demo fault, and on every situation of the registry: a situation that joins it is followed as well.
"""

import shutil
from pathlib import Path

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from tests.servers import SERVERS
from tests.truth.following import follow
from tests.truth.situation import Situation
from tests.truth.situations import SITUATIONS, on_servers
from tests.truth.test_situations import MAIN_INSTANCES

pytestmark = pytest.mark.server

QUICK = (
    *("stuck-behind-a-duplicate", "retry-storm", "orphans-some-trimmed", "database-was-locked", "no-persistence"),
    *("consumer-deleted", "third-writer-group", "home-elsewhere", "database-files-read-only"),
)
"""Situations whose remedies are followed each time, on one server; all others are run with what is slow."""
QUICK_SERVER = SERVERS[-1]


def _situations() -> list[object]:
    parameters: list[object] = []
    for name, server in on_servers():
        marks = []
        entry = SITUATIONS[name]
        # Of each builder one instance is followed, on each server: the others have the same remedies.
        if MAIN_INSTANCES[entry.build] != name and name not in QUICK:
            continue
        if name not in QUICK or server != QUICK_SERVER or entry.slow:
            marks.append(pytest.mark.slow)
        parameters.append(pytest.param(name, server, id=f"{name}-{server}", marks=marks))
    return parameters


@pytest.mark.parametrize(("name", "server"), _situations())
def test_no_remedy_of_a_situation_does_harm(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        url = situation.truth.facts.get("redis_url")
        arguments = ["--redis-url", url] if url else []
        outcome = follow(situation, *arguments)
        assert outcome.harm == [], outcome.commands
        assert outcome.not_run == []


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_no_remedy_of_a_demo_fault_does_harm(name: str, server: str, tmp_path: Path) -> None:
    with Situation(server, tmp_path / "p") as situation:
        # The simulator makes its own home and groups.
        shutil.rmtree(situation.home)
        situation.client.flushall()
        with Pipeline(situation.redis.url, situation.home) as pipeline:
            FAULTS[name].apply(pipeline)
            outcome = follow(situation)
            assert outcome.harm == [], outcome.commands
            assert outcome.not_run == []

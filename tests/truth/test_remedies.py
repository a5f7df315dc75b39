"""Every remedy of a report, followed to the letter: nothing is lost by it, and nothing gets worse.

On every demo fault, and on every situation of the registry: a situation that joins it is followed as well.
"""

import shutil
from pathlib import Path

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from tests.truth.following import follow
from tests.truth.situation import Situation
from tests.truth.situations import MAIN_INSTANCES, SITUATIONS, instances

pytestmark = pytest.mark.server

BOTH_SERVERS = ("valkey-9.1", "redis-7.0")
QUICK = ("orphans-some-trimmed",)
"""Situations whose remedies are followed each time; all others are run with what is slow."""
MORE_INSTANCES = ("orphans-some-trimmed", "consumer-deleted")
"""Whose remedies differ from those of their builder's main instance."""


def _situations() -> list[object]:
    """Of each builder one instance, for the others have the same remedies.

    What Redis itself is told to do is followed on both servers. All else is the same on both, and the two take turns.
    """
    parameters: list[object] = []
    followed = [name for name, entry in SITUATIONS.items() if MAIN_INSTANCES[entry.build] == name]
    for position, name in enumerate(dict.fromkeys([*followed, *MORE_INSTANCES])):
        entry = SITUATIONS[name]
        servers = [server for server in entry.servers if server in BOTH_SERVERS]
        if entry.section != "B":
            servers = [servers[position % len(servers)]]
        parameters += instances(name, quick=int(name in QUICK), servers=tuple(servers))
    return parameters


@pytest.mark.parametrize(("name", "server"), _situations())
def test_no_remedy_of_a_situation_does_harm(name: str, server: str, tmp_path: Path) -> None:
    with SITUATIONS[name].built(server, tmp_path / "p") as situation:
        url = situation.truth.facts.get("redis_url")
        arguments = ["--redis-url", url] if url else []
        outcome = follow(situation, *arguments)
        assert outcome.harm == [], outcome.commands
        assert outcome.not_run == []


def _faults() -> list[object]:
    parameters: list[object] = []
    for position, name in enumerate(sorted(FAULTS)):
        server = BOTH_SERVERS[position % len(BOTH_SERVERS)]
        parameters.append(pytest.param(name, server, id=f"{name}-{server}", marks=pytest.mark.slow))
    return parameters


@pytest.mark.parametrize(("name", "server"), _faults())
def test_no_remedy_of_a_demo_fault_does_harm(name: str, server: str, tmp_path: Path) -> None:
    with Situation(server, tmp_path / "p") as situation:
        # The simulator makes its own home and groups.
        shutil.rmtree(situation.home)
        situation.client.flushall()
        with Pipeline(situation.redis.url, situation.home) as pipeline:
            FAULTS[name].apply(pipeline)
            outcome = follow(situation, applies_plans=True)
            assert outcome.harm == [], outcome.commands
            assert outcome.not_run == []

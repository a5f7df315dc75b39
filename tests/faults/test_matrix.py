"""The fault matrix: each fault with each command that it concerns, in processes of their own."""

import os

import pytest

from tests.faults import right
from tests.faults.commands import COMMANDS, run
from tests.faults.every_fault import FAULTS, every_trial, share
from tests.faults.results import record

IS_WHOLE = os.environ.get("BLUEPLANE_TEST_PROFILE") == "long"
"""Every command on every fault takes more than CI's time."""

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.mark.parametrize(("fault", "command", "server"), every_trial() if IS_WHOLE else share())
def test_right(fault: str, command: str, server: str) -> None:
    it = FAULTS[fault]
    chosen = COMMANDS[command]
    with it.staged(server) as stage:
        before = right.held(stage)
        ended = run(chosen, stage)
        after = right.held(stage)
    found = right.misses(it, chosen, ended, before, after)
    record(fault, it.section, command, found, late=ended.seconds > right.limit(chosen))
    assert not found, "\n".join(found)

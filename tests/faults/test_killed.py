"""Commands killed at a hundred random moments: what is examined stays as it was, and the next run is right."""

import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults import right
from tests.faults.commands import COMMANDS, Run, run
from tests.faults.registry import Fault
from tests.faults.results import record
from tests.faults.stage import stage
from tests.faults.surroundings import KILLED

TIMES = 20
LATEST_SECONDS = 0.8
NAME = "killed-at-20-moments"

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.mark.parametrize("command", KILLED)
def test_killed_at_random_moments(command: str) -> None:
    chosen = COMMANDS[command]
    moments = random.Random(command)
    found: list[str] = []
    with stage() as it:
        before = right.held(it)
        for _ in range(TIMES):
            it.meanwhile = _kill_after(moments.uniform(0, LATEST_SECONDS))
            ended = run(chosen, it)
            found += [f"left: {what}" for what in ended.left if what.startswith("process")]
            _remove_what_the_killed_left(ended, it.scratch)
        it.meanwhile = None
        ended = run(chosen, it)
        after = right.held(it)
    found += right.misses(_FAULT, chosen, ended, before, after)
    record(NAME, "surroundings", command, found)
    assert not found, "\n".join(found)


_FAULT = Fault(NAME, "surroundings", lambda _: pytest.fail("applied run by run"), KILLED)


def _kill_after(seconds: float) -> Callable[[int], None]:
    def kill(pid: int) -> None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)  # nobody has waited for it yet, so that its id cannot be another's

    return kill


def _remove_what_the_killed_left(ended: Run, folder: "os.PathLike[str]") -> None:
    """Nobody can clean up after SIGKILL: a temporary file of it says nothing of the last run."""
    for what in ended.left:
        if what.startswith("file "):
            os.unlink(os.path.join(folder, what.removeprefix("file ")))

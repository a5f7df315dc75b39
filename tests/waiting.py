"""Waiting for what has to come: as long as a busy machine may need, and no longer."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60.0
"""After which a busy machine has no excuse any more: for each wait whose length is not itself what is tested."""


def wait_until(condition: Callable[[], object], message: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Ask again and again until it is so; fails with the message when it takes longer."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{message} within {seconds:g} s"
        time.sleep(0.02)

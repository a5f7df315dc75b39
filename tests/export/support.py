"""Programs of Prometheus' own, without which a test is skipped, but in CI fails."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


def require_program(name: str) -> str:
    """Its path."""
    found = shutil.which(name)
    if found is None:
        reason = f"needs {name}: apt install prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def promtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run it."""
    command: Sequence[str | Path] = [require_program("promtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

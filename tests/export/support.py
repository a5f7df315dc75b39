"""Programs of Prometheus' own, without which a test is skipped, but in CI fails."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers import absent


def require_program(name: str) -> str:
    """Its path."""
    found = shutil.which(name)
    if found is None:
        absent(f"needs {name}: apt install prometheus")
    return found


def promtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run it."""
    command: Sequence[str | Path] = [require_program("promtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

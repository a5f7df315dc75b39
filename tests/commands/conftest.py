"""What the tests of several commands share."""

import os
from pathlib import Path

import pytest

from tests.installing.conftest import make_programs


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's empty home, with the programs that a wheel installs on the search path."""
    programs = make_programs(tmp_path / "bin")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home

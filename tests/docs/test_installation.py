"""docs/INSTALLATION.md names every step, option and extra that there is."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from blueplane_doctor.commands.install import STEPS
from blueplane_doctor.settings.options import OPTIONS
from tests.parameters import one_quick
from tests.preloaded import preloaded_doctor

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "INSTALLATION.md").read_text(encoding="utf-8")


def test_every_step_has_a_row() -> None:
    assert re.findall(r"^\| `(\w+)` \|.*\|.*\|$", DOCUMENT.partition("## `install`")[2], re.MULTILINE) == list(STEPS)


@pytest.mark.parametrize("command", one_quick(["install", "uninstall", "probe"]))
def test_every_option_is_named(command: str) -> None:
    told = subprocess.run([*preloaded_doctor(), command, "--help"], capture_output=True, text=True, check=True)
    options = set(re.findall(r"--[a-z-]+", told.stdout)) - {"--help"}
    assert options
    shared = {option.flag for option in OPTIONS.values()}
    for option in options:
        assert option in DOCUMENT or option in shared, option  # shared ones stand in docs/OPTIONS.md


def test_every_extra_that_users_want_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in set(project["optional-dependencies"]) - {"test", "dev"}:
        assert f"| `{extra}` |" in DOCUMENT

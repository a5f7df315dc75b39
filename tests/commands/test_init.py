"""The folder of commands is their list, and a command's help is read without importing it."""

import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor import commands
from blueplane_doctor.commands import command_names, load_command, summary_of

FOLDER = Path(commands.__file__).parent


def test_every_file_is_a_command_but_what_commands_share() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "base", "letter_options"}
    assert command_names() == sorted(files)


@pytest.mark.parametrize("name", command_names())
def test_a_command_is_loaded_by_its_name_and_has_its_summary(name: str) -> None:
    loaded = load_command(name)
    summary = summary_of(name)
    assert summary.endswith(".") or ":" in summary
    assert "\n" not in summary
    assert " ".join((loaded.help or "").split()).startswith(summary)


def test_a_summary_imports_nothing_of_the_command() -> None:
    program = (
        "import sys\n"
        "from blueplane_doctor.commands import command_names, summary_of\n"
        "assert all(summary_of(name) for name in command_names())\n"
        "print([name for name in sys.modules if name.startswith('blueplane_doctor.commands.')])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")


def test_without_source_the_summary_comes_from_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a stand-alone executable."""
    expected = summary_of("trace")
    monkeypatch.setattr(commands, "_source_of", lambda module: "")
    assert summary_of("trace") == expected

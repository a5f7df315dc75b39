"""The entry points: the program, `python -m`, and the commands of `blueplane`."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from blueplane_doctor import __version__
from tests.doctor_command import DOCTOR
from tests.parameters import one_quick


@pytest.mark.parametrize("name", one_quick(["install", "uninstall"]))
def test_the_commands_of_blueplane_read_their_own_arguments(name: str) -> None:
    code = f"from blueplane_doctor.__main__ import {name}; {name}()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--only", "hooks", "--dry-run"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ("hooks: " in done.stdout) is (name == "install")


def test_python_m_is_the_program() -> None:
    code = (
        "import sys; sys.argv = ['blueplane-doctor', '--version']; from blueplane_doctor.__main__ import main; main()"
    )
    by_name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    by_module = subprocess.run([*DOCTOR, "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert by_name.stdout == by_module.stdout == f"blueplane-doctor {__version__}\n"
    assert (by_name.returncode, by_module.returncode) == (0, 0)


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("console_scripts", "blueplane-doctor"),
        ("console_scripts", "blueplane"),
        ("console_scripts", "blueplane-hook"),
        ("blueplane.commands", "doctor"),
        ("blueplane.commands", "install"),
        ("blueplane.commands", "uninstall"),
    ],
)
def test_every_entry_point_can_be_loaded_and_says_what_it_does(group: str, name: str) -> None:
    (entry,) = entry_points(group=group, name=name)
    function = entry.load()
    assert callable(function)
    assert function.__doc__, "blueplane shows it as the command's help"

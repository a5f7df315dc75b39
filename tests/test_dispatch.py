"""`blueplane COMMAND …` hands over to whichever package registered the command."""

import subprocess
import sys
from importlib.metadata import distribution

import pytest

from blueplane_doctor import __version__
from blueplane_doctor.errors import ExitCode

RUN = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'blueplane'; from blueplane_doctor.dispatch import main; main()",
]


def blueplane(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_doctor_is_a_command() -> None:
    ended = blueplane("doctor", "--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"blueplane-doctor {__version__}\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["install", "uninstall"])
def test_what_installs_is_a_command_of_blueplane_and_no_program_of_its_own(name: str) -> None:
    ended = blueplane(name, "--help")
    assert ended.returncode == 0 and "--dry-run" in ended.stdout
    # A program called `install` would stand before the system's own wherever this environment is active.
    assert name not in {
        entry.name for entry in distribution("blueplane-doctor").entry_points.select(group="console_scripts")
    }


def test_exit_codes_pass_through() -> None:
    assert blueplane("doctor", "--format", "nosuch").returncode == 2


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)], ids=["nothing", "help", "h"])
def test_help_lists_the_commands(arguments: tuple[str, ...]) -> None:
    ended = blueplane(*arguments)
    assert ended.returncode == 0
    assert "usage: blueplane COMMAND" in ended.stdout
    assert "  doctor       Tell the truth about a Blueplane telemetry pipeline.\n" in ended.stdout
    assert "  install      Install hooks, services and what is missing" in ended.stdout
    assert "  uninstall    Undo what install did" in ended.stdout


@pytest.mark.parametrize(
    ("word", "hint"),
    [("doctr", "did you mean doctor?"), ("nosuch", "commands: doctor, install, uninstall")],
    ids=["typo", "nosuch"],
)
def test_an_unknown_command(word: str, hint: str) -> None:
    ended = blueplane(word)
    assert ended.returncode == ExitCode.USAGE
    assert ended.stdout == ""
    assert ended.stderr == f"blueplane: there is no command {word!r}\n  try: {hint}\n"

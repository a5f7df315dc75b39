"""`completion`: the scripts propose commands, options, formats, colours, ids of checks and files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from blueplane_doctor.command_line.completion import SHELLS
from blueplane_doctor.commands import command_names
from blueplane_doctor.commands.completion import completed_commands
from blueplane_doctor.plugins.discovery import find_checks, find_formats
from blueplane_doctor.settings.options import OPTIONS
from blueplane_doctor.settings.values import Settings
from tests.waiting import PATIENCE_SECONDS

PROPOSE = """\
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_blueplane_doctor
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The script of each shell, in a file."""
    folder = tmp_path_factory.mktemp("completion")
    commands = completed_commands(Settings(home=folder))
    paths = {}
    for shell, render in SHELLS.items():
        paths[shell] = folder / f"script.{shell}"
        paths[shell].write_text(render(commands), encoding="utf-8")
    return paths


def proposed(scripts: dict[str, Path], *words: str) -> list[str]:
    """What bash proposes for the last of these words after the program's name."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not there")
    command = [bash, "--norc", "-c", PROPOSE, "bash", str(scripts["bash"]), "blueplane-doctor", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert ended.stderr == ""
    return [line for line in ended.stdout.splitlines() if line]


def test_commands_and_options_of_the_program(scripts: dict[str, Path]) -> None:
    everything = proposed(scripts, "")
    assert set(command_names()) <= set(everything)
    assert {option.flag for option in OPTIONS.values()} <= set(everything)
    assert proposed(scripts, "tra") == ["trace"]
    assert proposed(scripts, "--red") == ["--redis-url"]


@pytest.mark.parametrize(
    ("words", "proposals"),
    [
        pytest.param(["trace", "--form"], ["--format"], id="option of a command"),
        pytest.param(["trace", "--wai"], [], id="an option that it does not take"),
        pytest.param(["trace", "--format", ""], ["table", "json"], id="formats of a command"),
        pytest.param(["history", "-f", "c"], ["csv"], id="short option"),
        pytest.param(["--fail-on", "ne"], ["never", "new:yellow", "new:orange", "new:red"], id="colours"),
        pytest.param(["checks", "queue-d"], ["queue-depth"], id="id of a check"),
        pytest.param(["--select", "wal-s"], ["wal-size"], id="id of a check after an option"),
        pytest.param(["--home", "/x", "dlq", "sta"], ["stats"], id="a group, after an option and its value"),
        pytest.param(["dlq", "list", "--newer"], ["--newer-than"], id="command of a group"),
        pytest.param(["schema", "s"], ["settings"], id="argument"),
        pytest.param(["completion", "z"], ["zsh"], id="shell"),
        pytest.param(["--select", "trace", "che"], ["checks"], id="a value that is called as a command"),
        pytest.param(["trace", "--redis-url", ""], [], id="a value that nobody can propose"),
    ],
)
def test_what_bash_proposes(words: list[str], proposals: list[str], scripts: dict[str, Path]) -> None:
    assert sorted(proposed(scripts, *words)) == sorted(proposals)


def test_formats_of_the_report(scripts: dict[str, Path]) -> None:
    assert sorted(proposed(scripts, "--format", "")) == sorted(find_formats())


def test_files_after_an_option_that_takes_one(scripts: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "kept.json").touch()
    assert proposed(scripts, "--baseline", f"{tmp_path}/ke") == [f"{tmp_path}/kept.json"]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_knows_every_check_and_command(shell: str, scripts: dict[str, Path]) -> None:
    text = scripts[shell].read_text(encoding="utf-8")
    for name in (*command_names(), *(spec.id for spec in find_checks().checks)):
        assert name in text


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_can_read_its_script(shell: str, scripts: dict[str, Path]) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not there")
    check = "--no-execute" if shell == "fish" else "-n"
    ended = subprocess.run(
        [program, check, str(scripts[shell])], capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert (ended.returncode, ended.stderr) == (0, "")

"""`completion`: prints a script, and knows what every command takes."""

import subprocess
import sys
from pathlib import Path

from blueplane_doctor.commands import command_names
from blueplane_doctor.commands.completion import completed_commands
from blueplane_doctor.settings.values import Settings
from tests.doctor_command import assert_refused, doctor
from tests.pytest_plugin.support import OWN_CHECK


def test_the_command_prints_the_script_for_a_shell() -> None:
    command = [sys.executable, "-m", "blueplane_doctor", "completion", "bash"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("complete -o default -F _blueplane_doctor blueplane-doctor\n")


def test_a_shell_that_there_is_no_script_for_is_refused() -> None:
    assert_refused(doctor("completion", "powershell"), 2, "powershell")


def test_ids_of_the_users_own_checks_are_proposed(tmp_path: Path) -> None:
    own = tmp_path / "check_own.py"
    own.write_text(OWN_CHECK)
    own.chmod(0o644)
    settings = Settings(home=tmp_path, checks=[own])
    commands = completed_commands(settings)
    assert "own-groups" in commands["checks"].words
    assert "queue-depth" in commands["checks"].words
    select = next(flag for flag in commands[""].flags if "--select" in flag.names)
    assert {"own-groups", "mine"} <= set(select.words), "ids and areas"


def test_every_command_has_its_help_and_its_own_options() -> None:
    commands = completed_commands(Settings())
    assert set(command_names()) <= set(commands)
    assert all(command.help for name, command in commands.items() if name)
    flags = {name for flag in commands["dlq list"].flags for name in flag.names}
    assert {"--page", "--newer-than", "--redis-url", "--help"} <= flags
    assert "--wait" not in flags

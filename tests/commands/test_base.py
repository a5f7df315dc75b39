"""Shared options: before and after a command, given twice, from variables, and refused where they mean nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from blueplane_doctor.cli import app
from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands import command_names, load_command
from blueplane_doctor.commands.base import command, group, new_command
from blueplane_doctor.settings.options import OPTIONS, Options, Values
from tests.parameters import one_quick

_ROOM_FOR_HELP = 64
"""Characters for what a command does, on a terminal of 80 columns."""
NOBODY = "redis://127.0.0.1:1/0"


def run(*words: object, **variables: str) -> Any:
    """The command line in this process."""
    return CliRunner().invoke(app, [str(word) for word in words], env=variables)


def setting(name: str, *words: object, **variables: str) -> Any:
    """A value of `settings -f json`, called with these words, and where it is from."""
    ended = run(*words, "-f", "json", **variables)
    assert ended.exit_code == 0, ended.stderr
    return json.loads(ended.stdout)[name]


def every_command() -> list[tuple[str, Any]]:
    """All commands by their path, those of groups too."""
    found = []
    for name in command_names():
        loaded = load_command(name)
        parts = getattr(loaded, "commands", None)
        if parts is None:
            found.append((name, loaded))
        else:
            found += [(f"{name} {part}", below) for part, below in parts.items()]
    return found


COMMANDS = [pytest.param(path, loaded, id=path) for path, loaded in every_command()]


def test_the_line_of_a_command_in_the_help_of_its_group_is_whole() -> None:
    """The help of all shows each command's text whole."""
    in_groups = {path: loaded for path, loaded in every_command() if " " in path}
    assert "dlq stats" in in_groups
    for path, loaded in in_groups.items():
        assert not loaded.get_short_help_str(limit=_ROOM_FOR_HELP).endswith("..."), path


def test_an_option_may_stand_before_and_after_the_command() -> None:
    expected = {"value": NOBODY, "from": "flag"}
    assert setting("redis_url", "--redis-url", NOBODY, "settings") == expected
    assert setting("redis_url", "settings", "--redis-url", NOBODY) == expected


def test_of_a_value_given_twice_the_later_counts() -> None:
    assert setting("timeout", "--timeout", 5, "settings", "--timeout", 7)["value"] == 7


def test_lists_given_twice_add_up() -> None:
    words = ["--select", "queue", "settings", "--select", "chain", "--select", "database"]
    assert setting("select", *words)["value"] == ["queue", "chain", "database"]


def test_a_switch_is_turned_off_again_by_the_later_one() -> None:
    assert setting("strict", "--strict", "settings")["value"] is True
    assert setting("strict", "--strict", "settings", "--no-strict")["value"] is False


def test_the_format_may_stand_before_the_command(tmp_path: Path) -> None:
    before = run("-f", "json", "--home", tmp_path, "checks")
    after = run("checks", "--home", tmp_path, "--format", "json")
    assert before.stdout == after.stdout
    assert {check["id"] for check in json.loads(after.stdout)} >= {"queue-depth", "wal-size"}


@pytest.mark.parametrize("words", [["--redis-url", NOBODY, "dlq", "list"], ["dlq", "--redis-url", NOBODY, "list"]])
def test_a_group_takes_options_between_its_name_and_the_command(words: list[str], tmp_path: Path) -> None:
    ended = run("--home", tmp_path, *words)
    assert ended.exit_code == 3
    assert "127.0.0.1:1 cannot be reached" in ended.stderr


VALUES = {
    Values.TEXT: "1",
    Values.FILE: "x.json",
    Values.FOLDER: "x",
    Values.CHECK: "queue-depth",
    Values.FORMAT: "json",
    Values.COLOUR: "red",
}


@pytest.mark.parametrize(("path", "loaded"), one_quick(COMMANDS))
def test_an_option_that_a_command_does_not_take_is_refused_by_name(path: str, loaded: Any) -> None:
    takes = {parameter.name for parameter in loaded.params}
    for option in OPTIONS.values():
        if option.name in takes:
            continue
        given = [option.flag]
        if option.metavar:
            given.append(VALUES[option.values])
        before = run(*given, *path.split(), *_arguments(loaded))
        assert before.exit_code == 2, option.name
        assert f"{path} does not take {option.flag}" in before.stderr
        assert before.stdout == ""
        if path != "instrument":  # what it does not know is the other command's
            after = run(*path.split(), *given, *_arguments(loaded))
            assert after.exit_code == 2, option.name
            assert option.flag in after.stderr


def _arguments(loaded: Any) -> list[str]:
    required = [parameter for parameter in loaded.params if parameter.required]
    return ["bash" if parameter.name == "shell" else "1" for parameter in required]


@pytest.mark.parametrize(("path", "loaded"), COMMANDS)
def test_options_of_a_command_alone_have_names_of_their_own(path: str, loaded: Any) -> None:
    shared = {name for option in OPTIONS.values() for name in (option.flag, option.short) if name}
    for parameter in loaded.params:
        if parameter.param_type_name == "option" and parameter.name not in OPTIONS:
            assert not shared & {*parameter.opts, *parameter.secondary_opts}, path


def test_several_refused_options_are_all_named() -> None:
    ended = run("--from-evidence", "F", "-o", "x.html", "trace", "1-0")
    assert ended.exit_code == 2
    assert "trace does not take --output, --from-evidence" in ended.stderr


def test_a_format_that_a_command_does_not_have_is_refused() -> None:
    ended = run("-f", "html", "dlq", "stats")
    assert ended.exit_code == 2
    assert "--format html: dlq stats has no such format" in ended.stderr
    assert "one of table, json" in ended.stderr


def test_a_variable_that_means_nothing_to_a_command_is_ignored(tmp_path: Path) -> None:
    variables = {
        "BLUEPLANE_DOCTOR_OUTPUT": str(tmp_path / "x.html"),
        "BLUEPLANE_DOCTOR_FORMAT": "nagios",
        "BLUEPLANE_DOCTOR_WAIT": "60s",
    }
    ended = run("checks", "--home", tmp_path, **variables)
    assert ended.exit_code == 0, ended.stderr
    assert "queue-depth" in ended.stdout


def test_the_variable_of_the_settings_file_holds_for_commands(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("timeout: 9\n")
    assert setting("timeout", "settings", BLUEPLANE_DOCTOR_SETTINGS=str(file))["value"] == 9


def test_an_option_comes_before_its_variable(tmp_path: Path) -> None:
    variables = {"BLUEPLANE_DOCTOR_REDIS_URL": "redis://variable:1/0"}
    assert setting("redis_url", "settings", "--redis-url", NOBODY, **variables)["value"] == NOBODY


@pytest.mark.parametrize("name", one_quick(command_names()))
def test_only_the_named_command_is_imported(name: str) -> None:
    program = (
        "import sys\n"
        "from blueplane_doctor.cli import app\n"
        "from blueplane_doctor.commands import command_names\n"
        "try:\n    app(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "loaded = [n for n in command_names() if f'blueplane_doctor.commands.{n}' in sys.modules]\n"
        "print(*loaded, file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, name, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    expected = {"uninstall": ["install", "uninstall"]}  # which undoes the steps that install knows
    assert ended.stderr.split() == expected.get(name, [name])
    assert ended.stdout.startswith("Usage: ")


def test_a_function_gets_its_own_and_the_shared_options() -> None:
    seen: list[tuple[Invocation, str, int]] = []
    commands = group(new_command("A group."))

    @command(commands, "home", name="one", formats=("csv", "json"))
    def one(given: Invocation, word: str, count: int = 3) -> int:
        """Do one thing."""
        seen.append((given, word, count))
        return 7

    @command(commands, name="two")
    def two(given: Invocation) -> None:
        """Do another thing."""

    loaded = typer.main.get_command(commands)
    ended = CliRunner().invoke(commands, ["one", "--home", "/x", "w", "--count", "4"])
    assert ended.exit_code == 7
    assert seen == [(Invocation(Options(home=Path("/x")), "csv"), "w", 4)]
    assert [part.help for part in loaded.commands.values()] == ["Do one thing.", "Do another thing."]  # type: ignore[attr-defined]


NO_TEXT = "a\udcff"
"""An argument whose bytes are no UTF-8, as Python hands it over."""


@pytest.mark.parametrize(
    "words",
    [
        ["trace", NO_TEXT],
        ["trace", "--state", NO_TEXT],
        ["trace", "good", NO_TEXT, "--format", "json"],
        ["dlq", "show", NO_TEXT],
        ["dlq", "list", "--error", NO_TEXT],
        ["history", NO_TEXT],
        ["checks", NO_TEXT],
        ["install", "--only", NO_TEXT],
        ["--select", NO_TEXT],
        ["--redis-url", f"redis://{NO_TEXT}/0"],
        ["--redis-url", f"unix:///run/{NO_TEXT}"],
        ["record", "--once", "--history-url", f"redis://{NO_TEXT}/0"],
    ],
    ids=lambda words: " ".join(words).replace(NO_TEXT, "X"),
)
def test_an_argument_that_is_no_text_is_refused(words: list[str], tmp_path: Path) -> None:
    ended = run(*words, BLUEPLANE_DOCTOR_HOME=str(tmp_path), BLUEPLANE_DOCTOR_REDIS_URL=NOBODY)
    assert ended.exit_code == 2, ended.output
    assert "is no text" in ended.stderr or NO_TEXT in repr(ended.stderr) or "�" in ended.stderr


def test_the_arguments_of_another_program_may_be_any_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over: list[str] = []
    module = "blueplane_doctor.commands.instrument"
    monkeypatch.setattr(f"{module}.launch", lambda arguments, environment: handed_over.extend(arguments))
    ended = run("instrument", "--", "cat", NO_TEXT, BLUEPLANE_DOCTOR_HOME=str(tmp_path))
    assert ended.exit_code == 0, ended.output
    assert handed_over == ["cat", NO_TEXT]

"""Arguments that are read without typer mean what they mean to typer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blueplane_doctor import cli
from blueplane_doctor.plain_run import plain_options
from blueplane_doctor.settings.options import OPTIONS, Options

PLAIN = [
    [],
    ["-v", "--verbose"],
    ["--quiet", "--strict", "--no-strict"],
    ["--redis-url", "redis://h:1/0", "--redis-url=redis://h:2/0"],
    ["--select", "queue", "--select=chain", "--ignore", "a,b"],
    ["--checks", "one", "--checks=two", "--home", "some where"],
    ["-f", "json", "-o", "a.json", "-o", "b.html"],
    ["--timeout", "2.5", "--since=7d", "--notify", "json://h"],
    ["--wait", "5s", "--every=1s", "--fail-on", "new:red", "--reveal", "-q"],
    ["--save-evidence", "e", "--baseline=b.json", "--waivers", "w", "--settings=s"],
    ["--database=", "--format", "", "--history-url=", "--monitors=m", "--from-evidence", "e"],
]


@pytest.mark.parametrize("arguments", PLAIN, ids=" ".join)
def test_typer_reads_the_same(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Options] = []

    def keep(given: cli.Given) -> None:
        read.append(Options(**{**given.environment.given(), **given.typed.given()}))

    monkeypatch.setattr(cli, "_examine", keep)
    ended = CliRunner().invoke(cli.app, arguments)
    assert ended.exit_code == 0, ended.output
    assert [plain_options(arguments, {})] == read


def test_every_option_is_among_them() -> None:
    words = {word.partition("=")[0] for arguments in PLAIN for word in arguments}
    assert [option.flag for option in OPTIONS.values() if not {option.flag, option.short} & words] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        ["--version"],
        ["watch"],
        ["-v", "watch"],
        ["-vq"],
        ["-fjson"],
        ["-f=json"],
        ["--quiet=1"],
        ["--redis-url"],
        ["--select", "--ignore"],
        ["--timeout", "soon"],
        ["--no-quiet"],
        ["--redis"],
        ["--", "-v"],
        [""],
    ],
    ids=" ".join,
)
def test_all_else_is_left_to_typer(arguments: list[str]) -> None:
    assert plain_options(arguments, {}) is None


def test_variables_of_the_command_line_are_left_to_typer() -> None:
    assert plain_options([], {"BLUEPLANE_DOCTOR_FORMAT": "json"}) is None
    assert plain_options([], {"BLUEPLANE_DOCTOR_FORMAT": "", "BLUEPLANE_DOCTOR_REDIS_URL": "redis://h"}) == Options()


def test_the_program_itself_ends_with_the_exit_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "blueplane_doctor", "--home", str(tmp_path), "-f", "json", "--timeout", "5"]
    ended = subprocess.run(
        [*command, "--redis-url", "redis://127.0.0.1:1/0"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == json.loads(ended.stdout)["exit_code"] == 1
    assert ended.stderr == ""

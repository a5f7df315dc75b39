"""`settings --init` writes doctor.yaml and its schema; `settings -f json` shows the same as the table."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blueplane_doctor.cli import app
from blueplane_doctor.commands.settings import SCHEMA_FILE
from blueplane_doctor.settings.view import settings_schema


def test_init_writes_the_schema_that_the_file_names(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["settings", "--init", "--home", str(tmp_path)])
    assert (ended.exit_code, ended.stdout) == (0, f"{tmp_path / 'doctor.yaml'}\n")
    first, *_ = (tmp_path / "doctor.yaml").read_text().splitlines()
    assert first == f"# yaml-language-server: $schema={SCHEMA_FILE}"
    assert json.loads((tmp_path / SCHEMA_FILE).read_text()) == settings_schema()


def test_json_masks_secrets(tmp_path: Path) -> None:
    words = ["--home", str(tmp_path), "settings", "--redis-url", "redis://:hunter2@h:1/0", "-f", "json"]
    ended = CliRunner().invoke(app, words)
    shown = json.loads(ended.stdout)
    assert shown["redis_url"] == {"value": "redis://:***@h:1/0", "from": "flag"}
    assert shown["timeout"] == {"value": 30, "from": "default"}


@pytest.mark.parametrize("words", [["--init"], []])
def test_a_settings_file_given_after_the_command_is_meant(words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    if not words:
        file.write_text("timeout: 9\n")
    ended = CliRunner().invoke(app, ["settings", "--settings", str(file), *words])
    assert ended.exit_code == 0, ended.stderr
    assert file.is_file()

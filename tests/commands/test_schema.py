"""`schema`: a JSON Schema of the report and one of doctor.yaml."""

import json
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from blueplane_doctor.cli import app
from blueplane_doctor.commands.settings import commented_defaults
from blueplane_doctor.settings.view import settings_schema
from tests.json_schemas import validator


def shown(*words: str) -> Any:
    """What `schema` with these words prints."""
    ended = CliRunner().invoke(app, ["schema", *words])
    assert ended.exit_code == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_report_is_the_default() -> None:
    assert shown() == shown("report")
    assert shown()["title"] == "Report"


def test_the_settings_have_one_too() -> None:
    schema = shown("settings")
    assert schema == settings_schema()
    validator(schema)
    assert schema["properties"]["timeout"]["description"] == "Seconds that the whole run may take."
    assert "home" not in schema["properties"], "it cannot be set in a file that is found through it"


def test_another_subject_is_refused() -> None:
    assert CliRunner().invoke(app, ["schema", "evidence"]).exit_code == 2


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("timeout: 5\nfail_on: new:red\nselect: queue chain\n", True),
        ("fail_on: never\nselect: [queue]\nthresholds: {queue-depth: {yellow: null, red: 5}}\n", True),
        ("streams: {queue: events}\nwaivers: [{id: a, reason: b, owner: c, expires: '2027-01-01'}]\n", True),
        ("notify: ntfy://a/b\nheartbeat_url: https://h/x\n", True),
        ("notify: [ntfy://a/b, {url: ntfy://a/b, from: red, remind: never, quiet: '22:00-07:00'}]\n", True),
        ("notify: [{command: [tell, me]}]\n", True),
        ("notify: [{url: ntfy://a/b, from: blue}]\n", False),
        ("timeot: 5\n", False),
        ("fail_on: purple\n", False),
        ("timeout: 0\n", False),
        ("streams: {queu: events}\n", False),
    ],
)
def test_what_fits_the_schema_of_the_settings(text: str, valid: bool) -> None:
    assert validator(settings_schema()).is_valid(yaml.safe_load(text)) is valid


def test_the_commented_defaults_fit_it_when_they_are_taken_in() -> None:
    # "# " begins a comment, and "#  " an indented setting.
    kept = [line for line in commented_defaults().splitlines() if line[:2] != "# " or line[:3] == "#  "]
    lines = [line.removeprefix("#") for line in kept]
    content = yaml.safe_load("\n".join(lines))
    assert content["timeout"] == 30
    validator(settings_schema()).validate(json.loads(json.dumps(content, default=str)))

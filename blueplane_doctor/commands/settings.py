"""Show the settings in force and where each came from; --init writes a file with every default."""

import json
import os
from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import UsageError
from blueplane_doctor.model import descriptions_of
from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.process.light_imports import yaml
from blueplane_doctor.settings.files import DOCTOR_FILE
from blueplane_doctor.settings.options import EXAMINING, VERDICT
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.settings.view import flat, masked, settings_schema, without_secrets
from blueplane_doctor.text.console import show, show_json, show_table, write_file

COMMAND = new_command(__doc__)
SCHEMA_FILE = "doctor.schema.json"
"""Beside doctor.yaml, which names it: editors complete and check settings by it."""


@command(COMMAND, *EXAMINING, *VERDICT, formats=("table", "json"))
def settings(
    given: Invocation,
    init: Annotated[
        bool, typer.Option("--init", help="Write doctor.yaml with every default, commented out, and its schema.")
    ] = False,
) -> None:
    """Passwords are shown as ***."""
    if init:
        _init(given)
        return
    loaded = given.load()
    values = flat(loaded.settings.model_dump())
    if given.format == "json":
        document = {}
        for name, value in values:
            origin = loaded.origins.get(name, "default")
            document[name] = {"value": without_secrets(value), "from": origin}
        show_json(document)
        return
    rows = []
    for name, value in values:
        origin = loaded.origins.get(name, "default")
        rows.append([name, masked(without_secrets(value)), origin])
    show_table(rows, ["setting", "value", "from"])


def _init(given: Invocation) -> None:
    path = given.options.settings or given.home / DOCTOR_FILE
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already; it is left as it is", "name another with --settings FILE")
    if not os.path.isdir(path.parent):
        raise UsageError(f"{path.parent} does not exist", "name another place with --settings FILE")
    write_file(path.parent / SCHEMA_FILE, _schema_text())
    write_file(path, commented_defaults())
    show(f"{path}\n")


def _schema_text() -> str:
    """The JSON Schema of doctor.yaml, as `schema settings` prints it."""
    return json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"


def commented_defaults() -> str:
    """A settings file in which everything is a comment: each setting's meaning and default, and every scale."""
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        "# Settings of blueplane-doctor. Take the # away from what you want to change.",
        "",
    ]
    meanings = descriptions_of(Settings)
    for name, default in Settings().model_dump(exclude={"home", "thresholds"}).items():
        text = yaml.safe_dump({name: default}, default_flow_style=False, allow_unicode=True, sort_keys=False)
        lines.append(f"# {meanings.get(name, name)}")
        for line in text.splitlines():
            lines.append(f"#{line}")
        lines.append("")
    lines += ["# Numbers of the checks; null takes a level away. See: blueplane-doctor checks ID", "#thresholds:"]
    for spec in sorted(find_checks().checks, key=lambda spec: spec.id):
        if spec.scale and spec.scale.bounds:
            lines.append(f"#  {spec.id}: {spec.scale.as_yaml()}  # {spec.scale.unit}, {spec.scale.direction}")
    return "\n".join(lines) + "\n"

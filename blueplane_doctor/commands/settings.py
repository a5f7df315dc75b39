"""`settings`: what is in force and where it came from; `--init` writes a commented file with every default."""

from typing import Annotated

import typer

from blueplane_doctor.commands.base import command, invocation, show, show_table, write_file
from blueplane_doctor.errors import UsageError


@command("settings", "Show the settings in force and where each came from.")
def settings(
    context: typer.Context,
    init: Annotated[bool, typer.Option("--init", help="Write doctor.yaml with every default, commented out.")] = False,
) -> None:
    from blueplane_doctor.settings import DOCTOR_FILE, flat, masked

    given = invocation(context)
    if not init:
        loaded = given.load()
        values = flat(loaded.settings.model_dump(mode="json"))
        rows = [[name, masked(value), loaded.origins.get(name, "default")] for name, value in values]
        show_table(rows, ["setting", "value", "from"])
        return
    path = given.settings_file or given.home / DOCTOR_FILE
    if path.exists():
        raise UsageError(f"{path} exists already; it is left as it is", "name another with --settings FILE")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} does not exist", "name another place with --settings FILE")
    write_file(path, commented_defaults())
    show(f"{path}\n")


def commented_defaults() -> str:
    """A settings file in which everything is a comment: each setting's meaning and default, and every scale."""
    import yaml

    from blueplane_doctor.discovery import find_checks
    from blueplane_doctor.model import descriptions_of
    from blueplane_doctor.settings import Settings

    lines = ["# Settings of blueplane-doctor. Take the # away from what you want to change.", ""]
    meanings = descriptions_of(Settings)
    for name, default in Settings().model_dump(mode="json", exclude={"home", "thresholds"}).items():
        text = yaml.safe_dump({name: default}, default_flow_style=False, allow_unicode=True, sort_keys=False)
        lines += [f"# {meanings.get(name, name)}", *(f"#{line}" for line in text.splitlines()), ""]
    lines += ["# Numbers of the checks; null takes a level away. See: blueplane-doctor explain ID", "#thresholds:"]
    for spec in sorted(find_checks().checks, key=lambda s: s.id):
        if spec.scale and spec.scale.bounds:
            lines.append(f"#  {spec.id}: {spec.scale.as_yaml()}  # {spec.scale.unit}, {spec.scale.direction}")
    return "\n".join(lines) + "\n"

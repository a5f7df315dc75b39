"""List the checks, their scales, and where each number comes from; with ID: explain one check."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.commands.base import Invocation, command, new_command
from blueplane_doctor.console import complain, show, show_json, show_table
from blueplane_doctor.discovery import find_checks, selected, with_thresholds
from blueplane_doctor.errors import ExitCode, UsageError, did_you_mean
from blueplane_doctor.options import SELECTION
from blueplane_doctor.scales import scale_words
from blueplane_doctor.settings import Loaded

COMMAND = new_command(__doc__)


@command(COMMAND, "home", "settings", *SELECTION, formats=("table", "json"))
def checks(
    given: Invocation,
    check_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="For example queue-depth.")] = None,
) -> int:
    """Exit code 3 when a file of checks could not be loaded."""
    loaded = given.load()
    available = find_checks(loaded.settings.check_folders, loaded.settings.monitor_folders)
    if check_id:
        everything = with_thresholds(available.checks, loaded.settings)
        spec = _named(check_id, everything)
        document: Any = as_json(spec, loaded)
        text = explained(spec)
    else:
        specs = selected(available.checks, loaded.settings)
        document = [as_json(spec, loaded) for spec in specs]
        text = ""
    if given.format == "json":
        show_json(document)
    elif text:
        show(text)
    else:
        _show_table(specs, loaded)
    for problem in available.problems:
        complain(problem.cause)
    return ExitCode.NOT_JUDGED if available.problems else ExitCode.OK


def _named(check_id: str, specs: Sequence[CheckSpec]) -> CheckSpec:
    """The check of this id. Raises UsageError."""
    by_id = {spec.id: spec for spec in specs}
    if check_id not in by_id:
        hint = did_you_mean(check_id, by_id, "see: blueplane-doctor checks")
        raise UsageError(f"there is no check {check_id!r}", hint)
    return by_id[check_id]


def as_json(spec: CheckSpec, loaded: Loaded) -> dict[str, Any]:
    """One check as JSON."""
    return {
        "id": spec.id,
        "area": spec.area,
        "description": spec.doc,
        "needs": list(spec.needs),
        "unit": spec.scale.unit if spec.scale else "",
        "scale": scale_words(spec.scale) if spec.scale else {},
        "numbers_from": _numbers_from(spec, loaded),
        "defined_in": spec.origin,
    }


def _show_table(specs: Sequence[CheckSpec], loaded: Loaded) -> None:
    rows = [_row(spec, loaded) for spec in specs]
    show_table(rows, ["area", "check", "scale", "numbers from", "defined in"])


def _row(spec: CheckSpec, loaded: Loaded) -> list[str]:
    return [spec.area, spec.id, _scale(spec), ", ".join(_numbers_from(spec, loaded)), spec.origin]


def _scale(spec: CheckSpec) -> str:
    if not spec.scale:
        return ""
    levels = [f"{colour} {values}" for colour, values in scale_words(spec.scale).items()]
    return f"{', '.join(levels)} {spec.scale.unit}".rstrip()


def _numbers_from(spec: CheckSpec, loaded: Loaded) -> list[str]:
    """Where the settings that changed its scale come from."""
    prefix = f"thresholds.{spec.id}."
    changed = {origin for name, origin in loaded.origins.items() if name.startswith(prefix)}
    return sorted(changed) or ["default"]


def explained(spec: CheckSpec) -> str:
    """One check in words: what it looks at, how it grades, what it needs."""
    lines = [f"{spec.id} ({spec.area})", "", spec.doc, ""]
    if spec.scale:
        for colour, values in scale_words(spec.scale).items():
            lines.append(f"  {colour:<7} {values} {spec.scale.unit}".rstrip())
        if spec.scale.direction != "states":
            lines += ["", "Other numbers, in ~/.blueplane/doctor.yaml:", "", "  thresholds:"]
            lines.append(f"    {spec.id}: {spec.scale.as_yaml()}")
        lines.append("")
    lines.append(f"Reads: {', '.join(spec.needs)}. Defined in: {spec.origin}.")
    lines.append(f"What it finds now, and what to do about it: blueplane-doctor --select {spec.id}")
    return "\n".join(lines) + "\n"

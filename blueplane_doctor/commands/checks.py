"""List the checks with their scales, and the causes; with ID: explain one check or cause."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from blueplane_doctor.causeapi import EVERYTHING, STAGES, CauseSpec
from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import ExitCode, UsageError, did_you_mean
from blueplane_doctor.plugins.discovery import AvailableChecks, find_checks, selected, with_thresholds
from blueplane_doctor.scales import scale_words
from blueplane_doctor.settings.options import SELECTION
from blueplane_doctor.settings.values import Loaded
from blueplane_doctor.text.console import complain, show, show_json, show_table

COMMAND = new_command(__doc__)


@command(COMMAND, "home", "settings", *SELECTION, formats=("table", "json"))
def checks(
    given: Invocation,
    check_id: Annotated[str | None, typer.Argument(metavar="ID", help="For example queue-depth.")] = None,
) -> int:
    """Exit code 3 when a file of checks could not be loaded."""
    loaded = given.load()
    available = find_checks(loaded.settings.check_folders, loaded.settings.monitor_folders)
    # First, for the check that is asked for may be in one of these files.
    for problem in available.problems:
        complain(problem.cause)
    if check_id:
        _explain(_named(check_id, available, loaded), given, loaded)
    else:
        specs = selected(available.checks, loaded.settings)
        _list(specs, _shown_by(available.causes, specs), given, loaded)
    return ExitCode.NOT_JUDGED if available.problems else ExitCode.OK


def _named(name: str, available: AvailableChecks, loaded: Loaded) -> list[CheckSpec | CauseSpec]:
    """The check or the cause of this id, or both where they have the same one. Raises UsageError."""
    everything: list[CheckSpec | CauseSpec] = [*with_thresholds(available.checks, loaded.settings), *available.causes]
    named = [spec for spec in everything if spec.id == name]
    if not named:
        hint = did_you_mean(name, {spec.id for spec in everything}, "see: blueplane-doctor checks")
        raise UsageError(f"there is no check and no cause {name!r}", hint)
    return named


def _shown_by(causes: Sequence[CauseSpec], specs: Sequence[CheckSpec]) -> list[CauseSpec]:
    """The causes of which one sign at least is among the checks, in order of stage and id."""
    ids = {spec.id for spec in specs}
    shown = [spec for spec in causes if ids.intersection(spec.shown_by)]
    return sorted(shown, key=lambda spec: (STAGES.index(spec.stage), spec.id))


def _explain(specs: Sequence[CheckSpec | CauseSpec], given: Invocation, loaded: Loaded) -> None:
    documents = []
    texts = []
    for spec in specs:
        if isinstance(spec, CauseSpec):
            documents.append(_cause_as_json(spec))
            texts.append(_cause_explained(spec))
        else:
            documents.append(_as_json(spec, loaded))
            texts.append(_explained(spec))
    if given.format != "json":
        show("\n".join(texts))
    elif len(documents) == 1:
        show_json(documents[0])
    else:
        show_json(documents)


def _list(specs: Sequence[CheckSpec], causes: Sequence[CauseSpec], given: Invocation, loaded: Loaded) -> None:
    if given.format == "json":
        checks_first = [_as_json(spec, loaded) for spec in specs]
        show_json([*checks_first, *map(_cause_as_json, causes)])
        return
    rows = []
    for spec in specs:
        rows.append(_row(spec, loaded))
    show_table(rows, ["area", "check", "scale", "numbers from", "defined in"])
    if causes:
        show("\n")
        cause_rows = []
        for cause in causes:
            cause_rows.append(_row_of_cause(cause))
        show_table(cause_rows, ["stage", "cause", "title", "shown by", "defined in"])


def _row_of_cause(spec: CauseSpec) -> list[str]:
    return [spec.stage, spec.id, spec.title, ", ".join(spec.shown_by), spec.origin]


def _as_json(spec: CheckSpec, loaded: Loaded) -> dict[str, Any]:
    """One check as JSON."""
    return {
        "kind": "check",
        "id": spec.id,
        "area": spec.area,
        "description": spec.doc,
        "needs": list(spec.needs),
        "unit": spec.scale.unit if spec.scale else "",
        "scale": scale_words(spec.scale) if spec.scale else {},
        "numbers_from": _numbers_from(spec, loaded),
        "defined_in": spec.origin,
    }


def _cause_as_json(spec: CauseSpec) -> dict[str, Any]:
    """One cause as JSON."""
    return {
        "kind": "cause",
        "id": spec.id,
        "stage": spec.stage,
        "title": spec.title,
        "description": spec.doc,
        "needs": list(spec.needs),
        "shown_by": list(spec.shown_by),
        "brings": list(spec.brings),
        "follows": list(spec.follows),
        "defined_in": spec.origin,
    }


def _row(spec: CheckSpec, loaded: Loaded) -> list[str]:
    return [spec.area, spec.id, _scale(spec), ", ".join(_numbers_from(spec, loaded)), spec.origin]


def _scale(spec: CheckSpec) -> str:
    if not spec.scale:
        return ""
    levels = [f"{colour} {values}" for colour, values in scale_words(spec.scale).items()]
    return f"{', '.join(levels)} {spec.scale.unit}".rstrip()


def _numbers_from(spec: CheckSpec, loaded: Loaded) -> list[str]:
    """Where the settings that changed its scale come from."""
    return loaded.settings.origins_of(f"thresholds.{spec.id}") or ["default"]


def _explained(spec: CheckSpec) -> str:
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


def _cause_explained(spec: CauseSpec) -> str:
    """One cause in words: what it is, which findings show it, what follows from it."""
    lines = [f"{spec.id} (a cause, {spec.stage})", "", spec.doc, ""]
    lines.append(f"Shown by: {', '.join(spec.shown_by)}")
    brought = [name for name in spec.brings if name != EVERYTHING]
    if brought:
        lines.append(f"May bring: {', '.join(brought)}")
    if EVERYTHING in spec.brings:
        lines.append("Keeps other checks from being judged.")
    if spec.follows:
        lines.append(f"May follow from: {', '.join(spec.follows)}")
    reads = ", ".join(spec.needs) or "the findings alone"
    lines += ["", f"Reads: {reads}. Defined in: {spec.origin}."]
    lines.append(f"Whether it is there now: blueplane-doctor --select {spec.shown_by[0]}")
    return "\n".join(lines) + "\n"

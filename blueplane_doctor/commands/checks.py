"""`checks`: what is discovered, with every scale and where its numbers come from; `explain`: one check in words."""

from typing import Annotated

import typer

from blueplane_doctor.commands.base import command, complain, invocation, show, show_table
from blueplane_doctor.errors import ExitCode, UsageError, did_you_mean


@command("checks", "List the checks, their scales, and where each number comes from.")
def checks(context: typer.Context) -> int:
    from blueplane_doctor.discovery import find_checks, with_thresholds
    from blueplane_doctor.scales import scale_words

    loaded = invocation(context).load()
    found = find_checks(loaded.settings.check_folders)
    rows = []
    for spec in sorted(with_thresholds(found.checks, loaded.settings), key=lambda s: (s.area, s.id)):
        described = scale_words(spec.scale) if spec.scale else {}
        scale = ", ".join(f"{colour} {words}" for colour, words in described.items())
        unit = f" {spec.scale.unit}" if spec.scale and spec.scale.unit else ""
        changed = sorted({o for name, o in loaded.origins.items() if name.startswith(f"thresholds.{spec.id}.")})
        rows.append([spec.area, spec.id, scale + unit, ", ".join(changed) or "default", spec.origin])
    show_table(rows, ["area", "check", "scale", "numbers from", "defined in"])
    for problem in found.problems:
        complain(problem.cause)
    return ExitCode.NOT_JUDGED if found.problems else ExitCode.OK


@command("explain", "Explain one check: what it looks at, how it grades, what it needs.")
def explain(
    context: typer.Context, check_id: Annotated[str, typer.Argument(metavar="ID", help="For example queue-depth.")]
) -> None:
    from blueplane_doctor.discovery import BUILT_IN, find_checks, with_thresholds
    from blueplane_doctor.scales import scale_words

    settings = invocation(context).load().settings
    specs = {spec.id: spec for spec in with_thresholds(find_checks(settings.check_folders).checks, settings)}
    if check_id not in specs:
        raise UsageError(
            f"there is no check {check_id!r}", did_you_mean(check_id, specs, "see: blueplane-doctor checks")
        )
    spec = specs[check_id]
    lines = [f"{spec.id} ({spec.area})", "", spec.doc, ""]
    if spec.scale:
        unit = f" {spec.scale.unit}" if spec.scale.unit else ""
        lines += [f"  {colour:<7} {words}{unit}" for colour, words in scale_words(spec.scale).items()]
        if spec.scale.direction != "states":
            lines += ["", "Other numbers, in ~/.blueplane/doctor.yaml:", "", "  thresholds:"]
            lines += [f"    {spec.id}: {spec.scale.as_yaml()}"]
    lines += ["", f"Reads: {', '.join(spec.needs)}. Defined in: {spec.origin}."]
    if spec.origin == BUILT_IN:
        lines += [f"What to do about it: docs/TROUBLESHOOTING.md#{spec.id}"]
    show("\n".join(lines) + "\n")

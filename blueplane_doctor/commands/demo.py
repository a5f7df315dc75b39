"""Examine a simulated pipeline on an embedded server; nothing of yours is touched."""

from pathlib import Path
from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.command_line.report_output import format_for, format_named, in_file, view_of
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import UsageError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.locations import locate
from blueplane_doctor.settings.values import Settings, load
from blueplane_doctor.text.console import say, show, write_file

COMMAND = new_command(__doc__)
_DEFAULT_OUTPUT = Path("blueplane-demo.html")


@command(
    COMMAND,
    "verbose",
    "quiet",
    "format",
    output=f"Where the report goes as a file too, in the format of its suffix; default {_DEFAULT_OUTPUT}; repeatable.",
)
def demo(
    given: Invocation,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Break it in this way; repeatable.", metavar="NAME")
    ] = None,
    healthy: Annotated[bool, typer.Option("--healthy", help="Break nothing.")] = False,
    list_faults: Annotated[bool, typer.Option("--list", help="List the faults and end.")] = False,
) -> None:
    """Exit code 0 whatever the report says: its faults are wanted."""
    try:
        # It needs the extra `demo`.
        from blueplane_doctor.demo.faults import DEFAULT_FAULTS, FAULTS, demo_pipeline, refuse_unknown_faults
    except ImportError as error:
        raise UsageError(f"demo needs {error.name}", 'pip install "blueplane-doctor[demo]"') from None

    if list_faults:
        width = max(map(len, FAULTS))
        for name, described in FAULTS.items():
            show(f"{name:<{width}}  {described.summary}\n")
        return
    form = format_named(given.options.format or "table")
    outputs = given.options.output or [_DEFAULT_OUTPUT]
    file_forms = [format_for(path) for path in outputs]
    chosen = list(DEFAULT_FAULTS) if fault is None else fault
    if healthy:
        chosen = []
    refuse_unknown_faults(chosen)
    broken = f"these faults: {', '.join(chosen)}" if chosen else "no fault"
    say(f"Making a pipeline with {broken} …")
    with demo_pipeline(chosen) as pipeline:
        flags = {"home": pipeline.home, "redis_url": pipeline.redis_url, **pipeline.editors}
        doctor = Doctor(load(flags).settings)
        evidence = doctor.collect()
    # The simulated pipeline is gone after this: its addresses would tell nobody anything. Commands name the usual ones.
    evidence.records["locations"] = locate(Settings()).locations
    report = doctor.judge(evidence)
    view = view_of(given.options)
    for path, file_form in zip(outputs, file_forms, strict=True):
        write_file(path, file_form.render(report, in_file(view)))
    show(form.render(report, view), markup=form.markup, commands=form.commands)
    if form.name == "table":
        paths = ", ".join(str(path.resolve()) for path in outputs)
        show(f"\nThe same in a file: {paths}\n")

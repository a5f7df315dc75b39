"""`demo`: an embedded server and a simulated pipeline with named faults, examined as a real one."""

from pathlib import Path
from typing import Annotated

import typer

from blueplane_doctor.commands.base import command, invocation, say, show, view_of, write_file
from blueplane_doctor.errors import UsageError


@command("demo", "Examine a simulated pipeline on an embedded server; nothing of yours is touched.")
def demo(
    context: typer.Context,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Break it in this way; repeatable.", metavar="NAME")
    ] = None,
    healthy: Annotated[bool, typer.Option("--healthy", help="Break nothing.")] = False,
    list_faults: Annotated[bool, typer.Option("--list", help="List the faults and end.")] = False,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the HTML report goes.", metavar="FILE")] = Path(
        "blueplane-demo.html"
    ),
) -> None:
    """Exit code 0 whatever is found: it was to be found."""
    try:
        from blueplane_doctor.demo.faults import DEFAULT_FAULTS, FAULTS, demo_pipeline
    except ImportError as error:
        raise UsageError(f"demo needs {error.name}", 'pip install "blueplane-doctor[demo]"') from None
    from blueplane_doctor.diagnose import diagnose
    from blueplane_doctor.reports import html, table
    from blueplane_doctor.settings import load

    if list_faults:
        width = max(map(len, FAULTS))
        show("".join(f"{name:<{width}}  {fault.summary}\n" for name, fault in FAULTS.items()))
        return
    chosen = [] if healthy else DEFAULT_FAULTS if fault is None else fault
    say(f"Making a pipeline with {'these faults: ' + ', '.join(chosen) if chosen else 'no fault'} …")
    with demo_pipeline(chosen) as made:
        flags = {"home": made.home, "redis_url": made.redis_url, "cursor_hooks": made.cursor_hooks}
        report = diagnose(load(flags).settings)
    view = view_of(invocation(context))
    write_file(output, html.render(report, view))
    show(table.render(report, view))
    show(f"\nThe same as a page: {output.resolve()}\n")

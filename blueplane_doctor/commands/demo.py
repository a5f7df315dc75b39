"""`demo`: an embedded server and a simulated pipeline with named faults, examined as a real one."""

from pathlib import Path
from typing import Annotated

import typer

from blueplane_doctor.commands.base import guarded, invocation, say, show, view_of, write_file

REPORT_FILE = "blueplane-demo.html"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("demo", help="Examine a simulated pipeline on an embedded server; nothing of yours is touched.")
    @guarded
    def demo(
        context: typer.Context,
        fault: Annotated[
            list[str] | None, typer.Option("--fault", help="Break it in this way; repeatable.", metavar="NAME")
        ] = None,
        healthy: Annotated[bool, typer.Option("--healthy", help="Break nothing.")] = False,
        list_faults: Annotated[bool, typer.Option("--list", help="List the faults and end.")] = False,
        output: Annotated[
            Path, typer.Option("--output", "-o", help="Where the HTML report goes.", metavar="FILE")
        ] = Path(REPORT_FILE),
    ) -> int:
        if list_faults:
            return _list()
        return _run(context, [] if healthy else fault, output)


def _list() -> int:
    from blueplane_doctor.demo.faults import FAULTS

    width = max(map(len, FAULTS))
    show("".join(f"{name:<{width}}  {fault.summary}\n" for name, fault in FAULTS.items()))
    return 0


def _run(context: typer.Context, faults: list[str] | None, output: Path) -> int:
    """Exit code 0 whatever is found: it was to be found."""
    from blueplane_doctor.demo.faults import DEFAULT_FAULTS, demo_pipeline
    from blueplane_doctor.diagnose import diagnose
    from blueplane_doctor.reports import html, table
    from blueplane_doctor.settings import load

    given = invocation(context)
    chosen = DEFAULT_FAULTS if faults is None else faults
    say(f"Making a pipeline with {'these faults: ' + ', '.join(chosen) if chosen else 'no fault'} …")
    with demo_pipeline(chosen) as demo:
        flags = {"home": demo.home, "redis_url": demo.redis_url, "cursor_hooks": demo.cursor_hooks}
        report = diagnose(load(flags).settings)
    view = view_of(given)
    write_file(output, html.render(report, view))
    show(table.render(report, view))
    show(f"\nThe same as a page: {output.resolve()}\n")
    return 0

"""`support`: one zip for a support ticket, with nothing private in it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import guarded, invocation, progress, say, show, write_file
from blueplane_doctor.commands.examine import step_aside
from blueplane_doctor.errors import UsageError

if TYPE_CHECKING:
    from blueplane_doctor.settings import Loaded
    from blueplane_doctor.support.bundle import Bundle


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "support",
        help="Examine, and write one zip for a support ticket: report, evidence, settings, versions, the log's "
        "errors; nothing private. Exit code 0 whatever the report says.",
    )
    @guarded
    def support(
        context: typer.Context,
        output: Annotated[
            Path,
            typer.Option("--output", "-o", help="The zip; an earlier bundle is replaced.", metavar="FILE.zip"),
        ] = Path("blueplane-support.zip"),
    ) -> None:
        _support(invocation(context).load(), output)


def _support(loaded: "Loaded", output: Path) -> None:
    from blueplane_doctor.support.bundle import refuse_strangers, zipped

    if output.suffix.lower() != ".zip":
        raise UsageError(f"--output {output}: the bundle is a zip", "name a file that ends in .zip")
    refuse_strangers(output)  # before anything is examined
    step_aside()
    bundle = _made(loaded)
    write_file(output, zipped(bundle.files), private=True)
    show(f"{output}\n")
    for name, content in sorted(bundle.files.items()):
        show(f"  {name:<22} {len(content):>12,} bytes\n")
    show("Left out:\n" + "".join(f"  {reason}\n" for reason in bundle.left_out))
    say("Look into it before you send it: it is yours.")


def _made(loaded: "Loaded") -> "Bundle":
    from blueplane_doctor.diagnose import collect, judge, needed
    from blueplane_doctor.discovery import find_checks
    from blueplane_doctor.selection import selected
    from blueplane_doctor.support.bundle import bundled

    found = find_checks(loaded.settings.check_folders)
    checks = selected(found.checks, loaded.settings)
    with progress() as tell:
        evidence = collect(loaded.settings, needed(checks), tell)
    report = judge(evidence, checks, found.problems, loaded.settings)
    return bundled(evidence, report, loaded, checks)

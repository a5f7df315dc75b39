"""`support`: one zip for a support ticket, with nothing private in it."""

from pathlib import Path
from typing import Annotated

import typer

from blueplane_doctor.commands.base import (
    command,
    invocation,
    progress,
    say,
    show,
    step_aside,
    write_file,
)
from blueplane_doctor.errors import UsageError


@command(
    "support",
    "Examine, and write one zip for a support ticket: report, evidence, settings, versions, the log's "
    "errors; nothing private. Exit code 0 whatever the report says.",
)
def support(
    context: typer.Context,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The zip; an earlier bundle is replaced.", metavar="FILE.zip"),
    ] = Path("blueplane-support.zip"),
) -> None:
    loaded = invocation(context).load()
    from blueplane_doctor.diagnose import Doctor
    from blueplane_doctor.support.bundle import bundled, refuse_strangers, zipped

    if output.suffix.lower() != ".zip":
        raise UsageError(f"--output {output}: the bundle is a zip", "name a file that ends in .zip")
    refuse_strangers(output)  # before anything is examined
    step_aside()
    doctor = Doctor(loaded.settings)
    with progress() as tell:
        evidence = doctor.collect(tell)
    report = doctor.judge(evidence)
    bundle = bundled(evidence, report, loaded, doctor.checks)
    write_file(output, zipped(bundle.files), private=True)
    show(f"{output}\n")
    for name, content in sorted(bundle.files.items()):
        show(f"  {name:<22} {len(content):>12,} bytes\n")
    show("Left out:\n" + "".join(f"  {reason}\n" for reason in bundle.left_out))
    say("Look into it before you send it: it is yours.")

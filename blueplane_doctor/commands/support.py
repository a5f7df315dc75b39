"""Examine, and write one zip for a support ticket: report, evidence, settings, versions, the log's errors.

Nothing private is in it. Exit code 0 whatever the report says.
"""

from pathlib import Path

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import UsageError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.settings.options import EXAMINING, VERDICT
from blueplane_doctor.support.bundle import bundled, refuse_strangers, zipped
from blueplane_doctor.text.console import progress, say, show, step_aside, write_file

COMMAND = new_command(__doc__)
_DEFAULT_OUTPUT = Path("blueplane-support.zip")


@command(
    COMMAND,
    *EXAMINING,
    *VERDICT,
    "waivers",
    output=f"The zip, default {_DEFAULT_OUTPUT}; an earlier bundle is replaced.",
)
def support(given: Invocation) -> None:
    """The bundle can be read by its owner alone."""
    loaded = given.load(for_examination=True)
    output = given.one_output() or _DEFAULT_OUTPUT
    if output.suffix.lower() != ".zip":
        raise UsageError(f"--output {output}: the bundle is a zip", "name a file that ends in .zip")
    refuse_strangers(output)  # before anything is examined
    step_aside()
    doctor = Doctor(loaded.settings)
    with progress() as tell:
        evidence = doctor.collect(tell)
    report = doctor.judge(evidence)
    bundle = bundled(evidence, report, loaded, doctor.available)
    write_file(output, zipped(bundle.files), private=True)
    show(f"{output}\n")
    for name, content in sorted(bundle.files.items()):
        show(f"  {name:<22} {len(content):>12,} bytes\n")
    show("Left out:\n")
    for reason in bundle.left_out:
        show(f"  {reason}\n")
    say("Look into it before you send it: it is yours.")

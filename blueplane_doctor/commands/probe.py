"""`probe`: one marked event through the real way in, and how long each hop took."""

from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import Yes, command, invocation, show
from blueplane_doctor.commands.install import asked
from blueplane_doctor.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from blueplane_doctor.installing.probing import Probe


@command("probe", "Send one marked event through the pipeline, and time it until its row is there.")
def probe(
    context: typer.Context,
    yes: Yes = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for the row.", min=0.1)] = 15.0,
) -> int:
    from blueplane_doctor.installing import probing

    settings = invocation(context).load().settings
    question = f"This writes one row into your telemetry, of event_type {probing.MARK}. Send it?"
    if not (yes or asked(question)):
        raise UsageError("nothing was sent")
    result = probing.probe(settings, wait)
    show(result.model_dump_json(indent=2) + "\n" if as_json else _told(result))
    return ExitCode.OK if result.arrived else ExitCode.FINDINGS


def _told(probe: "Probe") -> str:
    lines = [f"Probe {probe.event_id}, sent {probe.sent_at}", ""]
    for hop in probe.hops:
        reached = "not seen" if hop.milliseconds is None else f"{hop.milliseconds:,.0f} ms"
        lines.append(f"  {hop.name:<14}{reached:>10}")
    arrived = f"It arrived: row {probe.sequence} of {probe.table}."
    lines += ["", arrived if probe.arrived else f"It did not arrive: {probe.cause}."]
    return "\n".join([*lines, f"Its row is found by: {probe.recognise}", ""])

"""`probe`: one marked event through the real way in, and how long each hop took."""

from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import guarded, invocation, show
from blueplane_doctor.commands.install import asked
from blueplane_doctor.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from blueplane_doctor.installing.probing import Probe

DEFAULT_SECONDS = 15.0


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("probe", help="Send one marked event through the pipeline, and time it until its row is there.")
    @guarded
    def probe(
        context: typer.Context,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
        wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for the row.", min=0.1)] = DEFAULT_SECONDS,
    ) -> int:
        from blueplane_doctor.installing.probing import MARK, probe

        settings = invocation(context).load().settings
        question = f"This writes one row into your telemetry, of event_type {MARK}. Send it?"
        if not (yes or asked(question)):
            raise UsageError("nothing was sent")
        result = probe(settings, wait)
        show(result.model_dump_json(indent=2) + "\n" if as_json else text_of(result))
        return ExitCode.OK if result.arrived else ExitCode.FINDINGS


def text_of(probe: "Probe") -> str:
    """The way of the event, a line a hop."""
    lines = [f"Probe {probe.event_id}, sent {probe.sent_at}", ""]
    for hop in probe.hops:
        reached = "not seen" if hop.milliseconds is None else f"{hop.milliseconds:,.0f} ms"
        lines.append(f"  {hop.name:<14}{reached:>10}")
    if probe.arrived:
        lines += ["", f"It arrived: row {probe.sequence} of {probe.table}."]
    else:
        lines += ["", f"It did not arrive: {probe.cause}."]
    lines += [f"Its row is found by: {probe.recognise}"]
    return "\n".join(lines) + "\n"

"""Send one marked event through the pipeline, and time it until its row is there."""

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import DryRun, Yes, command, new_command
from blueplane_doctor.errors import ExitCode, SettingsError, UsageError
from blueplane_doctor.installing import probing
from blueplane_doctor.settings.options import PIPELINE
from blueplane_doctor.settings.view import masked
from blueplane_doctor.text.console import confirmed, show
from blueplane_doctor.text.times import readable, seconds_in

COMMAND = new_command(__doc__)
_DEFAULT_WAIT = "15s"
_SHORTEST_WAIT = 0.1


@command(
    COMMAND,
    *PIPELINE,
    formats=("table", "json"),
    wait=f"How long to wait for the row, default {_DEFAULT_WAIT}.",
)
def probe(given: Invocation, yes: Yes = False, dry_run: DryRun = False) -> int:
    """Exit code 1 when the event did not arrive."""
    wait = given.options.wait or _DEFAULT_WAIT
    seconds = seconds_in(wait, "--wait")
    if seconds < _SHORTEST_WAIT:
        raise UsageError(f"--wait {wait}: too short", f"at least {_SHORTEST_WAIT:g}s")
    settings = given.load().settings
    if settings.http_url.lower().startswith("https:"):
        raise SettingsError(
            "http_url: a probe is sent as the hook sends events, without TLS, and so not to an https address",
            "name the server's own address on this machine, for example http://127.0.0.1:8787",
        )
    if dry_run:
        server = masked(settings.http_url)
        show(f"One event of event_type {probing.MARK} would be sent to {server}, and become one row.\n")
        return ExitCode.OK
    question = f"This writes one row into your telemetry, of event_type {probing.MARK}. Send it?"
    if not (yes or confirmed(question)):
        raise UsageError("nothing was sent")
    result = probing.probe(settings, seconds)
    if given.format == "json":
        show(result.model_dump_json(indent=2) + "\n")
    else:
        show(in_words(result))
    return ExitCode.OK if result.arrived else ExitCode.FINDINGS


def in_words(probe: probing.Probe) -> str:
    """What became of the event, hop by hop."""
    lines = [f"Probe {probe.event_id}, sent {readable(probe.sent_at)}", ""]
    for hop in probe.hops:
        reached = "not seen" if hop.milliseconds is None else f"{hop.milliseconds:,.0f} ms"
        lines.append(f"  {hop.name:<14}{reached:>10}")
    outcome = f"It did not arrive: {probe.cause}."
    if probe.arrived:
        outcome = f"It arrived: row {probe.sequence} of {probe.table}."
    lines += ["", outcome, f"To find its row: {probe.recognise}"]
    return "\n".join(lines) + "\n"

"""`trace`: one message followed through the pipeline, hop by hop."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import Json, command, invocation, show, show_json
from blueplane_doctor.errors import ExitCode

if TYPE_CHECKING:
    from blueplane_doctor.lookup.trace import Hop, Trace

_FINE = ("written", "duplicate", "waiting", "in_flight", "skipped")
"""Its row is there, it is in transit, or skipped by design."""
_NOT_JUDGED = ("not_found", "untraceable", "unexamined")
"""Not found anywhere, or found and not provable."""


@command("trace", "Follow messages by event_id, stream ID or Claude uuid: every hop, the state, what to do.")
def trace(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="event_id, stream ID or Claude uuid.")],
    as_json: Json = False,
) -> int:
    from blueplane_doctor.examination import Examination
    from blueplane_doctor.lookup.trace import Tracer

    with closing(Examination(invocation(context).load().settings)) as examination:
        traces = Tracer(examination).trace(ids)
    if as_json:
        show_json([t.model_dump(mode="json") for t in traces])
    else:
        show("\n".join(map(_as_text, traces)))
    return exit_code([t.state for t in traces])


def exit_code(states: list[str]) -> ExitCode:
    """1 when one is lost, stuck or dead-lettered; else 3 when one is not found or not provable; else 0."""
    if any(state not in _FINE and state not in _NOT_JUDGED for state in states):
        return ExitCode.FINDINGS
    if any(state in _NOT_JUDGED for state in states):
        return ExitCode.NOT_JUDGED
    return ExitCode.OK


def _when(hop: "Hop") -> str:
    if hop.at is None:
        return ""
    if hop.stage == "row":
        # SQLite's CURRENT_TIMESTAMP is cut to whole seconds: with more digits a row would look older than its message.
        return hop.at.replace(".000Z", "Z")
    return hop.at


def _as_text(trace: "Trace") -> str:
    from blueplane_doctor.text import plain

    lines = [f"{plain(trace.id)}: {trace.state.replace('_', ' ').upper()}"]
    lines += [f"  {hop.stage.replace('_', ' '):<13} {_when(hop):<25} {plain(hop.text, 300)}" for hop in trace.hops]
    return "\n".join([*lines, f"  {trace.advice}", ""])

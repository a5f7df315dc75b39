"""`trace`: one message followed through the pipeline, hop by hop."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import guarded, invocation, show
from blueplane_doctor.errors import ExitCode

if TYPE_CHECKING:
    from blueplane_doctor.custody.trace import Trace

FINE = ("written", "waiting", "in_flight", "skipped")
"""Written, in transit, or skipped by design: exit code 0."""
NOT_TOLD = ("not_found", "untraceable", "unexamined")
"""Not found anywhere, or found and not provable: exit code 3. Everything else is 1."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        "trace", help="Follow messages by event_id, stream ID or Claude uuid: every hop, the state, what to do."
    )
    @guarded
    def trace(
        context: typer.Context,
        ids: Annotated[list[str], typer.Argument(metavar="ID...", help="event_id, stream ID or Claude uuid.")],
        as_json: Annotated[bool, typer.Option("--json", help="Show JSON.")] = False,
    ) -> int:
        return _trace(context, ids, as_json)


def _trace(context: typer.Context, ids: list[str], as_json: bool) -> int:
    from blueplane_doctor.custody.trace import Tracer
    from blueplane_doctor.examination import Examination

    examination = Examination(invocation(context).load().settings)
    try:
        traces = Tracer(examination).trace(ids)
    finally:
        examination.close()
    if as_json:
        show(json.dumps([t.model_dump(mode="json") for t in traces], indent=2, ensure_ascii=False) + "\n")
    else:
        show("\n".join(map(_told, traces)))
    return exit_code([t.state for t in traces])


def exit_code(states: list[str]) -> ExitCode:
    """1 when one is lost, stuck or dead-lettered; else 3 when one is not found or not provable; else 0."""
    if any(state not in (*FINE, *NOT_TOLD, "duplicate") for state in states):
        return ExitCode.FINDINGS
    return ExitCode.NOT_JUDGED if any(state in NOT_TOLD for state in states) else ExitCode.OK


def _told(trace: "Trace") -> str:
    from blueplane_doctor.text import plain

    lines = [f"{plain(trace.id)}: {trace.state.replace('_', ' ').upper()}"]
    lines += [f"  {hop.stage.replace('_', ' '):<13} {hop.at or '':<25} {plain(hop.text, 300)}" for hop in trace.hops]
    return "\n".join([*lines, f"  {trace.advice}", ""])

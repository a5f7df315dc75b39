"""Follow messages by event_id, stream ID or Claude uuid: every hop, the state, what to do."""

import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import command, new_command
from blueplane_doctor.errors import ExitCode, UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.by_state import find_by_state
from blueplane_doctor.lookup.hops import Hop
from blueplane_doctor.lookup.trace import Trace, Tracer
from blueplane_doctor.settings.options import PIPELINE
from blueplane_doctor.text.characters import plain
from blueplane_doctor.text.console import complain, show, show_json
from blueplane_doctor.text.times import readable, seconds_in

COMMAND = new_command(__doc__)
_FINE = (
    *("written", "duplicate", "waiting", "in_flight", "skipped"),
    *("too_young", "in_stream", "repeated", "not_captured"),
)
"""Its row is there, it is in transit, or skipped by design."""
_NOT_KNOWN = ("not_found", "untraceable", "unexamined", "before_setup", "rows_deleted")
"""It is nowhere, or nothing proves what became of it."""


@command(COMMAND, *PIPELINE, "timeout", formats=("table", "json"))
def trace(
    given: Invocation,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="event_id, stream ID, Claude uuid, or a dead letter's own ID."),
    ] = None,
    state: Annotated[
        str, typer.Option(help="Instead of IDs: messages in this state of custody, such as lost.", metavar="STATE")
    ] = "",
    since: Annotated[
        str | None, typer.Option(help="With --state: enqueued within this time, such as 10m.", metavar="AGE")
    ] = None,
) -> int:
    """Exit code as `exit_code` says."""
    if bool(ids) == bool(state) or (since and not state):
        raise UsageError("trace needs IDs, or --state with or without --since", "for example: trace --state lost")
    if any(not one.strip() for one in ids or ()):
        raise UsageError("an ID is empty", "for example: trace --state lost")
    with closing(Examination(given.load().settings)) as examination:
        wanted = ids or _ids_of(examination, state, since)
        traces = Tracer(examination).trace(wanted)
    if given.format == "json":
        values = []
        for trace in traces:
            values.append(trace.model_dump())
        show_json(values)
    else:
        # IDs in a state are those of the queue, whose form is known.
        names = names_of(ids, traces) if ids else [trace.id for trace in traces]
        show("\n".join(map(_in_words, traces, names)))
    return exit_code([trace.state for trace in traces])


def _ids_of(examination: Examination, state: str, since: str | None) -> list[str]:
    """IDs of messages in a state; how many there are, and are left out, goes to stderr."""
    state = state.lower().replace("-", "_")
    since_ms = 0
    if since:
        since_ms = examination.server_info().now_ms - int(seconds_in(since, "--since") * 1000)
    matches = find_by_state(examination, state, since_ms)
    count = f"{matches.total:,}"
    if matches.partial:
        count = f"at least {count}"
    complain(f"{count} in state {state.replace('_', ' ')}, {len(matches.ids):,} of them shown", "")
    return matches.ids


def exit_code(states: list[str]) -> ExitCode:
    """1 when one is lost, missing, stuck or dead-lettered; else 3 when nothing tells or proves its end; else 0."""
    if any(state not in (*_FINE, *_NOT_KNOWN) for state in states):
        return ExitCode.FINDINGS
    if any(state in _NOT_KNOWN for state in states):
        return ExitCode.NOT_JUDGED
    return ExitCode.OK


def names_of(typed: Sequence[str], traces: Sequence[Trace]) -> list[str]:
    """What each message is called: on a terminal as its person typed it; else one that is hidden has its number too."""
    names = []
    for number, (text, trace) in enumerate(zip(typed, traces, strict=True), start=1):
        if sys.stdout.isatty():
            names.append(text)
        elif trace.id != text and len(traces) > 1:
            names.append(f"{trace.id} (ID {number} of {len(traces)})")
        else:
            names.append(trace.id)
    return names


def _in_words(trace: Trace, name: str) -> str:
    """The state, a line for each hop, and what to do."""
    lines = [f"{plain(name)}: {trace.state.replace('_', ' ').upper()}"]
    lines += map(_hop_line, trace.hops)
    lines.append(f"  {trace.advice}")
    return "\n".join(lines) + "\n"


def _hop_line(hop: Hop) -> str:
    return f"  {hop.stage.replace('_', ' '):<13} {_time(hop):<27} {plain(hop.text, 300)}"


def _time(hop: Hop) -> str:
    """SQLite's CURRENT_TIMESTAMP is cut to whole seconds: with more digits a row would look older than its message."""
    if hop.stage == "row":
        return readable(hop.at)
    return readable(hop.at, "milliseconds")

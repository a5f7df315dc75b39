"""`dlq`: dead letters listed, shown, summed up. Reads only."""

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from blueplane_doctor.commands.base import Json, command, commands, invocation, show, show_json, show_table
from blueplane_doctor.errors import UsageError
from blueplane_doctor.times import seconds_in

if TYPE_CHECKING:
    from blueplane_doctor.examination import Examination
    from blueplane_doctor.lookup.dead_letters import DeadLetter

Newer = Annotated[str | None, typer.Option("--newer-than", help="For example 90s, 30m, 6h, 2d.", metavar="AGE")]
Older = Annotated[str | None, typer.Option("--older-than", help="For example 90s, 30m, 6h, 2d.", metavar="AGE")]
Group = Annotated[str, typer.Option("--group", help="Of this consumer group.")]
Error = Annotated[str, typer.Option("--error", help="Whose error or fingerprint holds this text.")]
EventType = Annotated[str, typer.Option("--event-type", help="Of this event type.")]
Platform = Annotated[str, typer.Option("--platform", help="Of this platform.")]

dlq = typer.Typer(help="Dead letters: list, show, stats. Reads only.", no_args_is_help=True)
commands.add_typer(dlq, name="dlq")


@command("list", "List dead letters of both streams, newest first.", dlq)
def listing(
    context: typer.Context,
    newer: Newer = None,
    older: Older = None,
    group: Group = "",
    error: Error = "",
    event_type: EventType = "",
    platform: Platform = "",
    page: Annotated[int, typer.Option(help="Which page.", min=1)] = 1,
    page_size: Annotated[int, typer.Option(help="Letters a page.", min=1, max=1000)] = 25,
    as_json: Json = False,
) -> None:
    from blueplane_doctor.times import span

    with closing(_examination(context)) as examination:
        letters = _letters(examination, newer, older, group, error, event_type, platform)
    pages = max(1, -(-len(letters) // page_size))
    shown = letters[(page - 1) * page_size : page * page_size]
    if as_json:
        show_json({"total": len(letters), "page": page, "pages": pages, "letters": [x.model_dump() for x in shown]})
        return
    if shown:
        show_table(
            [
                [x.id, span(x.age_ms), x.group, x.platform, x.event_type, x.error, x.message_id or x.event_id or ""]
                for x in shown
            ],
            ["id", "age", "group", "platform", "event type", "error", "message"],
        )
        show("\n")
    show(f"{len(letters):,} dead {'letter' if len(letters) == 1 else 'letters'}, page {page} of {pages}\n")


@command("show", "Show one dead letter, by its ID or that of its message.", dlq)
def showing(
    context: typer.Context,
    letter_id: Annotated[str, typer.Argument(metavar="ID")],
    stream: Annotated[str, typer.Option("--stream", help="Of this dead-letter stream.")] = "",
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the private content too, on a terminal.")] = False,
    as_json: Json = False,
) -> None:
    from blueplane_doctor.lookup.dead_letters import find_dead_letter
    from blueplane_doctor.text import plain

    if reveal and not sys.stdout.isatty():
        raise UsageError("--reveal shows private content, and only to a terminal", "leave it out, or do not redirect")
    with closing(_examination(context)) as examination:
        letter, raw = find_dead_letter(examination, letter_id, stream)
    if as_json:
        show_json(letter.model_dump())
        return
    for name, value in letter.model_dump().items():
        show(f"{name.replace('_', ' '):<12} {'' if value is None else value}\n")
    for field, content in sorted(raw.fields.items()):
        told = plain(content, 10_000) if reveal else f"({len(content):,} bytes, private; --reveal shows it)"
        show(f"  {plain(field, 40):<22} {told}\n")


@command("stats", "Sum up: what went wrong how often, since when, static pile or active bleed.", dlq)
def stats(
    context: typer.Context,
    newer: Newer = None,
    older: Older = None,
    group: Group = "",
    error: Error = "",
    event_type: EventType = "",
    platform: Platform = "",
    as_json: Json = False,
) -> None:
    from blueplane_doctor.lookup.dead_letters import summarize
    from blueplane_doctor.times import span

    with closing(_examination(context)) as examination:
        found = summarize(_letters(examination, newer, older, group, error, event_type, platform), examination)
    if as_json:
        show_json(found.model_dump())
        return
    if not found.total:
        show("No dead letters\n")
        return
    show(
        f"{found.total:,} dead letters of {found.distinct_messages:,} messages: {found.verdict}; "
        f"{found.last_hour:,} in the last hour, {found.hour_before:,} in the hour before; "
        f"the oldest is {span(found.oldest_age_ms or 0)} old\n\n"
    )
    show_table(
        [[g.fingerprint, g.count, g.last_hour, span(g.oldest_age_ms), g.error, g.example_id] for g in found.groups],
        ["error", "letters", "last hour", "oldest", "what went wrong", "for example"],
    )
    show("\n")
    for stream, size in sorted(found.sizes.items()):
        show(f"{stream}: {size:,} of {found.limits[stream]:,}\n")
    for stream in found.about_to_discard:
        show(f"{stream} is about to discard its oldest entries\n")


def _examination(context: typer.Context) -> "Examination":
    from blueplane_doctor.examination import Examination

    return Examination(invocation(context).load().settings)


def _letters(examination: "Examination", newer: str | None, older: str | None, *texts: str) -> "list[DeadLetter]":
    from blueplane_doctor.lookup.dead_letters import DeadLetterFilter, each_dead_letter

    newest = None if newer is None else round(seconds_in(newer, "--newer-than") * 1000)
    oldest = None if older is None else round(seconds_in(older, "--older-than") * 1000)
    letters = each_dead_letter(examination, DeadLetterFilter(newest, oldest, *texts))
    return sorted(letters, key=lambda letter: (letter.age_ms, letter.stream, letter.id))

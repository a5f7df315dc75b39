"""`dlq`: dead letters listed, shown, summed up. Reads only."""

import json
import sys
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blueplane_doctor.commands.base import guarded, invocation, seconds, show
from blueplane_doctor.errors import UsageError

if TYPE_CHECKING:
    from blueplane_doctor.custody.letters import Letter, LetterStats
    from blueplane_doctor.examination import Examination

Json = Annotated[bool, typer.Option("--json", help="Show JSON.")]
Newer = Annotated[str | None, typer.Option("--newer-than", help="For example 90s, 30m, 6h, 2d.", metavar="AGE")]
Older = Annotated[str | None, typer.Option("--older-than", help="For example 90s, 30m, 6h, 2d.", metavar="AGE")]
Group = Annotated[str, typer.Option("--group", help="Of this consumer group.")]
Error = Annotated[str, typer.Option("--error", help="Whose error or fingerprint holds this text.")]
EventType = Annotated[str, typer.Option("--event-type", help="Of this event type.")]
Platform = Annotated[str, typer.Option("--platform", help="Of this platform.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    dlq = typer.Typer(help="Dead letters: list, show, stats. Reads only.", no_args_is_help=True)
    app.add_typer(dlq, name="dlq")

    @dlq.command("list", help="List dead letters of both streams, newest first.")
    @guarded
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
    ) -> int:
        chosen = (newer, older, group, error, event_type, platform)
        return _list(context, chosen, page, page_size, as_json)

    @dlq.command("show", help="Show one dead letter, by its ID or that of its message.")
    @guarded
    def showing(
        context: typer.Context,
        letter_id: Annotated[str, typer.Argument(metavar="ID")],
        reveal: Annotated[bool, typer.Option("--reveal", help="Show the private content too, on a terminal.")] = False,
        as_json: Json = False,
    ) -> int:
        return _show(context, letter_id, reveal, as_json)

    @dlq.command("stats", help="Sum up: what went wrong how often, since when, static pile or active bleed.")
    @guarded
    def stats(
        context: typer.Context,
        newer: Newer = None,
        older: Older = None,
        group: Group = "",
        error: Error = "",
        event_type: EventType = "",
        platform: Platform = "",
        as_json: Json = False,
    ) -> int:
        return _stats(context, (newer, older, group, error, event_type, platform), as_json)


def _examination(context: typer.Context) -> "Examination":
    from blueplane_doctor.examination import Examination

    return Examination(invocation(context).load().settings)


def _letters(examination: "Examination", chosen: tuple[str | None, ...]) -> "list[Letter]":
    from blueplane_doctor.custody.letters import LetterFilter, each_letter

    newer, older, group, error, event_type, platform = chosen
    wanted = LetterFilter(_age(newer), _age(older), group or "", error or "", event_type or "", platform or "")
    letters = list(each_letter(examination, wanted))
    return sorted(letters, key=lambda letter: (letter.age_ms, letter.stream, letter.id))


def _age(text: str | None) -> int | None:
    return None if text is None else round(seconds(text, "age") * 1000)


def _list(context: typer.Context, chosen: tuple[str | None, ...], page: int, size: int, as_json: bool) -> int:
    from blueplane_doctor.times import span

    examination = _examination(context)
    try:
        letters = _letters(examination, chosen)
    finally:
        examination.close()
    pages = max(1, -(-len(letters) // size))
    shown = list(islice(letters, (page - 1) * size, page * size))
    if as_json:
        _dump({"total": len(letters), "page": page, "pages": pages, "letters": [x.model_dump() for x in shown]})
        return 0
    rows = [
        [x.id, span(x.age_ms), x.group, x.platform, x.event_type, x.error, x.message_id or x.event_id or ""]
        for x in shown
    ]
    if rows:
        from tabulate import tabulate

        headers = ["id", "age", "group", "platform", "event type", "error", "message"]
        show(tabulate(rows, headers, "simple", disable_numparse=True) + "\n\n")
    show(f"{len(letters):,} dead {'letter' if len(letters) == 1 else 'letters'}, page {page} of {pages}\n")
    return 0


def _show(context: typer.Context, letter_id: str, reveal: bool, as_json: bool) -> int:
    from blueplane_doctor.custody.letters import find_letter
    from blueplane_doctor.text import plain

    if reveal and not sys.stdout.isatty():
        raise UsageError("--reveal shows private content, and only to a terminal", "leave it out, or do not redirect")
    examination = _examination(context)
    try:
        letter, raw = find_letter(examination, letter_id)
    finally:
        examination.close()
    if as_json:
        _dump(letter.model_dump())
        return 0
    lines = [
        f"{name.replace('_', ' '):<12} {'' if value is None else value}" for name, value in letter.model_dump().items()
    ]
    for name, value in sorted(raw.fields.items()):
        content = plain(value, 10_000) if reveal else f"({len(value):,} bytes, private; --reveal shows it)"
        lines.append(f"  {plain(name, 40):<22} {content}")
    show("\n".join(lines) + "\n")
    return 0


def _stats(context: typer.Context, chosen: tuple[str | None, ...], as_json: bool) -> int:
    from blueplane_doctor.custody.letters import summed_up

    examination = _examination(context)
    try:
        found = summed_up(_letters(examination, chosen), examination)
    finally:
        examination.close()
    if as_json:
        _dump(found.model_dump())
    else:
        show(_told(found))
    return 0


def _told(found: "LetterStats") -> str:
    from tabulate import tabulate

    from blueplane_doctor.times import span

    if not found.total:
        return "No dead letters\n"
    lines = [
        f"{found.total:,} dead letters of {found.distinct_messages:,} messages: {found.verdict}; "
        f"{found.last_hour:,} in the last hour, {found.hour_before:,} in the hour before; "
        f"the oldest is {span(found.oldest_age_ms or 0)} old",
        "",
        tabulate(
            [[g.fingerprint, g.count, g.last_hour, span(g.oldest_age_ms), g.error, g.example_id] for g in found.groups],
            ["error", "letters", "last hour", "oldest", "what went wrong", "for example"],
            "simple",
            disable_numparse=True,
        ),
        "",
    ]
    lines += [f"{stream}: {size:,} of {found.limits[stream]:,}" for stream, size in sorted(found.sizes.items())]
    lines += [f"{stream} is about to discard its oldest entries" for stream in found.about_to_discard]
    return "\n".join(lines) + "\n"


def _dump(value: Any) -> None:
    show(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

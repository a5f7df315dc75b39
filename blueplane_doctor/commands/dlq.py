"""Dead letters: list, show, stats. Reads only."""

import sys
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import (
    command,
    group,
    new_command,
)
from blueplane_doctor.commands.letter_options import choosing_letters
from blueplane_doctor.errors import UsageError
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.dead_letter_stats import summarize
from blueplane_doctor.lookup.dead_letters import (
    DeadLetter,
    DeadLetterFilter,
    each_dead_letter,
    find_dead_letter,
)
from blueplane_doctor.settings.options import PIPELINE
from blueplane_doctor.text.characters import plain
from blueplane_doctor.text.console import show, show_json, show_table
from blueplane_doctor.text.quantities import many
from blueplane_doctor.text.times import readable, span

COMMAND = group(new_command(__doc__))
_SHARED = (*PIPELINE, "timeout")
_FORMATS = ("table", "json")


@dataclass(frozen=True)
class _Page:
    """Some of the dead letters."""

    number: int
    size: int

    def count(self, total: int) -> int:
        """Pages that so many take; an empty list takes one."""
        return max(1, -(-total // self.size))  # rounded up

    def of(self, letters: list[DeadLetter]) -> list[DeadLetter]:
        """Those on this page."""
        return letters[(self.number - 1) * self.size : self.number * self.size]


@command(COMMAND, *_SHARED, name="list", formats=_FORMATS)
@choosing_letters
def dlq_list(
    given: Invocation,
    *,
    chosen: DeadLetterFilter,
    page: Annotated[int, typer.Option(help="Show this page.", min=1, metavar="N")] = 1,
    page_size: Annotated[int, typer.Option(help="Letters on a page.", min=1, max=1000, metavar="N")] = 25,
) -> None:
    """List dead letters of both streams, newest first."""
    with closing(Examination(given.load().settings)) as examination:
        letters = _letters(examination, chosen)
    one_page = _Page(page, page_size)
    shown = one_page.of(letters)
    pages = one_page.count(len(letters))
    if given.format == "json":
        rows = [letter.model_dump() for letter in shown]
        show_json({"total": len(letters), "page": page, "pages": pages, "letters": rows})
        return
    if shown:
        headers = ["id", "age", "group", "platform", "event type", "error", "message"]
        show_table(list(map(_row, shown)), headers)
        show("\n")
    show(f"{many(len(letters), 'dead letter', 'dead letters')}, page {page} of {pages}\n")


def _row(letter: DeadLetter) -> list[str]:
    message = letter.message_id or letter.event_id or ""
    age = span(letter.age_ms)
    return [letter.id, age, letter.group, letter.platform, letter.event_type, letter.error, message]


@command(COMMAND, *_SHARED, name="show", formats=_FORMATS)
def dlq_show(
    given: Invocation,
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="Its own ID, or that of its message.")],
    stream: Annotated[
        str, typer.Option("--stream", help="Look only in this dead-letter stream.", metavar="STREAM")
    ] = "",
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the private content too, on a terminal.")] = False,
) -> None:
    """Show one dead letter, by its ID or that of its message."""
    if reveal and given.format == "json":
        raise UsageError(
            "--reveal shows private content for a person to read, and not as JSON", "leave one of them out"
        )
    if reveal and not sys.stdout.isatty():
        raise UsageError("--reveal shows private content, and only to a terminal", "leave it out, or do not redirect")
    with closing(Examination(given.load().settings)) as examination:
        letter, raw = find_dead_letter(examination, letter_id, stream)
    if given.format == "json":
        show_json(letter.model_dump())
        return
    for name, value in letter.model_dump().items():
        show(f"{name.replace('_', ' ').removesuffix(' ms'):<12} {_shown(name, value)}\n")
    for field, content in sorted(raw.fields.items()):
        shown = f"({many(len(content), 'byte', 'bytes')}, private; --reveal shows it)"
        if reveal:
            shown = plain(content, 10_000)
        show(f"  {plain(field, 40):<22} {shown}\n")


@command(COMMAND, *_SHARED, name="stats", formats=_FORMATS)
@choosing_letters
def dlq_stats(
    given: Invocation,
    *,
    chosen: DeadLetterFilter,
) -> None:
    """What went wrong, how often, since when, and whether it goes on."""
    with closing(Examination(given.load().settings)) as examination:
        summary = summarize(_letters(examination, chosen), examination)
    if given.format == "json":
        show_json(summary.model_dump())
        return
    if not summary.total:
        show("No dead letters\n")
        return
    goes_on = "more arrive" if summary.last_hour else "no more arrive"
    letters = many(summary.total, "dead letter", "dead letters")
    show(
        f"{letters} of {many(summary.distinct_messages, 'message', 'messages')}: {goes_on}; "
        f"{summary.last_hour:,} in the last hour, {summary.hour_before:,} in the hour before; "
        f"the oldest is {span(summary.oldest_age_ms or 0)} old\n\n"
    )
    rows = []
    for cause in summary.groups:
        oldest = span(cause.oldest_age_ms)
        rows.append([cause.fingerprint, cause.count, cause.last_hour, oldest, cause.error, cause.example_id])
    show_table(rows, ["error", "letters", "last hour", "oldest", "what went wrong", "for example"])
    show("\n")
    for stream, size in sorted(summary.sizes.items()):
        show(f"{stream}: {size:,} of {summary.limits[stream]:,}\n")
    for stream in summary.about_to_discard:
        show(f"{stream} is about to discard its oldest entries\n")


def _shown(name: str, value: Any) -> str:
    """A field of a letter for people: ages as spans, times without `T`, a dash for what it does not have."""
    if value is None or value == "":
        return "–"
    if name.endswith("_ms"):
        return span(value)
    if isinstance(value, str):
        return readable(value)
    return str(value)


def _letters(examination: Examination, wanted: DeadLetterFilter) -> list[DeadLetter]:
    """Newest first."""
    letters = each_dead_letter(examination, wanted)
    return sorted(letters, key=lambda letter: (letter.age_ms, letter.stream, letter.id))

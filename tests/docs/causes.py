"""Writes docs/CAUSES.md: all causes, and which of them are there in each situation that is tried. `make docs`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from blueplane_doctor.causeapi import STAGES, CauseSpec
from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.plugins.discovery import find_checks
from tests.truth.expected_causes import (
    BY_PAIR,
    BY_SITUATION_WHERE_IT_REMEMBERS,
    REMEMBERS,
    Row,
    of_faults,
    of_situation,
    pairs_of_faults,
)
from tests.truth.situations import SITUATIONS

TARGET = Path(__file__).parents[2] / "docs" / "CAUSES.md"
ABOUT = {
    "redis": "Redis",
    "database": "The database",
    "server": "The server",
    "messages": "The messages",
    "capture": "Capture",
}
SECTIONS = {
    "A": "Gone, or not to be judged",
    "B": "Whether Redis takes and keeps what it is given",
    "C": "Counters, words and clocks",
    "D": "What remedies are for",
    "E": "On the real server",
    "F": "One message in hand",
    "N": "In order",
}
HEAD = """\
<!-- Made by `make docs` from checks/cause_*.py and tests/truth/expected_causes.py; a test compares. -->

# Causes

One fault is seen by many checks. A cause is the fault: the report shows causes first, each with the findings that
follow from it. A finding of yellow or worse stands under one cause, or for itself where nothing tells what it comes
from. A cause that follows from another one is named with it, and not shown for itself. A cause that is only likely says
what would make it certain.

Where several causes are there, what is deeper stands first: Redis, the database, the server, the messages, capture.
"""
RESULTS = """\
# Results

Each situation of `tests/truth/` and each fault of the demo, alone and with every other one, is built on a live server.
The report has exactly these causes, each finding of yellow or worse is explained by one of them or stands in the fourth
column, and no other cause is there: `tests/truth/test_causes.py`. The table was written by what is done to the
pipeline, not by what the program says.
"""
READ_TWICE = """\
# What was read twice

The tables of all faults of the demo were read for cause and next step. These sentences had to be read twice, and were
written anew.

| fault | as it was | what was not clear |
|---|---|---|
| malformed-payloads | A producer sends payloads that the writer passes over | whether the writer reads them later |
| malformed-payloads | Mend the producer; save the messages before the stream trims them | two steps in one sentence |
| poison-duplicate | 40 messages are stuck in processors behind 17…-39: … | which message cannot be written |
| retry-storm | The group claude_processors was given the same message 327 times | that this is a consumer group |
| orphaned-messages | … are held by claude-consumer-42, gone while others work. They wait for ever | who is gone |
| locked-database | 120 messages were left unwritten with the writer | whether the writer still has them to write |
| dead-letter-growth | two causes with the title "A writer gives messages up, to the dead letters" | why there are two |
| silent-hooks | beforeSubmitPrompt fired 4 h ago | that this is the last time |
| silent-hooks | Likely; what would make it certain: … | what the semicolon joins |
"""


def text() -> str:
    """The whole document."""
    parts = [HEAD]
    specs = sorted(find_checks().causes, key=lambda spec: (STAGES.index(spec.stage), spec.id))
    for stage in STAGES:
        parts.append(f"## {ABOUT[stage]}\n")
        parts.append(_table_of_causes(spec for spec in specs if spec.stage == stage))
    parts.append(RESULTS)
    parts.append("## Faults of the demo\n")
    parts.append(_table(_faults()))
    parts.append("## Two faults at once\n")
    parts.append(
        "All other pairs have exactly the causes of both: "
        f"{len(pairs_of_faults()) - len(BY_PAIR)} of {len(pairs_of_faults())}.\n"
    )
    parts.append(_table(_pairs()))
    for section, title in SECTIONS.items():
        parts.append(f"## {section}. {title}\n")
        parts.append(_table(_situations(section)))
    parts.append(READ_TWICE)
    return "\n".join(parts).rstrip() + "\n"


def _table_of_causes(specs: Iterable[CauseSpec]) -> str:
    lines = ["| cause | what it is | shown by | may follow from | repair |", "|---|---|---|---|---|"]
    for spec in specs:
        repair = f"`repair {spec.repair}`" if spec.repair else spec.no_repair or "by filter"
        shown_by = ", ".join(spec.shown_by)
        lines.append(f"| `{spec.id}` | {spec.title} | {shown_by} | {', '.join(spec.follows)} | {repair} |")
    return "\n".join(lines) + "\n"


def _table(rows: Iterable[tuple[str, Row]]) -> str:
    lines = ["| situation | causes | follow from them | stand for themselves | why |", "|---|---|---|---|---|"]
    for what, row in rows:
        causes = ", ".join(f"**{cause}**" for cause in row.causes) or "none"
        lines.append(f"| {what} | {causes} | {', '.join(row.follows)} | {', '.join(row.alone)} | {row.why} |")
    return "\n".join(lines) + "\n"


def _faults() -> Iterator[tuple[str, Row]]:
    yield "healthy", Row()
    for fault in FAULTS.values():
        yield f"{fault.name}: {fault.summary}", of_faults(fault.name)


def _pairs() -> Iterator[tuple[str, Row]]:
    for pair, row in BY_PAIR.items():
        yield " and ".join(pair), row


def _situations(section: str) -> Iterator[tuple[str, Row]]:
    for name, entry in SITUATIONS.items():
        if entry.section == section:
            sentence = " ".join(entry.sentence.split()).replace("|", "\\|")
            yield f"{name}: {sentence}", of_situation(name)
            if name in BY_SITUATION_WHERE_IT_REMEMBERS:
                yield f"{name}, on Redis 7.0", of_situation(name, REMEMBERS)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")

"""Writes docs/TROUBLESHOOTING.md, a section a check, from the checks themselves: `make docs`."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.model import Finding, Remedy, Status
from blueplane_doctor.plugins.discovery import find_checks, find_monitors
from blueplane_doctor.scales import Scale, scale_words
from tests.checks.builders import empty_records, healthy_records
from tests.checks.unhealthy import UNHEALTHY

TARGET = Path(__file__).parents[2] / "docs" / "TROUBLESHOOTING.md"
AREAS = {
    "disk": "The disks",
    "redis": "Redis",
    "server": "The server",
    "database": "The database",
    "queue": "The queue",
    "dead-letters": "Dead letters",
    "chain": "Chain of custody",
    "capture": "Capture",
    "notify": "Telling people",
}
"""In the order in which one fault causes the next."""
FIRST = ("redis-reachable", "server-alive", "database-reachable", "writer-missing", "stuck-consumers", "retry-storm")
"""What the others of its area follow from."""
HEAD = """\
<!-- Made by `make docs` from the checks; a test compares. Edit the docstrings in checks/, not this file. -->

# Troubleshooting

Find the check by its id in the report; each has a section here. `blueplane-doctor checks ID` says the same in your
terminal, with the numbers that your settings gave it.

**If much is red at once, begin at the top of this list and stop at the first one that is red.** The areas stand in the
order in which one fault causes the next. Without Redis nothing can be judged; without a server nothing is written; and
behind a writer that is stuck everything else piles up. Correct that one, wait a minute, and look again.

**Before you restart anything** while messages are missing, keep what is there to see:

```
blueplane-doctor --save-evidence evidence.json -o report.html
```

`unknown` is no fault of the pipeline: something could not be told, and the finding says what would make it known.
`not_set_up` is an offer: an optional part (the recorder, the history) was never set up.
The scales are the defaults; `thresholds` in `~/.blueplane/doctor.yaml` sets others, and `blueplane-doctor checks` shows
those in force. Commands name the usual places here; in a report they name your own home, address and port.
"""


def text() -> str:
    """The whole document."""
    specs = sorted(find_checks().checks, key=_place)
    ids = [spec.id for spec in specs]
    sections = ("\n" + "\n\n".join(_section(spec, [i for i in ids if i != spec.id])) for spec in specs)
    return "\n".join([HEAD, *_contents(specs), *sections]) + "\n"


def _contents(specs: list[CheckSpec]) -> Iterator[str]:
    for area, name in AREAS.items():
        yield f"- {name}: " + ", ".join(f"[{spec.id}](#{spec.id})" for spec in specs if spec.area == area)


def _place(spec: CheckSpec) -> tuple[int, int, str]:
    return list(AREAS).index(spec.area), FIRST.index(spec.id) if spec.id in FIRST else len(FIRST), spec.id


def _section(spec: CheckSpec, others: list[str]) -> Iterator[str]:
    meaning, _, causes = spec.doc.partition("\n\n")[2].partition("Causes:\n")
    ill = spec.run(healthy_records() | UNHEALTHY[spec.id])
    yield f"## {spec.id}"
    yield f"**{spec.title}.**"
    yield f"> {ill.status}: {ill.summary}"
    yield _linked(_one_line(meaning), others)
    assert spec.scale, "every built-in check has one"
    yield _table(spec.scale)
    if why := _one_line((inspect.getcomments(spec.function) or "").replace("# ", "")):
        yield f"Why these numbers: {why}"
    yield "Likely causes:\n\n" + _linked(causes.strip(), others)
    yield from _remedy("What to do:", ill.remedy, others)
    yield from _not_known(spec, others)
    yield "Where its numbers come from: " + " ".join(_origin(name) for name in spec.needs if name != "locations")


def _not_known(spec: CheckSpec, others: list[str]) -> Iterator[str]:
    """What it says where nothing is there to judge, as far as that is a common case."""
    found: Finding = spec.run(empty_records())
    if found.status is Status.NOT_SET_UP:
        yield f"It is `not_set_up` until that is there: {_linked(found.cause, others)}."
        yield from _remedy("To set it up:", found.remedy, others)
    if found.status is Status.UNKNOWN:
        yield f"It is `unknown` when too little is known, for example: {_linked(found.cause, others)}."
        yield from _remedy("To make it known:", found.remedy, others)


def _remedy(words: str, remedy: Remedy | None, others: list[str]) -> Iterator[str]:
    if remedy:
        yield f"{words} {_linked(remedy.text, others)}"
        if remedy.commands:
            yield "\n".join(["```", *remedy.commands, "```"])


def _table(scale: Scale) -> str:
    described = scale_words(scale)
    unit = f" {scale.unit}" if scale.unit else ""
    rule = "|".join("---" for _ in described)
    return f"| {' | '.join(described)} |\n|{rule}|\n| {' | '.join(f'{words}{unit}' for words in described.values())} |"


def _origin(name: str) -> str:
    return f"{_one_line(find_monitors()[name].__doc__ or '')} (record `{name}`)"


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _linked(words: str, ids: list[str]) -> str:
    """The names of other checks as links to their sections."""
    return re.sub(rf"(?<![\w`-])({'|'.join(ids)})(?![\w-])", r"[\1](#\1)", words)


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")

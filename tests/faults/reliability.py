"""Writes docs/RELIABILITY.md from the results of a run.

BLUEPLANE_TEST_MATRIX=FOLDER BLUEPLANE_TEST_PROFILE=long python -m pytest tests/faults -n 2
python -m tests.faults.reliability FOLDER
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.commands import COMMANDS
from tests.faults.every_fault import FAULTS
from tests.faults.service_faults import SERVICE_FAULTS
from tests.faults.test_killed import NAME as KILLED_NAME

DOCUMENT = Path(__file__).parents[2] / "docs" / "RELIABILITY.md"
SECTIONS = ("Redis", "database", "files", "surroundings", "service")
INTRODUCTION = """# Reliability: the fault matrix

Each fault below is made for real (a server, a file, a signal, a clock), and each command that it concerns is run on it
as a process. **Right** means, for every single run: no traceback and no internal error; one of the documented exit
codes; ended within `--timeout` and a second; nothing written to the Redis and the files that are examined; every area
that the fault does not hide still judged; the true cause named; no process and no temporary file left behind. For
`serve` under load: 300 clients ask all the time, none is cut off, the verdict turns and comes back, and threads and
open files are as before.

The faults are in `tests/faults/` (one file a section), what "right" means is in `tests/faults/right.py`. CI runs each
fault with one of its commands, and those of Redis and the database with `examine` too; `make test-faults` runs all, and
writes this file anew with what it saw. The tables hold what was seen: a command that is not named was not run then.
The server is Valkey 9.1; the faults of Redis are tried on Redis 7.0 as well. Nothing written means: keys, groups,
pending entries and files are as before, and no command that writes was sent, not even one that changes nothing.
"""

LATE = (
    "*Late*: right, but not within `--timeout` and a second, nor later than six; so much the start of a process may\n"
    "take where others use the processors."
)


def document(results: list[dict[str, Any]]) -> str:
    """The whole text."""
    return "\n".join([INTRODUCTION, *_totals(results), "", *_sections(results)])


def _totals(results: list[dict[str, Any]]) -> Iterator[str]:
    yield "| | faults | runs | right | wrong | late |"
    yield "|---|---:|---:|---:|---:|---:|"
    for section in SECTIONS:
        yield _total(section, [result for result in results if result["section"] == section])
    yield _total("**together**", results)
    yield ""
    yield LATE


def _total(name: str, results: list[dict[str, Any]]) -> str:
    faults = {result["fault"] for result in results}
    wrong = [result for result in results if result["misses"]]
    late = [result for result in results if result["late"] and not result["misses"]]
    return f"| {name} | {len(faults)} | {len(results)} | {len(results) - len(wrong)} | {len(wrong)} | {len(late)} |"


def _sections(results: list[dict[str, Any]]) -> Iterator[str]:
    by_fault: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for result in results:
        by_fault[result["fault"]].append(result)
    for section in SECTIONS:
        yield f"## {section[0].upper()}{section[1:]}"
        yield ""
        yield "| fault | commands | right |"
        yield "|---|---|---:|"
        for fault in _names(section):
            yield _row(fault, by_fault[fault])
        yield ""


def _names(section: str) -> list[str]:
    if section == "service":
        return [f"service-{name}" for name in SERVICE_FAULTS]
    names = [fault.name for fault in FAULTS.values() if fault.section == section]
    if section == "surroundings":
        names.append(KILLED_NAME)
    return names


def _row(fault: str, results: list[dict[str, Any]]) -> str:
    order = list(COMMANDS)
    results = sorted(results, key=lambda result: order.index(result["command"]))
    right = [result for result in results if not result["misses"]]
    words = []
    for result in results:
        command = result["command"]
        words.append(f"**{command}: {_kinds(result)}**" if result["misses"] else command)
    named = ", ".join(dict.fromkeys(words))  # a command that was run on both servers stands there once
    return f"| {fault} | {named} | {len(right)} of {len(results)} |"


def _kinds(result: dict[str, Any]) -> str:
    return ", ".join(sorted({miss.partition(":")[0] for miss in result["misses"]}))


def main(folder: Path) -> None:
    """Read the results and write the document."""
    results = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
    DOCUMENT.write_text(document(results), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

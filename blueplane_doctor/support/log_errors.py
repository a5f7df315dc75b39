"""The error lines of the server's log: when, which logger, what kind of error, the sentence's shape; no private word.

A message may quote anything: prompts, paths, addresses. So words are not taken out, they are let in: those of a fixed
vocabulary, and the names of error classes. All else becomes `…`, every number `#`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from blueplane_doctor.pipeline import BUFFER_TABLE, TRACE_TABLES
from blueplane_doctor.sources.log_tail import ERRORS, LINE
from blueplane_doctor.text import word

MOST_ENTRIES = 200
"""The newest are kept."""
MOST_LINES = 40
"""Of one entry: a traceback is as long as it is deep."""
MOST_CHARACTERS = 400
"""Of one line, before it is looked at."""

_WORDS = """
a acknowledge acknowledged acknowledging after again all already an and any as at attempt attempts be because been
before being but by call can cannot close closed closing could data deliver delivered did do does done during each
error errors exceeded exit exited expected fail failed failing failure failures field fields file for found from
given gone got had handle handled has have id ids if in instead into invalid is it its key keys last later left lost
many max maximum message messages missing more most must never new no none not nothing null number of on one only
open opened or other out over parse parsing poll process processed processing read reading received refused reject
rejected remaining reset retries retry retrying return returned run running seconds send sending sent shutdown since
skip skipped skipping so some start started starting stop stopped stopping still table than that the then there this
time timed timeout times to too try trying type unable under unexpected unknown unreadable until up value values was
went when which while will with within without write writing written wrong yet batch batches buffer buffered cdc
claude client column columns composer connect connected connecting connection connections constraint consumer
consumers coroutine cursor database databases dead decode decompress disk dlq encode endpoint entries entry event
events exception export extension extractor feed flush group groups handler health hook hooks http index insert
integer integrity json jsonl letter letters list load lock locked log loop malformed memory metadata monitor object
offset offsets operational page payload pending permission pid pipeline platform pool port producer queue queued
readonly redis request response row rows schema select sequence server session sessions socket sqlite sqlite3
storage stream streams string task telemetry thread trace traceback traces transaction transcript unique update
watcher worker workers workspace writer xack xadd xclaim xpending xreadgroup
"""
_NAMES = ("event_id", "external_id", "session_id", "uuid", "event_data", "enqueued_at", BUFFER_TABLE, *TRACE_TABLES)
VOCABULARY = frozenset((*_WORDS.split(), *_NAMES))
"""Words that logs are made of, and the pipeline's own names; none of them tells who did what."""

_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`""")
_TOKEN = re.compile(r"[A-Za-z_][\w.]*|\d+|[^\w\s]|\s+")
_ERROR_CLASS = re.compile(r"(?:[a-z_][a-z0-9_]{0,30}\.){0,3}[A-Z][A-Za-z]{0,40}(?:Error|Exception|Warning|Timeout)\Z")
_FRAME = re.compile(r'\s+File ".*", line (\d+), in (\w{1,60})')
_SHAPE = frozenset(":;,.()[]=-/")
_GAPS = re.compile(r"…(?:[\s:;,.()\[\]=/#-]*…)+")


@dataclass(frozen=True)
class LogErrors:
    """What of the log may be told, and how much of it was not."""

    text: str
    shown: int
    """Error entries in the text."""
    older: int
    """Error entries in the tail that are too old to be kept."""
    others: int
    """Entries that are no errors."""


def log_errors(tail: bytes) -> LogErrors:
    """The error entries of the log's tail."""
    entries = list(_entries(tail.splitlines()))
    errors = [lines for is_error, lines in entries if is_error]
    kept = errors[-MOST_ENTRIES:]
    text = "".join(f"{line}\n" for lines in kept for line in _told(lines))
    return LogErrors(text, len(kept), len(errors) - len(kept), len(entries) - len(errors))


def _entries(lines: Iterable[bytes]) -> Iterator[tuple[bool, list[bytes]]]:
    """Each entry with the lines that follow it, a traceback for example, and whether it is an error."""
    entry: tuple[bool, list[bytes]] | None = None
    for line in lines:
        if found := LINE.match(line):
            if entry:
                yield entry
            entry = (found[3] in ERRORS, [line])
        elif entry and len(entry[1]) < MOST_LINES:
            entry[1].append(line)
    if entry:
        yield entry


def _told(lines: list[bytes]) -> Iterator[str]:
    first, *rest = lines
    found = LINE.match(first)
    assert found
    moment, logger, level = (part.decode("utf-8", "replace") for part in found.groups())
    yield f"{moment} - {word(logger)} - {level} - {shape_of(first[found.end() :])}"
    for line in rest:
        told = _continued(line[:MOST_CHARACTERS].decode("utf-8", "replace"))
        if told:
            yield f"  {told}"


def _continued(line: str) -> str:
    """A line of a traceback: where, without the file, or which error; nothing of the code."""
    if frame := _FRAME.match(line):
        return f"File …, line {frame[1]}, in {frame[2]}"
    return "" if line.startswith(" ") else shape_of(line.encode())


def shape_of(message: bytes) -> str:
    """The message with every word that is not known to be harmless replaced."""
    text = message[:MOST_CHARACTERS].decode("utf-8", "replace")
    shown = "".join(_kept(token) for token in _TOKEN.findall(_QUOTED.sub("…", text)))
    return _GAPS.sub("…", shown).strip()


def _kept(token: str) -> str:
    if token.isspace():
        return " "
    if token.isdigit():
        return "#"
    if token.lower() in VOCABULARY or token in _SHAPE or _ERROR_CLASS.match(token):
        return token
    parts = token.split(".")
    return token if len(parts) > 1 and all(part in VOCABULARY for part in parts if part) else "…"

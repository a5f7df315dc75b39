"""The error lines of the server's log: when, which logger, what kind of error, the sentence's shape; no private word.

A message may quote anything: prompts, paths, addresses. So words are not taken out, they are let in: those of a fixed
vocabulary, and the classes, functions and loggers of known_names.py. All else becomes `…`, every number `#`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from blueplane_doctor.pipeline import BUFFER_TABLE, TRACE_TABLES
from blueplane_doctor.privacy.known_names import ERROR_CLASSES, FUNCTIONS, LOGGERS
from blueplane_doctor.privacy.public_text import OTHER, error_class, known
from blueplane_doctor.sources.log_entries import ERRORS, LINE
from blueplane_doctor.text import characters

MOST_ENTRIES = 200
"""The newest are kept."""
MOST_LINES = 40
"""Of one entry: a traceback is as long as it is deep."""
_MOST_CHARACTERS = 400
"""Of one line; the rest is cut off unread."""

_WORDS = """
a acknowledge acknowledged acknowledging after again all already an and any as at attempt attempts batch batches be
because been before being buffer buffered but by call can cannot cdc claude client close closed closing column columns
composer connect connected connecting connection connections constraint consumer consumers coroutine could cursor data
database databases dead decode decompress deliver delivered did disk dlq do does done during each encode endpoint
entries entry error errors event events exceeded exception exit exited expected export extension extractor fail failed
failing failure failures feed field fields file flush for found from given gone got group groups had handle handled
handler has have health hook hooks http id ids if in index insert instead integer integrity into invalid is it its
json jsonl key keys last later left letter letters list load lock locked log loop lost malformed many max maximum
memory message messages metadata missing monitor more most must never new no none not nothing null number object of
offset offsets on one only open opened operational or other out over page parse parsing payload pending permission pid
pipeline platform poll pool port process processed processing producer queue queued read reading readonly received
redis refused reject rejected remaining request reset response retries retry retrying return returned row rows run
running schema seconds select send sending sent sequence server session sessions shutdown since skip skipped skipping
so socket some sqlite sqlite3 start started starting still stop stopped stopping storage stream streams string table
task telemetry than that the then there this thread time timed timeout times to too trace traceback traces transaction
transcript try trying type unable under unexpected unique unknown unreadable until up update value values was watcher
went when which while will with within without worker workers workspace write writer writing written wrong xack xadd
xclaim xpending xreadgroup yet
"""
_NAMES = ("event_id", "external_id", "session_id", "uuid", "event_data", "enqueued_at", BUFFER_TABLE, *TRACE_TABLES)
_VOCABULARY = frozenset((*_WORDS.split(), *_NAMES))
"""Words that logs are made of, and the pipeline's own names; none tells who did what."""

_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`""")
_TOKEN = re.compile(r"[A-Za-z_][\w.]*|\d+|[^\w\s]|\s+")
_FRAME = re.compile(r'\s+File ".*", line (\d+), in (\w{1,60})')
_SHAPE = frozenset(":;,.()[]=-/")
_GAPS = re.compile(r"…(?:[\s:;,.()\[\]=/#-]*…)+")


class LogErrors(NamedTuple):
    """What of the log may be shown, and how much of it was not."""

    text: str
    shown: int
    """Error entries in the text."""
    older: int
    """Error entries in the tail that are too old to be kept."""
    others: int
    """Entries that are no errors."""


def log_errors(tail: bytes) -> LogErrors:
    """The error entries of the log's tail."""
    entries = _entries(tail.splitlines())
    errors = []
    for is_error, lines in entries:
        if is_error:
            errors.append(lines)
    kept = errors[-MOST_ENTRIES:]
    text = ""
    for lines in kept:
        for line in _shown(lines):
            text += f"{line}\n"
    return LogErrors(characters.lines(text), len(kept), len(errors) - len(kept), len(entries) - len(errors))


def _entries(lines: Iterable[bytes]) -> list[tuple[bool, list[bytes]]]:
    """Whether it is an error, and the lines, of each entry; those of a traceback follow it."""
    entries: list[tuple[bool, list[bytes]]] = []
    for line in lines:
        match = LINE.match(line)
        if match:
            level = match[3]
            entries.append((level in ERRORS, [line]))
        elif entries and len(entries[-1][1]) < MOST_LINES:
            entries[-1][1].append(line)
    return entries


def _shown(lines: list[bytes]) -> Iterator[str]:
    """An entry's lines, as far as they are harmless."""
    first, *rest = lines
    match = LINE.match(first)
    assert match  # an entry begins with such a line
    moment, logger, level = (part.decode("utf-8", "replace") for part in match.groups())
    message = first[match.end() :]
    yield f"{moment} - {_logger(logger)} - {level} - {shape_of(message)}"
    for line in rest:
        text = _continued(line[:_MOST_CHARACTERS].decode("utf-8", "replace"))
        if text:
            yield f"  {text}"


def _continued(line: str) -> str:
    """A line of a traceback: where, without the file, or which error; nothing of the code."""
    if frame := _FRAME.match(line):
        return f"File …, line {frame[1]}, in {known(frame[2], FUNCTIONS)}"
    if line.startswith(" "):
        return ""
    return shape_of(line.encode())


def shape_of(message: bytes) -> str:
    """The message with every word that is not known to be harmless replaced."""
    text = message[:_MOST_CHARACTERS].decode("utf-8", "replace")
    tokens = _TOKEN.findall(_QUOTED.sub("…", text))
    shown = "".join(map(_kept, tokens))
    return _GAPS.sub("…", shown).strip()


def _kept(token: str) -> str:
    if token.isspace():
        return " "
    if token.isdigit():
        return "#"
    if token.lower() in _VOCABULARY or token in _SHAPE or _is_error_class(token):
        return token
    if "." in token and _VOCABULARY.issuperset(part for part in token.split(".") if part):
        return token
    return "…"


def _is_error_class(token: str) -> bool:
    return token.rpartition(".")[2] in ERROR_CLASSES and error_class(token) == token


def _logger(name: str) -> str:
    """A logger of the pipeline's server or of a library it uses; `other` for any other."""
    if LOGGERS.issuperset(name.split(".")):
        return name
    return OTHER

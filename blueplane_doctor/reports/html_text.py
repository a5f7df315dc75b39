"""Texts of the page: cleaned, names and values as a reader knows them."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from blueplane_doctor.pipeline import BUFFER_TABLE
from blueplane_doctor.privacy.known_names import GROUPS, HOOK_TYPES, STREAMS, TABLES
from blueplane_doctor.readings import field_metric
from blueplane_doctor.reports.phrases import field_value
from blueplane_doctor.text.times import parse_time

CHARACTERS = 4_000
"""Of one text that are shown: enough for a traceback."""
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
"""Control, format and surrogate characters but tab and line feed: they hide, reorder or break text."""
_LABELS = {
    "before_setup": "Older than the setup",
    "blockers": "Messages that hold up others",
    "consumer_lag_is_at_least": "Consumer lag is a lower bound",
    "deleted_at": "Claude Code deletes them from",
    "dlq_errors": "Dead letters by error",
    "dlq_newest_ids": "Newest dead letters",
    "dlq_sizes": "Dead letters by stream",
    "dlq_unreadable": "Streams of dead letters that cannot be read",
    "dlq_unwritten_messages": "Dead letters whose message has no row",
    "errors_are_at_least": "Errors are a lower bound",
    "errors_window_seconds": "Errors are counted over",
    "expires_in_seconds": "Streams that expire",
    "forgotten": "Earlier losses are forgotten",
    "half_written": "Last lines that are not whole yet",
    "has_more_files": "More transcripts than one run reads",
    "is_set_aside": "Set aside by repair",
    "is_set_up": "Set up",
    "is_there": "There",
    "last_logged_timestamp": "Last line of the log",
    "lately": "Recent ones",
    "may_be_older": "May have begun earlier",
    "maxmemory_policy": "Policy when memory is full",
    "minutes_left": "Time left",
    "number": "Project",
    "payload_gone_of_one": "Payload gone, but perhaps written",
    "recorded_cause": "Why nothing is recorded",
    "recorded_hint": "How to record",
    "recorder_ran": "Recorder was running",
    "resolution_ms": "Times are exact to",
    "rows_deleted": "Row was deleted",
    "rows_pruned_unproven": "Untraceable: rows perhaps deleted by age",
    "since": "Period",
    "stopped_timestamp": "Stopped at",
    "success_rate": "Success rate",
    "tables": "Newest sequence numbers",
}
"""Fields whose names read badly as they are, and that are no metrics or mean another thing in another record."""
_NAMES = (STREAMS | GROUPS | TABLES | HOOK_TYPES) - {BUFFER_TABLE}
"""Of the pipeline: shown as they are. That of the buffer's table is a field's as well."""
_WORDS = {
    "wal": "WAL",
    "dlq": "dead letters",
    "db": "database",
    "http": "HTTP",
    "pid": "PID",
    "id": "ID",
    "ids": "IDs",
}
_LEFT_OUT = ("_ms", "_seconds", "_bytes", "_mb", "_events_per_sec", "_events_per_min", "_timestamp")
"""Ends of names of fields that their values tell."""
_DOTS = {
    "green": "2f8a5b",
    "yellow": "d4a800",
    "orange": "e07a1f",
    "red": "c8281e",
    "unknown": "6a7bd0",
}
"""Colours of the dot beside the page's title: to be seen on light and dark tabs."""
_NOTHING = Markup('<span class="none"><span aria-hidden="true">–</span><span class="sr">no value</span></span>')


def clean(value: Any) -> Any:
    """What the template prints: text without characters that are not meant to be seen, and without end."""
    if type(value) is not str:
        return value
    if len(value) > CHARACTERS:
        value = value[:CHARACTERS] + "…"
    if value.isascii() and value.isprintable():
        return value  # nearly all text, and three times as fast as looking for what is not
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", value)


def anchor(identity: str) -> str:
    """An ID as it stands in a link."""
    return quote(clean(identity))


@lru_cache(4096)
def title(identity: str) -> str:
    """`queue-depth` as `Queue depth`."""
    words = " ".join(_WORDS.get(word, word) for word in re.split("[-_]", identity))
    return words[:1].upper() + words[1:]


@lru_cache(4096)
def label(key: object) -> str:
    """The name of a field without its unit, `oldest_pending_age_ms` as `Oldest pending`; of the pipeline as it is."""
    name = str(key)
    if name in _NAMES:
        return name
    name = name.replace(" ", "_")
    metric = field_metric(name)
    if metric is not None:
        return metric.label
    if name in _LABELS:
        return _LABELS[name]
    for suffix in _LEFT_OUT:
        name = name.removesuffix(suffix)
    return title(name)


def shown(value: Any, key: object = "") -> str:
    """A plain value of the field `key`: a time as such, a dash where there is none, else in the field's unit."""
    if value is None or value == "":
        return _NOTHING
    if not isinstance(value, str):
        return field_value(value, str(key))
    moment = utc(value)
    if moment is None:
        return value
    return Markup(f'<time datetime="{moment.replace(" ", "T")}Z">{moment} UTC</time>')  # digits that we wrote


def number(value: Any) -> str:
    """A count in words: grouped digits, yes or no, `not known` for null."""
    if value is None:
        return "not known"
    return field_value(value, "")


def utc(text: Any) -> str | None:
    """`2026-03-14 09:26:53` for a time in ISO 8601; None for anything else."""
    # Most text is no time, and the fifth character tells at once.
    if not isinstance(text, str) or len(text) <= 10 or text[4] != "-":
        return None
    moment = parse_time(text)
    if moment is None:
        return None
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def clock_time(text: Any) -> str:
    """`09:26` of a time in ISO 8601; empty for anything else."""
    return (utc(text) or "")[11:16]


def begin_time(begin: Any, end: Any) -> str:
    """The same of the begin of a time axis, with the day where the axis ends on another one."""
    first = utc(begin) or ""
    last = utc(end) or ""
    if first[:10] != last[:10]:
        return first[:16]
    return clock_time(begin)


def favicon(status: str) -> str:
    """A dot in the colour of the status, as the address of a picture that needs no network."""
    colour = _DOTS.get(str(status), _DOTS["unknown"])
    circle = f"%3Ccircle cx='8' cy='8' r='7' fill='%23{colour}'/%3E"
    return f"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E{circle}%3C/svg%3E"

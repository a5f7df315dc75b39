"""Events that never reached the stream and are kept: in the hook's spool, among its inputs, in event_buffer.db."""

import os
from collections.abc import Iterator, Set
from contextlib import closing
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import FileUnreadable, SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.files.reading import opened_file
from blueplane_doctor.lookup.hops import Hop, new_hop
from blueplane_doctor.pipeline import BUFFER_TABLE
from blueplane_doctor.privacy.public_text import event_type, platform
from blueplane_doctor.sources.database_source import DatabaseSource
from blueplane_doctor.sources.dead_letters import json_object
from blueplane_doctor.sources.spooled_events import spooled_id, spooled_lines
from blueplane_doctor.text.times import from_milliseconds, parse_time
from blueplane_hook.files import names_of
from blueplane_hook.kept import SUFFIX
from blueplane_hook.spool import OWN_PREFIX

_SPOOLED = "spooled"
"""It waits in the hook's spool."""
_BUFFERED = "buffered"
"""It waits in event_buffer.db, from which nothing takes it out."""
_NOT_UNDERSTOOD = "not_understood"
"""It stands in an input that the hook did not understand and keeps as a whole."""
UNDELIVERED_ADVICE = {
    _SPOOLED: "Its hook could not deliver it and keeps it: the next call of a hook that reaches the server delivers "
    "it, and so does: blueplane-doctor repair spool",
    _BUFFERED: "The database monitor could not enqueue it and keeps it in event_buffer.db, from which nothing takes it "
    "out: blueplane-doctor repair buffer",
    _NOT_UNDERSTOOD: "The hook did not understand the input that names it, and keeps it whole: see hook-losses.",
}
_NAMES = ("event_id", "hook_event_id", "uuid", "generation_id", "tool_use_id")
"""Members of an event, of its metadata or of what the editor gave the hook, by which it may be asked for."""
_MOST_INPUT_BYTES = 16_000_000
"""Of all inputs that were not understood, the part that is searched."""
_SHORTEST = 8
"""Characters of an ID that is looked for in a text that nothing is known of."""
_MOST_ROWS = 50
"""Rows of the buffer that hold the ID somewhere, of which the first that has it as its own is taken."""


def undelivered(examination: Examination, wanted: Set[str]) -> dict[str, tuple[str, Hop]]:
    """For each of these IDs that a kept event has, its state, and where it is kept.

    A file that cannot be read counts as empty: spool, buffer and what hooks lost have checks of their own.
    """
    matches: dict[str, tuple[str, Hop]] = {}
    if not wanted:
        return matches
    home = examination.settings.home
    # What is known best comes last and stays: an event of the spool is understood, an input is only searched.
    for identity, event in _in_inputs(home, wanted):
        matches[identity] = (_NOT_UNDERSTOOD, event)
    for identity, event in _in_buffer(examination, wanted):
        matches[identity] = (_BUFFERED, event)
    for identity, event in _in_spool(home, wanted):
        matches[identity] = (_SPOOLED, event)
    return matches


def _in_spool(home: Path, wanted: Set[str]) -> Iterator[tuple[str, Hop]]:
    try:
        lines = spooled_lines(home)
    except FileUnreadable:
        return
    texts = [identity.encode("utf-8", "replace") for identity in wanted]
    for line in lines:
        identities = {spooled_id(line)}
        if any(text in line for text in texts):
            identities |= _identities(json_object(line).get("event"))
        for identity in wanted & identities:
            yield identity, _spooled_hop(json_object(line))


def _identities(event: Any) -> set[str]:
    """The IDs of an event, wherever it has them."""
    identities: set[str] = set()
    rest = [event]
    while rest:
        part = rest.pop()
        if not isinstance(part, dict):
            continue
        for name in _NAMES:
            if isinstance(part.get(name), str):
                identities.add(part[name])
        for name in ("payload", "metadata", "full_data", "hook_input", "entry_data"):
            rest.append(part.get(name))
    return identities


def _spooled_hop(request: dict[str, Any]) -> Hop:
    event = request.get("event")
    if not isinstance(event, dict):
        event = {}
    return _hop(event, request.get("platform"), "waits in the hook's spool")


def _hop(event: dict[str, Any], its_platform: Any, where: str) -> Hop:
    hook = event_type(str(event.get("hook_type") or event.get("event_type") or ""))
    moment = parse_time(event.get("timestamp"))
    of = platform(str(its_platform or "").encode("utf-8", "replace"))
    return new_hop("hook", f"{hook} of {of} {where}", moment, hook_type=hook)


def _in_buffer(examination: Examination, wanted: Set[str]) -> Iterator[tuple[str, Hop]]:
    file = examination.settings.buffer_file
    if not os.path.exists(file):
        return
    sql = f"SELECT event_data FROM {BUFFER_TABLE} WHERE instr(event_data, ?) ORDER BY id LIMIT {_MOST_ROWS}"
    with closing(DatabaseSource(file, examination.deadline, what="the event buffer")) as buffer:
        for identity in sorted(wanted):
            try:
                rows = buffer.rows(sql, (identity,))
            except SourceError:
                return
            for (text,) in rows:
                event = json_object(text)
                if identity in _identities(event):
                    yield identity, _hop(event, event.get("platform"), "waits in event_buffer.db")
                    break


def _in_inputs(home: Path, wanted: Set[str]) -> Iterator[tuple[str, Hop]]:
    """Of these nothing can be understood, so that a long enough ID anywhere in one counts."""
    texts = {}
    for identity in wanted:
        if len(identity) >= _SHORTEST:
            texts[identity.encode("utf-8", "replace")] = identity
    room = _MOST_INPUT_BYTES
    for name in names_of(str(home), OWN_PREFIX, SUFFIX):
        try:
            with opened_file(home / name) as opened:
                kept_at = from_milliseconds(opened.state.st_mtime_ns // 1_000_000)
                content = opened.read_at(0, room)
        except (FileUnreadable, OSError):
            continue
        room -= len(content)
        for text, identity in texts.items():
            if text in content:
                words = "an input that the hook did not understand names it"
                yield identity, new_hop("hook", words, kept_at)
        if room <= 0:
            return

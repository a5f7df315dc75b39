"""Health records let in public text alone, whatever a monitor puts into them."""

import re
from collections.abc import Iterator
from typing import Annotated, get_args, get_origin

import pytest

from blueplane_doctor.lookup.dead_letters import DeadLetter
from blueplane_doctor.lookup.hops import Hop
from blueplane_doctor.lookup.trace import Trace
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.privacy import public_fields
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import check_of
from tests.privacy.test_public_text import TOKENS

TYPES = {name: kind for name, kind in vars(public_fields).items() if get_origin(kind) is Annotated}
PUBLIC = {
    "MessageId": ("1-1", "5f0c6a52-0d2e-4b5e-9a35-000000000001"),
    "EventType": ("stop", "other"),
    "GroupName": ("processors",),
    "GroupNames": ("processors, claude_processors",),
    "ConsumerName": ("consumer-17",),
    "StreamName": ("telemetry:events",),
    "TableName": ("raw_traces",),
    "HookName": ("stop",),
    "RouteName": ("cursor", "unrouted"),
    "SourceName": (),
    "Version": ("7.4.1", "8", "unknown"),
    "EvictionPolicy": ("allkeys-lru", "unknown"),
}
OUR_WORDS = re.compile(
    r"(?:cause|hint|reason|equation|text|advice|summary|state|states|role|layout|refusal|uses|kind|unit|label|metric)$"
    r"|(?:_cause|_hint|_state|_status|_timestamp|_answer|_failure|_id|_at)$"
)
"""Last words of fields that hold sentences and states of ours, or times: what stands there is made by the doctor."""
NAMED_BY_US = frozenset(
    {
        *("first", "last", "start", "at", "since", "server", "shape", "verdict", "address", "home", "program", "stage"),
        *("detail", "points", "losses", "not_compared", "no_more_files", "refused", "room", "last_seen", "id"),
        "title",  # of a check or a cause, from its own docstring
    }
)
PUBLIC_WHERE_READ = frozenset(
    {
        *("CursorCompleteness.by_outcome", "CursorCompleteness.never_captured", "CursorCompleteness.first_missing"),
        # sources/hook_files.py makes names of hooks public, and quotes nothing else of a file
        *("WiringFault.editor", "WiringFault.place", "WiringFault.entry"),
        # addresses and files as address_of and _shown let them out
        *("Used.compared", "Used.name", "Used.shown_by", "ServerUses.examined_redis"),
        *("ServerUses.configuration", "ServerUses.unused_config"),
    }
)
"""Fields of one record, whose text is made public by what reads it; the corpus of secrets is tried on each."""


@pytest.mark.parametrize("name", TYPES)
def test_a_public_text_is_let_in_as_it_is(name: str) -> None:
    check = check_of(TYPES[name])
    for text in PUBLIC[name]:
        assert check(text) == text


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("name", TYPES)
def test_any_other_is_not(name: str, token: str) -> None:
    if token in PUBLIC[name] or (name == "ConsumerName" and token == "consumer-4711"):
        return
    check = check_of(TYPES[name])
    shown = check(token)
    assert token not in shown
    assert check(shown) == shown  # as it is read back from kept evidence


def test_a_fingerprint_in_the_name_of_a_metric_stays() -> None:
    assert check_of(public_fields.GroupName)("_hidden-5f0c6a52_") == "_hidden-5f0c6a52_"


def records() -> Iterator[type[Record]]:
    """All records that monitors and look-ups make, those within others too."""
    left: list[type[Record]] = [DeadLetter, Trace, Hop]
    left += [monitor.record for monitor in find_monitors().values()]
    seen: set[type[Record]] = set()
    while left:
        record = left.pop()
        if record in seen or record.__name__ == "Locations":
            continue
        seen.add(record)
        yield record
        for field in record.model_fields.values():
            left += [kind for kind in kinds_in(field.annotation) if isinstance(kind, type) and issubclass(kind, Record)]


def kinds_in(annotation: object) -> Iterator[object]:
    """The types within a type."""
    yield annotation
    for part in get_args(annotation):
        yield from kinds_in(part)


@pytest.mark.parametrize("record", sorted(records(), key=lambda record: record.__name__))
def test_each_field_of_text_is_public(record: type[Record]) -> None:
    """A new one has a type of public_fields.py, or is a sentence of ours and named like one."""
    for name, field in record.model_fields.items():
        is_checked = any(get_origin(kind) is Annotated for kind in kinds_in(field.annotation))
        holds_text = str in kinds_in(field.annotation)
        if holds_text and not is_checked:
            qualified = f"{record.__name__}.{name}"
            assert OUR_WORDS.search(name) or name in NAMED_BY_US or qualified in PUBLIC_WHERE_READ, qualified

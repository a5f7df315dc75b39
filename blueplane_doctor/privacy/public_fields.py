"""Types of the fields of health records that hold names and IDs from outside.

Whatever a monitor puts there, the record lets in public text alone: a name that the contract knows, an ID of a known
form, else a fingerprint. So reports, evidence, the bundle and the HTTP answers, which are made of records, hold nothing
else. A record that is read back from kept evidence holds the same text again.
"""

import re
from collections.abc import Callable
from typing import Annotated

from blueplane_doctor.privacy import public_text
from blueplane_doctor.privacy.known_names import HOOK_TYPES, ROUTES, TABLES
from blueplane_doctor.records.field_checks import Cleaned
from blueplane_doctor.text.characters import Public

_STANDS_FOR_ANOTHER = re.compile(r"<hidden-[0-9a-f]{8}>\Z|_hidden-[0-9a-f]{8}_\Z|none\Z|other\Z")
"""A fingerprint, as it is and as part of the name of a metric; and the words for nothing and for any other name."""
_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,5}){0,3}\Z", re.ASCII)
_POLICIES = frozenset(
    {
        *("noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-lrm", "allkeys-random"),
        *("volatile-lru", "volatile-lfu", "volatile-lrm", "volatile-random", "volatile-ttl"),
    }
)
UNKNOWN = Public("unknown")


def _once(public: Callable[[str], Public]) -> Cleaned:
    def validate(value: str) -> str:
        if _STANDS_FOR_ANOTHER.match(value):
            return value
        return public(value)

    return Cleaned(validate)


def _groups(value: str) -> str:
    names = []
    for name in value.split(", "):
        is_public = _STANDS_FOR_ANOTHER.match(name)
        names.append(name if is_public else public_text.group(name))
    return ", ".join(names)


def _table(value: str) -> Public:
    return public_text.known_or_hidden(value, TABLES)


def _hook(value: str) -> Public:
    return public_text.known_or_hidden(value, HOOK_TYPES)


def _route(value: str) -> Public:
    return public_text.known_or_hidden(value, ROUTES)


def _version(value: str) -> Public:
    return Public(value) if _VERSION.match(value) else UNKNOWN


def _policy(value: str) -> Public:
    return Public(value) if value in _POLICIES else UNKNOWN


MessageId = Annotated[str, _once(public_text.identifier)]
EventType = Annotated[str, _once(public_text.event_type)]
GroupName = Annotated[str, _once(public_text.group)]
GroupNames = Annotated[str, Cleaned(_groups)]
"""Several, between commas."""
ConsumerName = Annotated[str, _once(public_text.consumer)]
StreamName = Annotated[str, _once(public_text.stream)]
TableName = Annotated[str, _once(_table)]
HookName = Annotated[str, _once(_hook)]
RouteName = Annotated[str, _once(_route)]
SourceName = Annotated[str, _once(public_text.hidden)]
"""A source of messages that the contract does not know."""
Version = Annotated[str, _once(_version)]
EvictionPolicy = Annotated[str, _once(_policy)]

"""The message inside a dead letter, as its producer would add it. No I/O.

The Cursor consumer keeps the message's own fields, byte for byte. The Claude consumer and the queue writer keep it as
JSON, in which payload and metadata are objects: they become JSON text again, as the producers write it.
"""

import json
from typing import Any

from blueplane_doctor.repair.plan import Fields
from blueplane_doctor.sources.dead_letters import DeadLetterEntry, json_object
from blueplane_doctor.sources.letter_errors import SET_ASIDE_FIELD

_ADDED = (b"original_entry_id", b"moved_to_dlq_at", b"stream", b"consumer_group", SET_ASIDE_FIELD)
"""By the Cursor consumer, and by a repair that sets a message aside."""
_JSON_OF = {"claude_consumer": b"event", "queue_writer": b"original_data"}
"""For each shape the field that holds the message."""


def message_in(letter: DeadLetterEntry) -> Fields | None:
    """The message of a dead letter; None where the letter does not hold it."""
    if letter.shape == "cursor_consumer":
        return [(name, value) for name, value in letter.fields.items() if name not in _ADDED]
    name = _JSON_OF.get(letter.shape)
    if name is None:
        return None
    content = json_object(letter.fields.get(name))
    if not content:
        return None
    fields = []
    for key, value in content.items():
        text = _text(value)
        if text is not None:
            fields.append((key.encode("utf-8", "surrogatepass"), text.encode("utf-8", "surrogatepass")))
    return fields


def _text(value: Any) -> str | None:
    """A value as the producers write it into the stream, where all values are text."""
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)

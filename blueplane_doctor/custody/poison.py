"""What in a message makes its writer fail, by the types of its values alone. Text is never looked at, nor shown.

Seen on the pipeline's own server: see docs/PIPELINE.md. A writer that fails at one message writes none of its batch.
"""

from typing import Any

from blueplane_doctor.custody.messages import Message

_MOST_VALUES = 100_000
"""Values of one message that are looked at."""
_LARGEST_INTEGER = 2**63 - 1
"""SQLite's integers have 64 bits, one of them for the sign."""
_USAGE_COUNTS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def poison_reason(message: Message) -> str:
    """Why its writer cannot write it; empty when nothing is known."""
    if _is_not_text(message):
        return "a value is not UTF-8"
    if message.fields.get(b"platform") == b"claude_code":
        return _claude_reason(message)
    return _cursor_reason(message)


def _is_not_text(message: Message) -> bool:
    """Whether a writer cannot even read it: Cursor's fails at all that it is given with it."""
    for name, value in message.fields.items():
        try:
            name.decode()
            value.decode()
        except UnicodeDecodeError:
            return True
    return False


def _claude_reason(message: Message) -> str:
    payload = message.json(b"payload")
    if not isinstance(payload, dict) or "entry_data" not in payload:
        return ""
    entry = payload["entry_data"]
    if not isinstance(entry, dict):
        return f"payload.entry_data is {_kind(entry)}"
    if isinstance(entry.get("summary"), dict | list):
        return f"summary is {_kind(entry['summary'])}"
    inner = entry.get("message")
    for holder in (entry, inner):
        if isinstance(holder, dict) and "usage" in holder:
            reason = _usage_reason(holder["usage"])
            if reason:
                return reason
    return _value_reason(entry)


def _usage_reason(usage: Any) -> str:
    if not isinstance(usage, dict):
        return f"usage is {_kind(usage)}"
    for name in _USAGE_COUNTS:
        if name in usage and usage[name] is None:
            return f"usage.{name} is null"
    if "cache_creation" not in usage:
        return ""
    creation = usage["cache_creation"]
    if not isinstance(creation, dict):
        return f"usage.cache_creation is {_kind(creation)}"
    if None in creation.values():
        return "a token count of usage.cache_creation is null"
    return ""


def _cursor_reason(message: Message) -> str:
    for name in (b"metadata", b"payload"):
        content = message.json(name)
        if not isinstance(content, dict):
            continue
        if "storage_level" in content and content["storage_level"] is None:
            return f"{name.decode()}.storage_level is null"
        if isinstance(content.get("external_session_id"), dict | list):
            return f"{name.decode()}.external_session_id is {_kind(content['external_session_id'])}"
        reason = _value_reason(content)
        if reason:
            return f"{name.decode()} holds {reason}"
    return ""


def _value_reason(content: Any) -> str:
    """What SQLite refuses in any value inside."""
    left = [content]
    for _ in range(_MOST_VALUES):
        if not left:
            break
        value = left.pop()
        if isinstance(value, dict):
            left += value.keys()
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, int) and not -_LARGEST_INTEGER - 1 <= value <= _LARGEST_INTEGER:
            return "an integer over 64 bit"
        elif isinstance(value, str) and _has_lone_surrogate(value):
            return "a lone surrogate"
    return ""


def _has_lone_surrogate(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "no object"

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
_ADDED_COUNTS = ("input_tokens", "output_tokens")
"""Counts that Claude's writer adds up."""
_USAGE_COLUMNS = (*_USAGE_COUNTS, "service_tier")
_REQUIRED_OF_ENTRY = ("uuid", "type", "timestamp")
"""Values of Claude's entries in columns that are NOT NULL; one that is absent is stored as empty text."""
_COLUMNS_OF_ENTRY = (
    *("parentUuid", "requestId", "agentId", "isSidechain", "userType", "cwd", "version", "gitBranch"),
    *("operation", "subtype", "level", "isMeta", "summary", "leafUuid"),
)
_COLUMNS_OF_MESSAGE = ("role", "model", "id", "type", "stop_reason", "stop_sequence")
_REQUIRED_OF_CURSOR = ("storage_level", "workspace_hash", "database_table", "item_key")
"""Values of Cursor's metadata in columns that are NOT NULL; one that is absent has a default."""
_CURSOR_SESSIONS = (
    *(("metadata", "external_session_id"), ("metadata", "session_id")),
    *(("full_data", "sessionId"), ("full_data", "session_id")),
)
"""Where Cursor's writer looks for a session: the first value that is not empty is stored."""
_CURSOR_PROJECTS = (
    *(("metadata", "project_name"), ("metadata", "workspace_name")),
    *(("full_data", "projectName"), ("full_data", "workspaceName")),
)
_CURSOR_NUMBERS = (
    *("unixMs", "createdAt", "lastUpdatedAt", "completedAt", "linesAdded", "linesRemoved", "tokenCountUpUntilHere"),
)
"""Values of Cursor's full_data of which its writer makes integers."""
_TIMING_NUMBERS = ("clientStartTime", "clientEndTime")


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
    inner = entry.get("message")
    for holder in (entry, inner):
        if isinstance(holder, dict) and "usage" in holder:
            reason = _usage_reason(holder["usage"])
            if reason:
                return reason
    if isinstance(inner, dict):
        reason = _column_reason(inner, _COLUMNS_OF_MESSAGE, "message.")
        if reason:
            return reason
    return _required_reason(entry, _REQUIRED_OF_ENTRY) or _entry_reason(message, payload, entry)


def _entry_reason(message: Message, payload: dict[str, Any], entry: dict[str, Any]) -> str:
    reason = _column_reason(entry, _COLUMNS_OF_ENTRY) or _column_reason(payload, ("duration_ms",), "payload.")
    if reason:
        return reason
    metadata = message.json(b"metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    stored = {
        "metadata.workspace_hash": metadata.get("workspace_hash"),
        "project_name": metadata.get("project_name") or entry.get("projectName"),
    }
    reason = _column_reason(stored, tuple(stored))
    if reason:
        return reason
    return _value_reason([entry, payload.get("duration_ms"), *stored.values()])


def _usage_reason(usage: Any) -> str:
    if not isinstance(usage, dict):
        return f"usage is {_kind(usage)}"
    for name in _USAGE_COUNTS:
        if name in usage and usage[name] is None:
            return f"usage.{name} is null"
    for name in _ADDED_COUNTS:
        if isinstance(usage.get(name), str) and usage[name]:
            return f"usage.{name} is text"
    reason = _column_reason(usage, _USAGE_COLUMNS, "usage.")
    if reason:
        return reason
    if "cache_creation" not in usage:
        return ""
    creation = usage["cache_creation"]
    if not isinstance(creation, dict):
        return f"usage.cache_creation is {_kind(creation)}"
    if None in creation.values():
        return "a token count of usage.cache_creation is null"
    return _column_reason(creation, ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"), "usage.cache_creation.")


def _column_reason(values: dict[str, Any], names: tuple[str, ...], shown: str = "") -> str:
    """That one of these values, which are stored as they are, is none that SQLite stores."""
    for name in names:
        if isinstance(values.get(name), dict | list):
            return f"{shown}{name} is {_kind(values[name])}"
    return ""


def _required_reason(values: dict[str, Any], names: tuple[str, ...], shown: str = "") -> str:
    """The same of columns that are NOT NULL."""
    for name in names:
        if name in values and values[name] is None:
            return f"{shown}{name} is null"
    return _column_reason(values, names, shown)


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
    metadata = message.json(b"metadata")
    payload = message.json(b"payload")
    if not isinstance(metadata, dict):
        metadata = {}
    full_data = payload.get("full_data") if isinstance(payload, dict) else None
    if not isinstance(full_data, dict):
        full_data = {}
    reason = _required_reason(metadata, _REQUIRED_OF_CURSOR, "metadata.")
    if reason:
        return reason
    holders = {"metadata": metadata, "full_data": full_data}
    for places in (_CURSOR_SESSIONS, _CURSOR_PROJECTS):
        reason = _first_reason(holders, places)
        if reason:
            return reason
    return _numbers_reason(full_data)


def _first_reason(holders: dict[str, dict[str, Any]], places: tuple[tuple[str, str], ...]) -> str:
    """That the first value which is not empty is none that SQLite stores."""
    for holder, name in places:
        value = holders[holder].get(name)
        if isinstance(value, dict | list) and value:
            return f"{holder}.{name} is {_kind(value)}"
        if value:
            return ""
    return ""


def _numbers_reason(full_data: dict[str, Any]) -> str:
    timing = full_data.get("timingInfo", {})
    if not isinstance(timing, dict):
        return f"full_data.timingInfo is {_kind(timing)}"
    for values, names in ((full_data, _CURSOR_NUMBERS), (timing, _TIMING_NUMBERS)):
        for name in names:
            if _is_too_large(values.get(name)):
                return f"{name} is a number over 64 bit"
    return ""


def _is_too_large(value: Any) -> bool:
    """Whether a text or a number with a fraction becomes an integer that SQLite refuses."""
    if not isinstance(value, str | float):
        return False
    try:
        return not -_LARGEST_INTEGER - 1 <= int(value) <= _LARGEST_INTEGER
    except OverflowError:  # infinity
        return True
    except ValueError:  # stored as NULL
        return False


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

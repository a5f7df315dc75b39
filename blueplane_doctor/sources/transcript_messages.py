"""A line of a transcript as the message that the server's transcript monitor makes of it."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.files.reading import opened_file
from blueplane_doctor.sources.transcripts import parsed_line

_VERSION = "0.1.0"
_LONGEST_NAME = 80
"""Characters of a project's name; the monitor shortens a longer one."""
_HASH_LENGTH = 16


def read_line(path: Path, offset: int, length: int) -> bytes | None:
    """The bytes of a line; None where the file is gone or shorter now."""
    try:
        with opened_file(path) as opened:
            content = opened.read_at(offset, length)
    except (FileUnreadable, OSError):
        return None
    if len(content) < length:
        return None
    return content


def transcript_message(line: bytes, session: str, workspace: str, at: datetime) -> dict[bytes, bytes] | None:
    """The fields that the monitor would add; None for what is no line, or cannot be added.

    `workspace`: the folder that the server was told for the session, empty where it was told none; `at`: the time of a
    line that has none.
    """
    entry = parsed_line(line)
    if entry is None:
        return None
    folder = workspace or _text(entry.get("cwd"))
    metadata = {
        "workspace_hash": _workspace_hash(folder),
        "project_name": _project_name(folder),
        "source": "jsonl_monitor",
    }
    texts = {
        "version": _VERSION,
        "hook_type": "JSONLTrace",
        "event_type": _as_added(entry.get("type", "unknown")),
        "timestamp": _as_added(entry.get("timestamp") or f"{at:%Y-%m-%dT%H:%M:%S.000Z}"),
        "platform": "claude_code",
        "session_id": session,
        "external_session_id": session,
        "metadata": json.dumps(metadata),
        "payload": json.dumps({"entry_data": entry}),
    }
    try:
        fields = {}
        for name, text in texts.items():
            fields[name.encode()] = text.encode()
        return fields
    except UnicodeEncodeError:  # half of a surrogate pair: the monitor's client refuses it as well
        return None


def _workspace_hash(workspace: str) -> str | None:
    if not workspace:
        return None
    return hashlib.sha256(workspace.encode("utf-8", "replace")).hexdigest()[:_HASH_LENGTH]


def _project_name(workspace: str) -> str | None:
    name = Path(workspace.rstrip("/\\")).name.strip()
    if len(name) > _LONGEST_NAME:
        return f"{name[: _LONGEST_NAME - 3]}..."
    return name or None


def _as_added(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return ""

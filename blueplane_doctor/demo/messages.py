"""Messages as the producers make them: their fields, for every route, with seeded identifiers."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random

from blueplane_doctor import pipeline as names

Fields = dict[str, str]

PRIVATE_TEXT = "private words of a prompt"
"""Stands in every payload made here: where it shows up in a report, privacy is broken."""

CURSOR_EVENT_TYPES = dict(
    zip(
        names.CURSOR_HOOKS,
        ("user_prompt", "assistant_response", "mcp_execution", "mcp_execution", "file_edit", "agent_stop"),
        strict=True,
    )
)


def json_payload(payload: object, size: int | None = None) -> str:
    """The payload as JSON text; an object is filled up to `size` bytes."""
    if size is None or not isinstance(payload, dict):
        return json.dumps(payload)
    missing = size - len(json.dumps(payload | {"filler": ""}))
    return json.dumps(payload | {"filler": "x" * max(missing, 0)})


def milliseconds(when: datetime) -> int:
    """Milliseconds since the epoch: the first half of a stream ID."""
    return (when - datetime.fromtimestamp(0, when.tzinfo)) // timedelta(milliseconds=1)


class MessageMaker:
    """Makes messages of one Cursor window and one Claude session."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.cursor_session = self.uuid()
        self.claude_session = self.uuid()
        self.workspace_hash = f"{self.random.getrandbits(64):016x}"

    def uuid(self) -> str:
        """A random uuid4 that the seed decides."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def from_hook(
        self,
        when: datetime,
        platform: str,
        hook_type: str,
        event_type: str,
        *,
        event_id: str | None = None,
        source: str | None = None,
        payload: object = None,
        payload_bytes: int | None = None,
    ) -> Fields:
        """What the queue writer adds for a hook or an HTTP client; with a source, for Cursor's monitor."""
        session = self.cursor_session if platform == "cursor" else self.claude_session
        metadata = {"workspace_hash": self.workspace_hash} | ({"source": source} if source else {})
        if payload is None:
            payload = {"text": PRIVATE_TEXT}
        return {
            "event_id": event_id or self.uuid(),
            "enqueued_at": when.isoformat(),
            "platform": platform,
            "session_id": session,
            "external_session_id": session,
            "hook_type": hook_type,
            "event_type": event_type,
            "timestamp": when.isoformat(),
            "metadata": json.dumps(metadata),
            "payload": json_payload(payload, payload_bytes),
        }

    def from_transcript(
        self,
        when: datetime,
        *,
        session: str | None = None,
        entry_uuid: str | None = None,
        payload: object = None,
        payload_bytes: int | None = None,
    ) -> Fields:
        """What the JSONL monitor adds for one line of a Claude transcript: no event_id, no enqueued_at."""
        session = session or self.claude_session
        timestamp = when.isoformat(timespec="microseconds").replace("+00:00", "Z")
        if payload is None:
            entry: dict[str, object] = {"type": "assistant", "timestamp": timestamp, "text": PRIVATE_TEXT}
            payload = {"entry_data": entry | ({"uuid": entry_uuid} if entry_uuid else {})}
        metadata = {"source": "jsonl_monitor", "workspace_hash": self.workspace_hash, "project_name": "demo"}
        return {
            "platform": "claude_code",
            "session_id": session,
            "external_session_id": session,
            "hook_type": "JSONLTrace",
            "event_type": "assistant",
            "timestamp": timestamp,
            "metadata": json.dumps(metadata),
            "payload": json_payload(payload, payload_bytes),
        }


def with_fields(message: Fields, changes: Mapping[str, str | None]) -> Fields:
    """The message with these fields changed; None leaves a field out."""
    changed = message | dict(changes)
    return {name: value for name, value in changed.items() if value is not None}

"""Messages as the producers make them, for every route, and the dead letters that writers make of them."""

import json
import uuid
from datetime import datetime
from random import Random
from typing import Literal

from blueplane_doctor.layouts import Layout

Fields = dict[str, str]
Shape = Literal["claude", "cursor", "queue_writer"]
SHAPES: tuple[Shape, ...] = ("claude", "cursor", "queue_writer")
"""By who gives the message up: each writes other fields into the dead letter."""

PRIVATE_TEXT = "private words of a prompt"
"""Stands in every payload made here: where it shows up in a report, privacy is broken."""


class MessageMaker:
    """Makes messages of one Cursor window and one Claude session. An object as payload is filled up to `size` bytes."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.cursor_session = self.uuid()
        self.claude_session = self.uuid()
        self.workspace_hash = f"{self._random.getrandbits(64):016x}"

    def uuid(self) -> str:
        """A random uuid4 that the seed decides."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

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
        size: int = 0,
    ) -> Fields:
        """What the queue writer adds for a hook or an HTTP client; with a source, for Cursor's monitor."""
        session = self.claude_session
        if platform == "cursor":
            session = self.cursor_session
        metadata = {"workspace_hash": self.workspace_hash}
        if source:
            metadata["source"] = source
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
            "payload": _json_payload(payload, size),
        }

    def from_transcript(
        self,
        when: datetime,
        *,
        session: str | None = None,
        entry_uuid: str | None = None,
        payload: object = None,
        size: int = 0,
    ) -> Fields:
        """What the JSONL monitor adds for one line of a Claude transcript: no event_id, no enqueued_at."""
        session = session or self.claude_session
        timestamp = when.isoformat(timespec="microseconds").replace("+00:00", "Z")
        if payload is None:
            entry: dict[str, object] = {"type": "assistant", "timestamp": timestamp, "text": PRIVATE_TEXT}
            if entry_uuid:
                entry["uuid"] = entry_uuid
            payload = {"entry_data": entry}
        metadata = {"source": "jsonl_monitor", "workspace_hash": self.workspace_hash, "project_name": "demo"}
        return {
            "platform": "claude_code",
            "session_id": session,
            "external_session_id": session,
            "hook_type": "JSONLTrace",
            "event_type": "assistant",
            "timestamp": timestamp,
            "metadata": json.dumps(metadata),
            "payload": _json_payload(payload, size),
        }


def _json_payload(payload: object, size: int) -> str:
    text = json.dumps(payload)
    if not isinstance(payload, dict) or len(text) >= size:
        return text
    missing = size - len(json.dumps(payload | {"filler": ""}))
    return json.dumps(payload | {"filler": "x" * missing})


def dead_letter(
    shape: Shape, entry_id: str, message: Fields, layout: Layout, at: datetime, error: Exception
) -> tuple[str, Fields]:
    """The stream that a message which is given up goes to, and what is added there."""
    shared, cursor_only = layout.dead_letters
    if shape == "claude":
        return shared, {"message_id": entry_id, "retry_count": "3", "event": json.dumps(message)}
    if shape == "cursor":
        return cursor_only, message | {
            "original_entry_id": entry_id,
            "moved_to_dlq_at": at.isoformat(),
            "stream": layout.queue,
            "consumer_group": layout.routes[0].group,
        }
    return shared, {
        "original_event_id": message.get("event_id", entry_id),
        "original_data": json.dumps(message),
        "error_type": type(error).__name__,
        "error_message": str(error),
        "retry_count": "3",
        "dlq_queued_at": at.isoformat(),
        "can_retry": "true",
    }

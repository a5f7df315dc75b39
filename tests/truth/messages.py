"""Messages as the producers of the pipeline add them, and the three shapes of dead letters. Built by hand, readable."""

import itertools
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Fields = dict[str, str]
Owner = Literal["cursor", "claude"]
Shape = Literal["claude", "cursor", "queue_writer"]

QUEUE = "telemetry:message_queue"
CLAUDE_LETTERS = "telemetry:dlq"
CURSOR_LETTERS = "telemetry:message_queue:dlq"
CURSOR_GROUP = "processors"
CLAUDE_GROUP = "claude_processors"
WRITER_GROUPS = (CURSOR_GROUP, CLAUDE_GROUP)
READER_GROUPS = ("cursor_session_monitors", "session_monitors", "transcript_processors")
GROUP_OF: dict[Owner, str] = {"cursor": CURSOR_GROUP, "claude": CLAUDE_GROUP}

PRIVATE_TEXT = "private words of a prompt"
CURSOR_SESSION = "cursor-session-1"
CLAUDE_SESSION = "claude-session-1"
WORKSPACE = "0123456789abcdef"
HOOKS = ("beforeSubmitPrompt", "afterAgentResponse", "beforeMCPExecution", "afterMCPExecution", "afterFileEdit", "stop")
_hooks = itertools.cycle(HOOKS)


@dataclass(frozen=True)
class Message:
    """One message that a situation added, and what is true of it by construction."""

    id: str
    fields: Fields
    owner: Owner | None
    """Whose writer has to write it; None: by design no one."""

    @property
    def group(self) -> str | None:
        """The writer group that owes its row."""
        return GROUP_OF[self.owner] if self.owner else None


def iso(when: datetime) -> str:
    """ISO 8601 with offset."""
    return when.isoformat()


def cursor_hook(when: datetime, *, event_id: str = "", payload: object = None, hook: str = "") -> Fields:
    """What the queue writer adds for one of Cursor's hooks. A payload that is no object is malformed."""
    if payload is None:
        payload = {"text": PRIVATE_TEXT}
    return {
        "event_id": event_id or str(uuid.uuid4()),
        "enqueued_at": iso(when),
        "retry_count": "0",
        "platform": "cursor",
        "session_id": CURSOR_SESSION,
        "external_session_id": CURSOR_SESSION,
        "hook_type": hook or next(_hooks),
        "event_type": "file_edit",
        "timestamp": iso(when),
        "metadata": json.dumps({"workspace_hash": WORKSPACE}),
        "payload": json.dumps(payload),
    }


def cursor_monitor(when: datetime, source: str) -> Fields:
    """What Cursor's database monitor adds."""
    metadata = {"workspace_hash": WORKSPACE, "source": source}
    return {
        **cursor_hook(when, hook="DatabaseTrace"),
        "event_type": "database_trace",
        "metadata": json.dumps(metadata),
    }


def claude_line(when: datetime, *, entry_uuid: str = "", session: str = CLAUDE_SESSION, size: int = 0) -> Fields:
    """What the JSONL monitor adds for one line of a transcript: no event_id, no enqueued_at. `size` in bytes."""
    entry = {
        "uuid": entry_uuid or str(uuid.uuid4()),
        "type": "assistant",
        "timestamp": iso(when),
        "text": PRIVATE_TEXT + "x" * size,
    }
    metadata = {"source": "jsonl_monitor", "workspace_hash": WORKSPACE, "project_name": "project"}
    return {
        "version": "0.1.0",
        "platform": "claude_code",
        "session_id": session,
        "external_session_id": session,
        "hook_type": "JSONLTrace",
        "event_type": "assistant",
        "timestamp": iso(when),
        "metadata": json.dumps(metadata),
        "payload": json.dumps({"entry_data": entry}),
    }


def claude_tool_use(when: datetime) -> Fields:
    """What Claude Code's PostToolUse hook adds: by design nobody writes it."""
    return {
        "event_id": str(uuid.uuid4()),
        "enqueued_at": iso(when),
        "platform": "claude_code",
        "session_id": CLAUDE_SESSION,
        "external_session_id": CLAUDE_SESSION,
        "hook_type": "PostToolUse",
        "event_type": "tool_use",
        "timestamp": iso(when),
        "metadata": "{}",
        "payload": json.dumps({"text": PRIVATE_TEXT}),
    }


def owner_of(fields: Fields) -> Owner | None:
    """Whose writer writes a message that was made here."""
    if fields.get("platform") == "cursor":
        return "cursor"
    if fields.get("hook_type") == "JSONLTrace":
        return "claude"
    return None


def dead_letter(shape: Shape, message: Message, when: datetime) -> tuple[str, Fields]:
    """The stream that a given-up message goes to, and the letter's fields."""
    fields = message.fields
    if shape == "claude":
        return CLAUDE_LETTERS, {"message_id": message.id, "retry_count": "3", "event": json.dumps(fields)}
    if shape == "cursor":
        letter = {
            **fields,
            "original_entry_id": message.id,
            "moved_to_dlq_at": iso(when),
            "stream": QUEUE,
            "consumer_group": CURSOR_GROUP,
        }
        return CURSOR_LETTERS, letter
    letter = {
        "original_event_id": fields.get("event_id", message.id),
        "original_data": json.dumps(fields),
        "error_type": "OperationalError",
        "error_message": "database is locked",
        "retry_count": "3",
        "dlq_queued_at": iso(when),
        "can_retry": "true",
    }
    return CLAUDE_LETTERS, letter


def now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)

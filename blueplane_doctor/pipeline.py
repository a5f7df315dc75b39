"""The names, routes, hooks and files of Blueplane Telemetry Core, which stand here alone.

Learnt from its public repository and from observing it run; see docs/PIPELINE.md.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

DEFAULT_REDIS_HOST = "localhost"
DEFAULT_REDIS_PORT = 6379
DEFAULT_HTTP_HOST = "127.0.0.1"
DEFAULT_HTTP_PORT = 8787
DEFAULT_MAX_LENGTH = 10_000
"""XADD … MAXLEN ~ 10000 into the queue stream."""
DEFAULT_DEAD_LETTER_MAX_LENGTH = 1_000

CURSOR_HOOKS = (
    "beforeSubmitPrompt",
    "afterAgentResponse",
    "beforeMCPExecution",
    "afterMCPExecution",
    "afterFileEdit",
    "stop",
)
"""Whose activity is reported, in the order of the requirements."""

CURSOR_MONITOR_SOURCES = (
    "workspace_monitor",
    "composer_extractor",
    "generation_extractor",
    "bubble_extractor",
    "agent_mode_extractor",
    "background_composer_extractor",
    "prompt_extractor",
    "capability_extractor",
    "unified_monitor",
    "user_level_listener",
)
"""`metadata.source` of messages that Cursor's database monitor enqueues."""

READER_GROUPS = ("cursor_session_monitors", "session_monitors", "transcript_processors")
"""Consumer groups that write no traces: they may lag without losing one."""

CONSUMER_STEMS = (
    *("consumer", "claude-consumer"),
    *("cursor_session_monitor", "claude_code_session_monitor", "transcript_monitor", *READER_GROUPS),
)
"""What the pipeline's processes are called as consumers, most of them before a hyphen and a number."""

SERVER_COMMANDS = ("start_server", "blueplane_server", "processing.server", "processing/server.py")
"""One of these is in its server's command line, and not in that of a stranger with the old pid."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


WRITE_FAILURE_LOGGERS = ("raw_traces_writer", "database.writer")
"""Ends of the names of loggers whose errors are failed writes."""
MONITOR_LOGGERS = ("cursor_monitor", "database_monitor", "jsonl_monitor", "user_listener")
"""Ends of the names of loggers that belong to the database and transcript monitors."""
EVERY_TURN_HOOKS = ("beforeSubmitPrompt", "afterAgentResponse", "stop")
"""They fire whenever somebody works with the assistant; the others only when a tool or a file is used."""


class Key(_Frozen):
    """Where a message's row is: columns of a table, and for each the path of the message's value.

    A path is a field name, or `metadata.x`, `payload.x.y` inside its JSON. Of alternatives (`a|b`) the first
    with a value serves; `path!` serves also when it is empty, an empty last alternative stands for empty text.
    """

    table: str
    columns: dict[str, str]


class Route(_Frozen):
    """Which messages a writer group owns, and where their rows are.

    A rule maps paths to allowed values: `*` is any, an empty list means that the field is absent. A message fits
    one of `any_of` (all fit an empty list) and none of `none_of`. The first key whose columns all have a value in
    the message is looked up, in each table that exists.
    """

    name: str
    group: str
    any_of: list[dict[str, list[str]]]
    none_of: list[dict[str, list[str]]] = []
    keys: list[Key]


_IS_CLAUDE: list[dict[str, list[str]]] = [
    {"platform": ["claude_code"]},
    {"metadata.source": ["jsonl_monitor", "transcript_monitor", "claude_session_monitor"]},
]
_CURSOR_RULES: list[dict[str, list[str]]] = [
    {"platform": ["cursor"]},
    {"metadata.source": list(CURSOR_MONITOR_SOURCES)},
    {"metadata.workspace_hash": ["*"], "sessionId": []},
]
_CLAUDE_RULES: list[dict[str, list[str]]] = [
    {"platform": ["claude_code"], "metadata.source": ["jsonl_monitor", "transcript_monitor"]},
    {"platform": ["claude_code"], "hook_type": ["JSONLTrace"]},
    {"platform": ["claude_code"], "event_type": ["session_start", "session_end"]},
]
_OLD_TABLE = Key(table="raw_traces", columns={"event_id": "event_id"})
_CURSOR_KEYS = [Key(table="cursor_raw_traces", columns={"event_id": "event_id"}), _OLD_TABLE]
_CLAUDE_KEYS = [
    Key(
        table="claude_raw_traces",
        columns={"external_id": "session_id!|external_session_id!|", "uuid": "payload.entry_data.uuid!"},
    ),
    Key(
        table="claude_raw_traces",
        columns={
            "external_id": "session_id!|external_session_id!|",
            "timestamp": "payload.entry_data.timestamp!|timestamp!|",
        },
    ),
    _OLD_TABLE,
]


def _routes(claude_group: str) -> tuple[Route, ...]:
    return (
        Route(name="cursor", group="processors", any_of=_CURSOR_RULES, none_of=_IS_CLAUDE, keys=_CURSOR_KEYS),
        Route(name="claude", group=claude_group, any_of=_CLAUDE_RULES, keys=_CLAUDE_KEYS),
    )


@dataclass(frozen=True)
class Layout:
    """One generation of the pipeline's names."""

    name: str
    queue: str
    """The stream that messages are added to."""
    dead_letters: tuple[str, ...]
    """The streams of what writers gave up."""
    routes: tuple[Route, ...]


CURRENT = Layout(
    name="current",
    queue="telemetry:message_queue",
    dead_letters=("telemetry:dlq", "telemetry:message_queue:dlq"),
    routes=_routes("claude_processors"),
)
EARLIER = Layout(
    name="earlier",
    queue="telemetry:events",
    dead_letters=("telemetry:dlq", "telemetry:events:dlq"),
    routes=_routes("processors"),
)
LAYOUTS = (CURRENT, EARLIER)

TRACE_TABLES = ("cursor_raw_traces", "claude_raw_traces", "raw_traces")
"""One row a written message; all have `sequence` and `ingested_at`."""
SESSIONS_TABLE = "cursor_sessions"
OFFSETS_TABLE = "claude_jsonl_offsets"
BUFFER_TABLE = "buffered_events"

PACKAGES = ("src.", "src.blueplane.", "blueplane.", "")
"""What may stand before `processing` and `capture`, in a checkout and in a package."""
_UNIFIED = "processing.cursor.unified_cursor_monitor"
_UNIFIED_MONITOR: dict[str, Any] = {"records": "monitor", "name": "unified_cursor_monitor"}
_ENQUEUING: dict[str, Any] = {"records": "hook", "argument": "event", "fails": "returns-false"}


def _writing(where: str, table: str, argument: str = "events", **more: Any) -> dict[str, Any]:
    return {"where": f"processing.{where}", "records": "write", "name": table, "argument": argument, **more}


MEASURED: tuple[dict[str, Any], ...] = (
    _writing(
        "cursor.raw_traces_writer:CursorRawTracesWriter._batch_insert",
        "cursor_raw_traces",
        "rows",
        fails="returns-zero",  # it logs its errors and returns the number of rows
    ),
    _writing("claude_code.raw_traces_writer:ClaudeRawTracesWriter.write_batch_sync", "claude_raw_traces"),
    # Where that module was for a few days of November 2025.
    _writing("claude.raw_traces_writer:ClaudeRawTracesWriter.write_batch_sync", "claude_raw_traces", optional=True),
    # Until November 2025; today the class only compresses.
    _writing("database.writer:SQLiteBatchWriter.write_batch", "raw_traces", optional=True),
    _writing("database.writer:SQLiteBatchWriter.write_claude_batch_sync", "claude_raw_traces", optional=True),
    {**_ENQUEUING, "where": "capture.shared.queue_writer:MessageQueueWriter.enqueue"},
    {
        **_ENQUEUING,
        "where": "shared.queue_writer:MessageQueueWriter.enqueue",
        "packages": ("",),  # hook scripts put the folder `capture` itself on their path
        "optional": True,
    },
    {
        **_UNIFIED_MONITOR,
        "where": f"{_UNIFIED}:EventQueuer.queue_event",
        "fails": "falls-back",
        "fallback": "_buffer_locally",
        "captures": True,
    },
    {
        **_UNIFIED_MONITOR,
        "where": f"{_UNIFIED}:UnifiedCursorMonitor.on_session_start",
        "sessions": "workspace_monitors",
    },
    {**_UNIFIED_MONITOR, "where": f"{_UNIFIED}:UnifiedCursorMonitor.on_session_end", "sessions": "workspace_monitors"},
    {**_UNIFIED_MONITOR, "where": f"{_UNIFIED}:FileWatcher.check_for_changes"},
    {**_UNIFIED_MONITOR, "where": f"{_UNIFIED}:WorkspaceMonitor.sync_all_data"},
    {
        "where": "processing.cursor.database_monitor:CursorDatabaseMonitor._update_health",
        "records": "monitor",
        "name": "cursor_database_monitor",
        "argument": "status",
        "fails": "state",  # its poll loop swallows errors; this is where it notes how each look ended
        "good": ("synced",),
        "sessions": "db_connections",
    },
)
"""What `instrument` measures: fields of `recording.targets.Target`."""

"""The names, routes, hooks and files of Blueplane Telemetry Core, which stand here alone.

Learnt from its public repository and from observing it run; see docs/PIPELINE.md.
"""

from typing import Literal

from blueplane_doctor.records.base import Record
from blueplane_doctor.text.patterns import pattern

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
    "user_level_listener_bubble",
    "python_monitor",
)
"""`metadata.source` of messages that Cursor's database monitor enqueues."""

OTHER_CURSOR_SOURCES = ("extension", "hooks", "recovered", "redis")
"""`metadata.source` of Cursor's messages that are not of its database monitor."""

READER_GROUPS = ("cursor_session_monitors", "session_monitors", "transcript_processors")
"""Consumer groups that write no traces: they may lag without losing one."""

WRITER_STEMS = ("consumer", "claude-consumer")
"""What its writers are called as consumers, before a hyphen and their process id."""

CONSUMER_STEMS = (
    *WRITER_STEMS,
    *("cursor_session_monitor", "claude_code_session_monitor", "transcript_monitor", *READER_GROUPS),
)
"""What the pipeline's processes are called as consumers, most of them before a hyphen and a number."""

SERVER_COMMANDS = ("start_server", "blueplane_server", "processing.server", "processing/server.py")
"""One of these is in its server's command line, and not in that of a stranger with the old pid."""


WRITE_FAILURE_LOGGERS = ("raw_traces_writer", "database.writer")
"""Ends of the names of loggers whose errors are failed writes."""
MONITOR_LOGGERS = ("cursor_monitor", "database_monitor", "jsonl_monitor", "user_listener")
"""Ends of the names of loggers that belong to the database and transcript monitors."""
ORDINARY_ERROR_LINES = (
    ("sqlite_client", "duplicate column name: "),
    ("asyncio", "Task was destroyed but it is pending!"),
    ("", "I/O operation on closed file"),
)
"""Ends of loggers, and what their lines of ERROR hold that every normal start (the first two) or stop writes."""
START_LINE = ("processing.server", "Acquired PID lock")
"""The logger, and how the line begins that the server logs once a start, when it is sure to be the only one."""
STOP_LINE = ("processing.server", "Stopping server")
"""The same of the line that it logs when it is asked to stop; one that is killed logs nothing."""
REDIS_LINE = r"Successfully connected to Redis at (\S+?):(\d{1,5})\b"
"""What the server's log says of its Redis: host and port."""
DATABASE_LINE = r"Initialized SQLite database at (.+)"
"""What the server's log says of its database."""
EVERY_TURN_HOOKS = ("beforeSubmitPrompt", "afterAgentResponse", "stop")
"""They fire whenever somebody works with the assistant; the others only when a tool or a file is used."""


TRACE_TABLES = ("cursor_raw_traces", "claude_raw_traces", "raw_traces")
"""One row a written message; all have `sequence` and `ingested_at`."""
CLAUDE_TABLE = "claude_raw_traces"
WRITTEN_TABLES = ("cursor_raw_traces", CLAUDE_TABLE)
"""Those that today's server makes at each start; of the earlier pipeline only `raw_traces` is there."""
SESSIONS_TABLE = "cursor_sessions"
CONVERSATIONS_TABLE = "conversations"
"""One row for each session of Claude that the server was told of."""
CLAUDE_HOOK_MARKS = ("blueplane", "hooks/telemetry/")
"""One of these is in the command of each of the pipeline's hooks in Claude Code's settings."""
CLAUDE_FOLDER_VARIABLE = "CLAUDE_CONFIG_DIR"
"""Names Claude Code's folder where it is not ~/.claude; the server looks for transcripts in ~/.claude alone."""
OFFSETS_TABLE = "claude_jsonl_offsets"
BUFFER_TABLE = "buffered_events"

PACKAGES = ("src.", "src.blueplane.", "blueplane.", "")
"""What may stand before `processing` and `capture`, in a checkout and in a package."""


class Target(Record):
    """One method inside Blueplane's server that `instrument` measures."""

    where: str
    """`module:Class.method` or `module:function`, the module without the packages before it."""
    packages: tuple[str, ...] = PACKAGES
    """What may stand before the module, each ending in a dot; an empty text: nothing."""
    records: Literal["write", "hook", "monitor"]
    """What a call is recorded as."""
    name: str = ""
    """The table, hook or monitor. A hook's may be left out: then it is taken from the event."""
    argument: str = ""
    """The parameter that says what is done: the batch of a write, the event of a hook, the state of a monitor."""
    fails: Literal["raises", "returns-zero", "returns-false", "falls-back", "state"] = "raises"
    """How a call says that it failed, beside raising: by returning 0 for a batch that is not empty, by returning
    something false, by calling its `fallback`, by an `argument` that is not in `good`."""
    fallback: str = ""
    """The method of the same class that is called when it failed."""
    good: tuple[str, ...] = ()
    """States that are no failure."""
    sessions: str = ""
    """Attribute of the instance whose length is the number of sessions watched."""
    captures: bool = False
    """Whether a call of a monitor that does not fail captures one event."""
    optional: bool = False
    """Whether some layouts lack it: then its absence is not reported."""

    def __post_init__(self) -> None:
        """What it says must be whole."""
        module, _, path = self.where.partition(":")
        if not all(part.isidentifier() for part in [*module.split("."), *path.split(".")]):
            raise ValueError("where must be module:Class.method or module:function")
        if not self.name and self.records != "hook":
            raise ValueError(f"a {self.records} needs a name")
        if not self.argument and (self.records == "write" or self.fails == "state" or not self.name):
            raise ValueError("argument is missing")
        if self.fails == "falls-back" and not self.fallback:
            raise ValueError("fallback is missing")

    @property
    def modules(self) -> tuple[str, ...]:
        """Every name that its module may have."""
        module = self.where.partition(":")[0]
        return tuple(package + module for package in self.packages)

    @property
    def path(self) -> str:
        """`Class.method`, or the function."""
        return self.where.partition(":")[2]


TARGETS = (
    Target(
        where="processing.cursor.raw_traces_writer:CursorRawTracesWriter._batch_insert",
        records="write",
        name="cursor_raw_traces",
        argument="rows",
        fails="returns-zero",  # it logs its errors and returns the number of rows
    ),
    Target(
        where="processing.claude_code.raw_traces_writer:ClaudeRawTracesWriter.write_batch_sync",
        records="write",
        name="claude_raw_traces",
        argument="events",
    ),
    Target(
        # Where that module was for a few days of November 2025.
        where="processing.claude.raw_traces_writer:ClaudeRawTracesWriter.write_batch_sync",
        records="write",
        name="claude_raw_traces",
        argument="events",
        optional=True,
    ),
    Target(
        # Until November 2025; today the class only compresses.
        where="processing.database.writer:SQLiteBatchWriter.write_batch",
        records="write",
        name="raw_traces",
        argument="events",
        optional=True,
    ),
    Target(
        where="processing.database.writer:SQLiteBatchWriter.write_claude_batch_sync",
        records="write",
        name="claude_raw_traces",
        argument="events",
        optional=True,
    ),
    Target(
        where="capture.shared.queue_writer:MessageQueueWriter.enqueue",
        records="hook",
        argument="event",
        fails="returns-false",
    ),
    Target(
        where="shared.queue_writer:MessageQueueWriter.enqueue",
        packages=("",),  # hook scripts put the folder `capture` itself on their path
        records="hook",
        argument="event",
        fails="returns-false",
        optional=True,
    ),
    Target(
        where="processing.cursor.unified_cursor_monitor:EventQueuer.queue_event",
        records="monitor",
        name="unified_cursor_monitor",
        fails="falls-back",
        fallback="_buffer_locally",
        captures=True,
    ),
    Target(
        where="processing.cursor.unified_cursor_monitor:UnifiedCursorMonitor.on_session_start",
        records="monitor",
        name="unified_cursor_monitor",
        sessions="workspace_monitors",
    ),
    Target(
        where="processing.cursor.unified_cursor_monitor:UnifiedCursorMonitor.on_session_end",
        records="monitor",
        name="unified_cursor_monitor",
        sessions="workspace_monitors",
    ),
    Target(
        where="processing.cursor.unified_cursor_monitor:FileWatcher.check_for_changes",
        records="monitor",
        name="unified_cursor_monitor",
    ),
    Target(
        where="processing.cursor.unified_cursor_monitor:WorkspaceMonitor.sync_all_data",
        records="monitor",
        name="unified_cursor_monitor",
    ),
    Target(
        where="processing.cursor.database_monitor:CursorDatabaseMonitor._update_health",
        records="monitor",
        name="cursor_database_monitor",
        argument="status",
        fails="state",  # its poll loop swallows errors; this is where it notes how each look ended
        good=("synced",),
        sessions="db_connections",
    ),
)
"""What `instrument` measures in Blueplane's own server; `instrument_targets` of the settings adds to them."""


_WRITERS_KEEP = 10_000
"""Messages that the Cursor writer and both monitors trim the stream to, whatever the settings say."""


def kept_messages(max_length: int) -> int:
    """How many messages the stream keeps where the settings name a `max_length`: the smaller of the two rules."""
    return min(max_length, _WRITERS_KEEP)


_NEITHER_LETTER_NOR_DIGIT = pattern("[^A-Za-z0-9]")


def claude_project_folder(workspace: str) -> str:
    """The name of the folder, below Claude Code's `projects`, that holds the transcripts of a workspace."""
    return _NEITHER_LETTER_NOR_DIGIT.sub("-", workspace)


def folders_looked_for(workspace: str) -> tuple[str, str]:
    """The names of the folders in which the server looks for the transcripts of a workspace, in its order.

    It replaces slashes alone, so a workspace with another sign in its path, such as a dot, has a folder that the server
    never finds.
    """
    name = workspace.replace("/", "-").removeprefix("-")
    return f"-{name}", name


def finds_transcripts(workspace: str) -> bool:
    """Whether the server finds the folder of this workspace's transcripts by its rule."""
    return claude_project_folder(workspace) in folders_looked_for(workspace)

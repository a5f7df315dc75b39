"""Names that text from outside may hold and still be shown: they are Blueplane's or Python's, and say nothing private.

Learnt from Blueplane's public repository, as all of pipeline.py. A name that stands nowhere here may be anything: a
token, a person, a client.
"""

from blueplane_doctor import pipeline
from blueplane_doctor.layouts import CURRENT, EARLIER

PLATFORMS = frozenset({"cursor", "claude_code", "git"})
MONITOR_TYPES = frozenset({"JSONLTrace", "DatabaseTrace", "TranscriptTrace"})
"""What stands in a message's `hook_type` where no hook sent it but a monitor."""
HOOK_TYPES = frozenset(
    {
        *pipeline.CURSOR_HOOKS,
        *("SessionStart", "SessionEnd", "PreToolUse", "PostToolUse", "UserPromptSubmit", "Stop", "SubagentStop"),
        *("PreCompact", "Notification", "PermissionRequest"),
        *MONITOR_TYPES,
        *("session", "commit"),
    }
)
"""Of Cursor's and Claude Code's hooks, and of the monitors."""
EVENT_TYPES = frozenset(
    {
        *("session_start", "session_end", "user_prompt", "assistant_response", "tool_use", "tool_result"),
        *("mcp_execution", "file_edit", "file_read", "shell_execution", "database_trace", "transcript_trace"),
        *("acceptance_decision", "context_compact", "error", "other", "unknown"),
        *("bubble", "composer", "generation", "prompt", "capability", "agent_mode", "background_composer"),
        *("user", "assistant", "system", "summary", "progress", "file-history-snapshot", "queue-operation"),
        *HOOK_TYPES,
    }
)
"""Of the queue writer, of the Cursor monitors, and of the lines of a Claude transcript."""
STREAMS = frozenset(
    {
        *("cdc:events", "telemetry:cdc"),
        *(CURRENT.queue, *CURRENT.dead_letters),
        *(EARLIER.queue, *EARLIER.dead_letters),
    }
)
GROUPS = frozenset(
    {
        *pipeline.READER_GROUPS,
        *("git_processors", "cdc_workers"),
        *(route.group for route in (*CURRENT.routes, *EARLIER.routes)),
    }
)
ROUTES = frozenset({"cursor", "claude", "unrouted"})
TABLES = frozenset(
    {
        *(*pipeline.TRACE_TABLES, pipeline.SESSIONS_TABLE, pipeline.OFFSETS_TABLE, pipeline.BUFFER_TABLE),
        *("conversations", "git_commits", "workspaces", "sqlite_sequence"),
    }
)
COLUMNS = frozenset(
    {
        *("sequence", "ingested_at", "event_id", "external_id", "external_session_id", "session_id", "uuid"),
        *("event_type", "platform", "timestamp", "workspace_hash", "event_data", "storage_level", "database_table"),
        *("item_key", "id", "started_at", "ended_at", "file_path", "last_read_time", "updated_at", "retry_count"),
        *("hook_type", "metadata", "payload", "enqueued_at", "project_name"),
    }
)
FOLDERS = frozenset({".blueplane", ".cursor"})
"""In a person's home."""
FILES = frozenset(
    {
        *("telemetry.db", "event_buffer.db", "state.vscdb", "server.log", "server.pid", "config.yaml", "redis.yaml"),
        *("doctor.yaml", "hooks.json", "settings.json", "checks", "monitors", *FOLDERS),
    }
)
MONITORS = frozenset({target.name for target in pipeline.TARGETS if target.records == "monitor"})
"""As what `instrument` measures is recorded."""
AREAS = frozenset(
    {
        "report",
        "capture",
        "chain",
        "database",
        "dead-letters",
        "disk",
        "history",
        "hooks",
        "notify",
        "queue",
        "redis",
        "server",
    }
)
"""Of the built-in checks, and `report` for all of them."""
STATES = frozenset(
    {
        *("waiting", "in_flight", "stuck", "written", "written_not_acknowledged", "written_not_delivered"),
        *("duplicate", "dead_lettered", "skipped", "untraceable", "lost", "unexamined", "payload_gone"),
        *("trimmed_unread",),
    }
)
"""Of custody."""
REDIS_CODES = frozenset(
    {
        *("ASK", "BUSY", "BUSYGROUP", "BUSYKEY", "CLUSTERDOWN", "CROSSSLOT", "DENIED", "ERR", "EXECABORT", "INPROG"),
        *("IOERR", "LOADING", "MASTERDOWN", "MISCONF", "MOVED", "NOAUTH", "NOGOODSLAVE", "NOGROUP", "NOMASTERLINK"),
        *("NOPERM", "NOPROTO", "NOQUORUM", "NOREPLICAS", "NOSCRIPT", "NOTBUSY", "OOM", "READONLY", "TRYAGAIN"),
        *("UNBLOCKED", "UNKILLABLE", "WRONGPASS", "WRONGTYPE"),
    }
)
"""What an error of Redis begins with."""
IN_METRICS = STREAMS | GROUPS | TABLES | HOOK_TYPES | AREAS | STATES | REDIS_CODES
"""What may stand in the name of a metric for a part in braces; see metrics.py."""
LOGGERS = frozenset(
    {
        *("queue_writer", "event_consumer", "jsonl_monitor", "raw_traces_writer", "session_monitor"),
        *("session_persistence", "session_timeout", "transcript_monitor", "batch_manager", "cdc_publisher"),
        *("data_extractors", "database_monitor", "duckdb_writer", "markdown_monitor", "markdown_writer", "metrics"),
        *("unified_cursor_monitor", "workspace_mapper", "schema", "sqlite_client", "writer", "http_endpoint"),
        *("server", "conversation_worker", "user_listener", "cursor_monitor", "platform", "asyncio", "root"),
        *("__main__", "src", "blueplane", "processing", "capture", "shared", "cursor", "claude_code", "claude"),
        *("common", "database", "slow_path", "aiohttp", "access", "web", "redis"),
    }
)
"""Parts of the names of its loggers, between dots."""
FUNCTIONS = frozenset(
    {
        *("main", "run", "start", "stop", "connect", "close", "flush", "write", "read", "execute", "executemany"),
        *("commit", "enqueue", "queue_event", "process_batch", "write_batch", "write_batch_sync", "run_forever"),
        *("run_until_complete", "wrapper", "send", "recv", "loads", "dumps", "raw_decode", "decode", "encode"),
        *("xreadgroup", "xadd", "xack", "xclaim", "execute_command", "parse_response", "read_response"),
        *(target.path.rpartition(".")[2] for target in pipeline.TARGETS),
    }
)
"""Functions that a traceback of its server may name."""
ERROR_CLASSES = frozenset(
    {
        *("Exception", "BaseException", "ArithmeticError", "AssertionError", "AttributeError", "BlockingIOError"),
        *("BrokenPipeError", "BufferError", "ChildProcessError", "ConnectionAbortedError", "ConnectionError"),
        *("ConnectionRefusedError", "ConnectionResetError", "EOFError", "FileExistsError", "FileNotFoundError"),
        *("FloatingPointError", "GeneratorExit", "IOError", "ImportError", "IndexError", "InterruptedError"),
        *("IsADirectoryError", "KeyError", "KeyboardInterrupt", "LookupError", "MemoryError", "ModuleNotFoundError"),
        *("NameError", "NotADirectoryError", "NotImplementedError", "OSError", "OverflowError", "PermissionError"),
        *("ProcessLookupError", "RecursionError", "RuntimeError", "StopIteration", "SystemError", "SystemExit"),
        *("TimeoutError", "TypeError", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError", "ValueError"),
        *("ZeroDivisionError", "CancelledError", "InvalidStateError", "QueueFull", "gaierror", "SSLError"),
        *("Error", "DatabaseError", "DataError", "IntegrityError", "InterfaceError", "InternalError"),
        *("NotSupportedError", "OperationalError", "ProgrammingError", "Warning", "DeprecationWarning"),
        *("RuntimeWarning", "UserWarning", "ResourceWarning", "JSONDecodeError", "BadZipFile"),
        *("AuthenticationError", "BusyLoadingError", "ClusterError", "InvalidResponse", "MaxConnectionsError"),
        *("NoPermissionError", "NoScriptError", "OutOfMemoryError", "ReadOnlyError", "RedisError", "ResponseError"),
        *("WatchError", "ValidationError", "PersistenceError", "SessionNotFoundError", "ClientError"),
        *("ClientConnectorError", "ServerDisconnectedError", "ContentTypeError", "YAMLError"),
    }
)
"""Of Python, sqlite3, redis-py, aiohttp, pydantic and Blueplane."""
ERROR_MODULES = frozenset(
    {"builtins", "sqlite3", "redis", "exceptions", "json", "decoder", "asyncio", "socket", "ssl", "aiohttp", "zlib"}
)
"""What may stand before a class, between dots."""
NOTIFY_SCHEMES = frozenset(
    {
        *("46elks", "acs", "amqp", "amqps", "apprise", "apprises", "aprs", "atalk", "awswhatsapp", "azure", "bale"),
        *("bark", "barks", "betterstack", "bluesky", "brevo", "bsky", "bulksms", "bulkvs", "burstsms", "chanify"),
        *("clickatell", "clicksend", "cliq", "cm", "d7sms", "dapnet", "deltachat", "deltachats", "dingtalk"),
        *("discord", "dot", "eight00com", "elks", "emby", "embys", "enigma2", "enigma2s", "evolution", "evolutions"),
        *("exotel", "feishu", "firehydrant", "flock", "flowtriq", "flowtriqs", "fluxer", "fluxers", "form", "forms"),
        *("freemobile", "gchat", "github", "goalert", "goalerts", "gorush", "gorushs", "gotify", "gotifys"),
        *("groundmail", "groupme", "guilded", "gupshup", "hassio", "hassios", "httpsms", "humhub", "humhubs"),
        *("ifttt", "ilert", "incidentio", "infobip", "instagram", "irc", "ircs", "jellyfin", "jellyfins", "jira"),
        *("join", "json", "jsons", "kakao", "kakaotalk", "kaleyra", "kavenegar", "klr", "kodi", "kodis", "kook"),
        *("kudosity", "kumulos", "lametric", "lametrics", "lark", "lauther", "lfg", "line", "mailersend", "mailgun"),
        *("mailto", "mailtos", "mastodon", "mastodons", "matrix", "matrixs", "misskey", "misskeys", "mmost"),
        *("mmosts", "mobilemessage", "mobilemsg", "msg91", "msgbird", "ncloud", "nclouds", "nctalk", "nctalks"),
        *("nexmo", "nostr", "notica", "noticas", "notifiarr", "notifico", "notificos", "notifyapp", "notifyre"),
        *("ntfy", "ntfys", "o365", "octopush", "onebot", "onebots", "onesignal", "opsgenie", "opsimate", "opsimates"),
        *("pagerduty", "pagertree", "parsep", "parseps", "pbul", "pinglet", "pinglets", "pingram", "pjet", "pjets"),
        *("plivo", "postmark", "pover", "prowl", "psafer", "psafers", "push", "pushdeer", "pushdeers", "pushed"),
        *("pushme", "pushplus", "pushward", "pushy", "qq", "reddit", "resend", "revolt", "ringc", "rocket"),
        *("rockets", "rsyslog", "ryver", "schan", "sendgrid", "sendpulse", "serwersms", "ses", "seven", "sfr"),
        *("signal", "signalgrid", "signals", "signl4", "simplepush", "sinch", "slack", "smsc", "smseagle"),
        *("smseagles", "smsmanager", "smsmgr", "smstunnel", "smtp2go", "sns", "sparkpost", "spike", "splunk"),
        *("spugpush", "spush", "squadcast", "stackfield", "strmlabs", "synology", "synologys", "syslog", "telesign"),
        *("telnyx", "tgram", "threema", "toot", "toots", "trigv", "trigvs", "tweet", "twilio", "twist", "twitter"),
        *("viber", "victorops", "voipms", "vonage", "webex", "wechat", "wecom", "wecombot", "whapi", "whatsapp"),
        *("workflow", "workflows", "wpush", "wxpusher", "wxteams", "x", "xbmc", "xbmcs", "xmatters", "xml", "xmls"),
        *("youlmk", "zalo", "zcliq", "zohocliq", "zoom", "zulip"),
    }
)
"""Of apprise's URLs: what is shown of a target. Another word before `://` may be anything."""

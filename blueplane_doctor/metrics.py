"""The metric catalogue: what every number of the health records is called, in which unit, and how it is shown.

The report's formats, the history, the HTTP service, the live screen and the exports read it; none of them has a list of
its own. A new metric is a field of its health record and one line here (`tests/test_metrics.py` finds what is missing).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from blueplane_doctor.text.quantities import FRACTION

MEAN = "avg"
MAX = "max"
MIN = "min"
LAST = "last"
"""How the minutes of one step become its value, in the words of Redis TimeSeries."""

TIME = "time"
"""The unit of a moment: ISO 8601 in a record, seconds since 1970 in Prometheus."""
YES = "yes or no"
STATE = "state"
STREAM_ID = "stream ID"

UNSPOKEN_UNITS = ("", "messages", "events", "rows", "errors", TIME, YES, STATE, STREAM_ID)
"""Units that people do not read beside a number whose label says what is counted."""
FACTORS = {
    "ms": 0.001,
    "min": 60.0,
    "MB": 1e6,
    "events/min": 1 / 60,
    "errors/min": 1 / 60,
    "messages/min": 1 / 60,
    STREAM_ID: 0.001,
}
"""From a unit to the base unit that Prometheus wants; a unit that is not here is a base unit."""

CHAIN_STATES = {"healthy": 0, "degraded": 2, "broken": 3, "unknown": -1}
PID_STATES = {"running": 0, "another program": 3, "not running": 3, "no pid file": 3}
"""States as numbers: the same severities that a check's status has, from 0 (green) to 3 (red), -1 for not known."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Metric(NamedTuple):
    """One number of a health record."""

    path: str
    """Record and field, `queue.queue_depth`. A part in braces stands for a name: `queue.groups.{group}.pending`."""
    label: str
    """What people read."""
    unit: str
    """Of the number in the record; empty where it only counts."""
    prometheus: str
    """Name without the prefix `blueplane_doctor_`; empty for what is not exported."""
    help: str
    """One sentence: what is counted."""
    step: str = MAX
    """How the minutes of a step become one value, so that a bad minute does not vanish: MAX, or MIN where low is bad.

    LAST for counters, sizes and settings. MEAN for rates alone: the mean of a count is a number that nobody counted.
    """
    chart: bool = False
    """Whether its course is drawn: in the report, on the live page, in `watch`, in Grafana."""
    http: bool = False
    """Whether the HTTP answer on its area holds it: the metrics that the requirements name."""
    recorded: bool = True
    """Whether the history keeps it."""
    states: Mapping[str, int] = {}
    """For a state: the number of each word."""
    source: str = ""
    """The field that it is read from, where that has another name than the last part of the path."""

    @property
    def record(self) -> str:
        """The health record's name."""
        return self.path.partition(".")[0]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def factor(self) -> float:
        """What the number is multiplied by for Prometheus."""
        return FACTORS.get(self.unit, 1.0)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names in braces: labels in Prometheus."""
        return tuple(PLACEHOLDER.findall(self.path))

    def code(self, state: object) -> int:
        """The number of a state; that of a word that nobody knows is -1."""
        return self.states.get(str(state), -1)


def _of(record: str, *metrics: Metric) -> tuple[Metric, ...]:
    """The same metrics with the record's name before their paths. What is made of samples is not sampled again."""
    named = []
    for metric in metrics:
        recorded = metric.recorded and record != "history"
        named.append(metric._replace(path=f"{record}.{metric.path}", recorded=recorded))
    return tuple(named)


_STATUS = (
    Metric("status.report", "Verdict", STATE, "", "The report's status, from 0 (green) to 3 (red), or -1.", MAX),
    Metric("status.{area}", "Verdict on an area", STATE, "", "The worst status of an area's checks.", MAX),
)
"""Verdicts, which the history keeps beside the numbers; Prometheus has them with their checks."""

_M = Metric
_QUEUE = _of(
    "queue",
    _M("queue_depth", "Queue depth", "messages", "queue_depth_messages", "Messages that no writer has finished with.",
       chart=True, http=True),
    _M("waiting_messages", "Waiting", "messages", "queue_waiting_messages",
       "Messages that their writer was not given."),
    _M("oldest_waiting_age_ms", "Oldest waiting", "ms", "queue_oldest_waiting_age_seconds",
       "Age of the oldest message that its writer was not given."),
    _M("ids_ahead", "IDs ahead of the clock", "messages", "queue_ids_ahead_messages",
       "Messages whose stream ID is later than the server's clock."),
    _M("ids_ahead_ms", "IDs ahead of the clock by", "ms", "queue_ids_ahead_seconds",
       "How much later than the server's clock the latest of them is."),
    _M("pending_messages", "Pending", "messages", "queue_pending_messages",
       "Messages delivered to writers and not acknowledged.",
       chart=True, http=True),
    _M("oldest_pending_age_ms", "Oldest pending", "ms", "queue_oldest_pending_seconds",
       "Since the oldest pending message was enqueued.",       http=True),
    _M("consumer_lag_ms", "Consumer lag", "ms", "consumer_lag_seconds", "Age of the oldest unfinished message.",
       chart=True, http=True),
    _M("consumer_count", "Consumers", "", "queue_consumers", "Consumers of the writer groups.", MIN, http=True),
    _M("enqueue_rate_events_per_sec", "Enqueued", "events/s", "enqueue_events_per_second",
       "Messages that are added.", MEAN,
       chart=True, http=True),
    _M("processing_rate_events_per_sec", "Processed", "events/s", "processing_events_per_second",
       "Messages that writers finish.", MEAN, http=True),
    _M("backlog_per_minute", "Backlog change", "messages/min", "queue_backlog_messages_per_second",
       "Change of the queue depth, from one run.", MEAN),
    _M("minutes_to_loss", "Time until loss", "min", "queue_time_to_loss_seconds",
       "Until unread messages are trimmed.", MIN,
       chart=True),
    _M("stream_length", "Stream length", "messages", "queue_stream_messages",
       "Entries in the stream, finished ones too.", LAST),
    _M("max_length", "Stream is trimmed at", "messages", "queue_stream_limit_messages",
       "Length at which the stream is trimmed.", LAST),
    _M("entries_added", "Ever enqueued", "messages", "queue_enqueued_messages",
       "Messages ever added to the stream.", LAST),
    _M("dlq_size", "Dead letters", "messages", "dead_letters_messages", "Entries of all dead-letter streams.",
       chart=True, http=True),
    _M("dlq_recent_entries", "Dead letters, last hour", "messages", "dead_letters_last_hour_messages",
       "Dead letters of the last hour.", http=True),
    _M("dlq_previous_hour", "Dead letters, hour before", "messages", "dead_letters_previous_hour_messages",
       "Dead letters of the hour before the last."),
    _M("dlq_oldest_age_ms", "Oldest dead letter", "ms", "dead_letters_oldest_seconds",
       "Age of the oldest dead letter."),
    _M("dlq_sizes.{stream}", "Dead letters of a stream", "messages", "dead_letters_stream_messages",
       "Entries of one dead-letter stream."),
    _M("dlq_dropped.{stream}", "Dead letters dropped", "messages", "dead_letters_dropped_messages",
       "Entries that a dead-letter stream has lost."),
    _M("groups.{group}.pending", "Pending", "messages", "group_pending_messages",
       "Messages delivered to the group and not acknowledged."),
    _M("groups.{group}.undelivered", "Undelivered", "messages", "group_undelivered_messages",
       "Messages that the group was not given yet."),
    _M("groups.{group}.entries_read", "Read", "messages", "group_read_messages",
       "Messages ever given to the group.", LAST),
    _M("groups.{group}.last_delivered", "Last delivered", STREAM_ID, "group_last_delivered_timestamp_seconds",
       "When the newest message given to the group was enqueued.", LAST, source="last_delivered_id"),
    _M("groups.{group}.oldest_pending_age_ms", "Oldest pending", "ms", "group_oldest_pending_seconds",
       "Since the oldest pending message was enqueued."),
    _M("groups.{group}.longest_unacknowledged_ms", "Unacknowledged for", "ms", "group_unacknowledged_seconds",
       "Since the last delivery of the message that has waited longest."),
    _M("groups.{group}.stuck", "Stuck", "messages", "group_stuck_messages",
       "Pending messages unacknowledged for long, or delivered again."),
    _M("groups.{group}.most_deliveries", "Most deliveries", "", "group_most_deliveries",
       "Deliveries of the message that was delivered most often."),
    _M("groups.{group}.orphaned", "Orphaned", "messages", "group_orphaned_messages",
       "Messages held by consumers that are gone."),
    _M("groups.{group}.orphaned_gone", "Orphaned and trimmed", "messages", "group_orphaned_gone_messages",
       "Those of the orphaned messages that have left the stream."),
    _M("groups.{group}.blockers", "Blockers", "messages", "group_blockers_messages",
       "Held messages that cannot be written."),
    _M("groups.{group}.written_not_acknowledged", "Written, not acknowledged", "messages",
       "group_written_not_acknowledged_messages", "Held messages whose row is there."),
    _M("groups.{group}.waiting", "Waiting", "messages", "group_waiting_messages",
       "Messages that the group has to write and was not given yet."),
    _M("groups.{group}.written_not_delivered", "Written, delivered again", "messages",
       "group_written_not_delivered_messages", "Messages that the group will be given although their row is there."),
    _M("groups.{group}.written_later", "Written, behind waiting ones", "messages", "group_written_later_messages",
       "Those of them that lie behind a message that waits."),
)  # fmt: skip
_DATABASE = _of(
    "database",
    _M("write_success_count", "Writes that succeeded", "", "writes_succeeded",
       "Batches that were written in the last hour.", LAST, http=True),
    _M("write_failure_count", "Writes that failed", "", "writes_failed",
       "Batches that could not be written in the last hour.", LAST, http=True),
    _M("write_success_rate", "Write success rate", FRACTION, "write_success_ratio",
       "Share of writes that succeeded.", MIN,
       http=True),
    _M("write_latency_p95_ms", "Write latency, p95", "ms", "write_latency_p95_seconds",
       "95 % of writes took at most this.", http=True),
    _M("write_throughput_events_per_sec", "Written", "rows/s", "write_events_per_second",
       "Rows that are written.", MEAN,
       chart=True, http=True),
    _M("last_successful_write_timestamp", "Newest row", TIME, "last_successful_write_timestamp_seconds",
       "When the newest row was written.", http=True, recorded=False),
    _M("last_failed_write_timestamp", "Last failed write", TIME, "last_failed_write_timestamp_seconds",
       "When a write failed last.", http=True, recorded=False),
    _M("db_size_mb", "Database size", "MB", "database_size_bytes", "Size of the database file.", LAST, http=True),
    _M("wal_size_mb", "WAL size", "MB", "database_wal_size_bytes", "Size of the write-ahead log.", http=True),
    _M("recorded_minutes", "Recorded", "min", "write_recorded_seconds",
       "Time of the last hour in which writes were recorded.", LAST),
    _M("written_last_hour", "Written in the last hour", "rows", "database_written_last_hour_rows",
       "Rows of the last hour, by their own time.", LAST),
    _M("last_successful_write_age_ms", "Since the newest row", "ms", "last_successful_write_age_seconds",
       "Age of the newest row."),
    _M("tables.{table}", "Newest sequence number", "", "database_table_sequence",
       "Highest sequence number of the table.", LAST),
)  # fmt: skip
_CAPTURE = _of(
    "capture",
    _M("cursor_hooks.total_executions", "Hook messages", "", "hook_executions",
       "Messages of Cursor's hooks in the stream.", LAST, http=True),
    _M("cursor_hooks.success_count", "Hook runs that succeeded", "", "hook_runs_succeeded",
       "Hook runs of the last hour that succeeded.", LAST,
       http=True),
    _M("cursor_hooks.failure_count", "Hook runs that failed", "", "hook_runs_failed",
       "Hook runs of the last hour that failed.", LAST, http=True),
    _M("cursor_hooks.success_rate", "Hook success rate", FRACTION, "hook_success_ratio",
       "Share of hook runs that succeeded.", MIN, http=True),
    _M("cursor_hooks.last_execution_timestamp", "Last hook", TIME, "hook_last_execution_timestamp_seconds",
       "Newest message of a hook.", http=True, recorded=False),
    _M("cursor_hooks.hooks_active.{hook}", "Hook active", YES, "hook_active",
       "1 for a hook that fired in the last hour.", http=True, recorded=False),
    _M("cursor_hooks.recorded_minutes", "Recorded", "min", "hook_recorded_seconds",
       "Time of the last hour in which hooks were recorded.", LAST),
    _M("database_monitor.active", "Database monitor active", YES, "monitor_active",
       "1 when it sent anything lately.", MIN,
       http=True),
    _M("database_monitor.sessions_monitored", "Sessions", "", "monitor_sessions",
       "Sessions that the database monitor watches.", http=True),
    _M("database_monitor.events_captured", "Events captured", "events", "monitor_events",
       "Events that the database monitor captured.", LAST, http=True),
    _M("database_monitor.last_activity_timestamp", "Last activity", TIME, "monitor_last_activity_timestamp_seconds",
       "Newest message of the monitor.", http=True, recorded=False),
    _M("database_monitor.errors_count", "Errors", "errors", "monitor_errors",
       "Errors of the database monitor, lately.", http=True),
    _M("database_monitor.ingest_rate_events_per_min", "Ingest rate", "events/min", "ingest_events_per_second",
       "Rows that are written, mean of five minutes.", MEAN, http=True),
    _M("database_monitor.silent_ms", "Silent for", "ms", "monitor_silent_seconds", "Since the monitor's last message."),
    _M("untimed_messages", "Messages without a time", "messages", "capture_untimed_messages",
       "Messages whose stream ID is ahead of the clock and of which no field tells when they came."),
    _M("capture_rate_events_per_min", "Captured", "events/min", "capture_events_per_second", "Events captured.", MEAN,
       chart=True, http=True),
    _M("recorded_rate_events_per_min", "Captured, as recorded", "events/min", "capture_recorded_events_per_second",
       "Events captured, as the recorder counted them.", MEAN),
    _M("open_sessions", "Open sessions", "", "open_sessions", "IDE sessions that are open."),
    _M("longest_open_ms", "Longest session", "ms", "open_session_longest_seconds",
       "Since the oldest open session began."),
    _M("last_event_timestamp", "Last event", TIME, "hook_last_event_timestamp_seconds", "Newest hook message.",
       recorded=False),
    _M("hooks.{hook}.seen", "Seen", "", "hook_messages", "Messages of the hook in the stream.", LAST),
    _M("hooks.{hook}.silent_ms", "Silent for", "ms", "hook_silent_seconds", "Since the hook's newest message."),
)  # fmt: skip
_TRANSCRIPTS = _of(
    "transcripts",
    _M("files", "Transcripts", "", "transcript_files", "Claude's transcripts that were touched within the window.",
       LAST),
    _M("lines", "Lines of transcripts", "lines", "transcript_lines", "Their lines with a uuid.", LAST),
    _M("written", "Lines that are written", "lines", "transcript_written_lines", "Those whose row is there.", LAST),
    _M("missing", "Lines that are missing", "lines", "transcript_missing_lines",
       "Those that should be in the pipeline and are nowhere.", MAX, chart=True),
    _M("without_uuid", "Lines without a uuid", "lines", "transcript_lines_without_uuid",
       "Lines by which no row could be found.", LAST),
    _M("unreadable_lines", "Lines that cannot be read", "lines", "transcript_unreadable_lines",
       "Lines that are no JSON object, or too long.", LAST),
)  # fmt: skip
_CHAIN = _of(
    "chain",
    _M("chain_status", "Chain of custody", STATE, "chain_status",
       "Chain of custody", MAX, http=True, states=CHAIN_STATES),
    _M("messages_enqueued_last_hour", "Enqueued in the last hour", "messages", "chain_enqueued_last_hour_messages",
       "Messages enqueued in the last hour.", LAST, http=True),
    _M("messages_written_last_hour", "Enqueued in the last hour and written", "messages",
       "chain_written_last_hour_messages",
       "Messages of the last hour whose row is there.", LAST, http=True),
    _M("messages_in_dlq", "In the dead-letter streams", "messages", "chain_dead_letters_messages",
       "Entries of all dead-letter streams, as the chain counts them.",
       http=True),
    _M("chain_break_count", "Chain breaks", "messages", "chain_breaks_messages",
       "Messages lost, trimmed unread, or pending and gone.", chart=True, http=True),
    _M("last_chain_break_timestamp", "Newest chain break", TIME, "last_chain_break_timestamp_seconds", "Newest break.",
       http=True, recorded=False),
    _M("success_rate", "Success rate, last hour", FRACTION, "chain_success_ratio",
       "Share of delivered messages whose row is there, of those of which it is known.", MIN, http=True),
    _M("untraceable_last_hour", "Enqueued in the last hour and untraceable", "messages",
       "chain_untraceable_last_hour_messages",
       "Messages of the last hour of which nothing can be known; no part of the success rate.", LAST),
    _M("malformed_lost", "Lost: payload is malformed", "messages", "chain_malformed_lost_messages",
       "Lost messages whose payload their writer cannot read."),
    _M("unwritable_lost", "Lost: no writer can write them", "messages", "chain_unwritable_lost_messages",
       "Lost messages that no writer can write."),
    _M("examined", "Examined", "messages", "chain_examined_messages",
       "Messages that were read and given a state.", LAST),
    _M("partial", "Read only in part", YES, "chain_partial", "1 when the time was up before the last message."),
    _M("states.{state}", "Messages in a state", "messages", "chain_messages", "Examined messages by state of custody."),
    _M("tables_begin_later", "Untraceable: older than their table", "messages", "chain_tables_begin_later_messages",
       "Untraceable messages that are older than the rows of their table."),
    _M("rows_pruned", "Untraceable: rows deleted by age", "messages", "chain_rows_pruned_messages",
       "Of those, messages whose rows were pruned."),
    _M("written_elsewhere", "Untraceable: perhaps in another database", "messages", "chain_written_elsewhere_messages",
       "Messages without a row here that a second server may have written to another database."),
    _M("of_unknown_group", "Untraceable: of an unknown group", "messages", "chain_of_unknown_group_messages",
       "Messages of a platform without a known route that a group which nobody knows may write."),
    _M("letter_dropped", "Untraceable: dead letter perhaps dropped", "messages", "chain_letter_dropped_messages",
       "Untraceable messages whose dead letter may have been dropped."),
    _M("rows_deleted", "Untraceable: row perhaps deleted", "messages", "chain_rows_deleted_messages",
       "Untraceable messages where a row was deleted in the place of theirs."),
    _M("letters_unreadable", "Untraceable: dead letter perhaps unreadable", "messages",
       "chain_letters_unreadable_messages",
       "Untraceable messages whose dead letter may be where this user may not read."),
    _M("letters_dropped", "Dead letters no longer in their streams", "messages", "chain_letters_dropped_messages",
       "Dead letters that are no longer in their streams."),
    _M("left_stream", "No longer in the stream", "messages", "chain_left_stream_messages",
       "Messages that are no longer in the stream."),
    _M("left_without_row", "No longer in the stream, at most so many without a row", "messages",
       "chain_left_without_row_messages",
       "Messages that left the stream and may have been trimmed unread, because far fewer rows are there."),
    _M("losses.{group}.trimmed_unread", "Trimmed unread", "messages", "group_trimmed_unread_messages",
       "Messages trimmed before the group was given them."),
)  # fmt: skip
_DELIVERY = _of(
    "delivery",
    _M("routes.{route}.messages", "Written, last hour", "messages", "route_written_messages",
       "Written messages of the last hour that the stream still holds.", LAST),
    _M("routes.{route}.p50_ms", "Delay, p50", "ms", "route_delivery_delay_p50_seconds",
       "Half of the messages of the last hour took at least this to their row."),
    _M("routes.{route}.p95_ms", "Delay, p95", "ms", "route_delivery_delay_p95_seconds",
       "5 of 100 messages of the last hour took at least this to their row."),
    _M("routes.{route}.recent_p95_ms", "Delay, p95 of ten minutes", "ms", "route_delivery_delay_recent_p95_seconds",
       "5 of 100 messages of the last ten minutes took at least this to their row."),
    _M("rows_before_messages", "Rows older than their message", "messages", "delivery_rows_before_messages",
       "Messages of the sample that were enqueued once more after they were written."),
)  # fmt: skip
_REDIS = _of(
    "redis",
    _M("uptime_seconds", "Uptime", "s", "redis_uptime_seconds", "Since the server was started.", LAST),
    _M("used_memory_mb", "Used memory", "MB", "redis_memory_bytes", "Memory that Redis uses."),
    _M("maxmemory_mb", "Memory limit", "MB", "redis_memory_limit_bytes", "Memory that Redis may use.", LAST),
    _M("may_evict_queue", "May evict the queue", YES, "redis_may_evict_queue", "1 when a full memory may delete it."),
    _M("persistence", "Persistence", YES, "redis_persistence", "1 when the queue survives a restart.", MIN),
    _M("append_only", "Append-only file", YES, "redis_append_only", "1 when the append-only file is on.", LAST),
    _M("append_only_kept", "Append-only file stays", YES, "redis_append_only_kept",
       "1 when it is on after a restart too.", LAST),
    _M("saves_snapshots", "Snapshots", YES, "redis_saves_snapshots", "1 when there are save rules.", LAST),
    _M("unsaved_changes", "Unsaved changes", "", "redis_unsaved_changes", "Changes that a crash of Redis loses."),
    _M("last_save_seconds", "Since the last snapshot", "s", "redis_last_save_seconds",
       "Since Redis saved a snapshot."),
    _M("has_config_file", "Configuration file", YES, "redis_has_config_file",
       "1 when Redis was started with one.", LAST),
    _M("overwritten_by_master", "Writable replica", YES, "redis_overwritten_by_master",
       "1 when its master overwrites what it takes."),
    _M("open_connections", "Connections", "", "redis_open_connections", "Connections to Redis that are open."),
    _M("maxclients", "Connections allowed", "", "redis_clients_limit", "Connections that Redis allows.", LAST),
    _M("clock_skew_ms", "Clock skew", "ms", "redis_clock_skew_seconds", "Clock of Redis minus clock of this host."),
)  # fmt: skip
_DISK_SPACE = _of(
    "disk_space",
    _M("database_free_mb", "Free for the database", "MB", "database_disk_free_bytes",
       "Free on the database's disk.", MIN),
    _M("spool_free_mb", "Free for the home", "MB", "home_disk_free_bytes",
       "Free on the disk of Blueplane's home.", MIN),
    _M("redis_free_mb", "Free for Redis", "MB", "redis_disk_free_bytes",
       "Free on the disk of Redis' own files.", MIN),
)  # fmt: skip
_REDIS_WRITES = _of(
    "redis_writes",
    _M("taken", "Takes writes", YES, "redis_takes_writes", "1 when Redis takes writes, 0 when it refuses them.", MIN),
    _M("seconds_left", "Until writable", "s", "redis_until_writable_seconds",
       "Until Redis takes writes again by itself."),
    _M("refused.{error}", "Refused", "", "redis_refused_commands", "Commands refused with that error.", LAST),
)  # fmt: skip
_SERVER = _of(
    "server",
    _M("pid_state", "Server process", STATE, "server_pid_state", "Process of the server", MAX, states=PID_STATES),
    _M("http_ok", "HTTP", YES, "server_http_up", "1 when the server answers over HTTP, else 0.", MIN),
    _M("log_found", "Log found", YES, "server_log_found", "1 when there is a log.", MIN),
    _M("errors_per_minute", "Errors", "errors/min", "server_log_errors_per_second", "Errors in the server's log."),
    _M("last_error_timestamp", "Last error", TIME, "server_last_error_timestamp_seconds", "Newest error of the log.",
       recorded=False),
    _M("buffered_events", "Buffered events", "events", "server_buffered_events", "Buffered events without a row."),
)  # fmt: skip
_SPOOL = _of(
    "spool",
    _M("waiting_events", "Waiting events", "events", "hook_spool_events", "Events that hooks keep for the server."),
    _M("waiting_bytes", "Waiting bytes", "bytes", "hook_spool_bytes", "Size of the events that hooks keep."),
    _M("room_bytes", "Room of the spool", "bytes", "hook_spool_limit_bytes", "What the spool may hold.", LAST),
    _M("spooled", "Spooled", "events", "hook_spooled_events",
       "Events that hooks had to keep, since counting began.", LAST),
    _M("dropped", "Dropped", "events", "hook_dropped_events",
       "Events that hooks had no room to keep, since counting began.", LAST),
    _M("refused", "Refused", "events", "hook_refused_events",
       "Events that the server refused for ever, since counting began.", LAST),
    _M("unreadable", "Unreadable", "", "hook_unreadable_calls",
       "Calls of hooks without any input, since counting began.", LAST),
    _M("not_understood", "Not understood", "", "hook_kept_inputs",
       "Inputs of hooks that were not understood and are kept whole.", LAST),
    _M("not_understood_bytes", "Not understood, size", "bytes", "hook_kept_inputs_bytes", "Size of these inputs."),
    _M("last_failure_timestamp", "Last failure", TIME, "hook_last_failure_timestamp_seconds",
       "When a hook could not deliver last.",
       recorded=False),
)  # fmt: skip
_CURSOR = _of(
    "cursor",
    _M("changed", "Cursor changes", "", "cursor_changed_items", "Things that changed in Cursor's databases."),
    _M("missing_items", "Cursor changes that are missing", "", "cursor_missing_items",
       "Those that were never captured.", MAX),
    _M("unread", "Cursor databases that cannot be read", "", "cursor_unread_databases",
       "Cursor's databases that could not be read."),
    _M("by_outcome.{outcome}", "Things in a state", "", "cursor_items", "Things that changed, by what became of them."),
)  # fmt: skip
_HISTORY = _of(
    "history",
    _M("samples", "Samples", "", "history_samples", "Samples of the last hour."),
    _M("newest_sample_age_ms", "Newest sample", "ms", "history_newest_sample_seconds",
       "Age of the newest sample."),
    _M("dead_letters_last_hour", "Dead letters, last hour", "messages", "history_dead_letters_last_hour_messages",
       "Rise of the dead letters between samples."),
    _M("wal_growth_mb_last_hour", "WAL growth, last hour", "MB", "history_wal_growth_bytes",
       "Size of the write-ahead log above its smallest of the last hour."),
    _M("backlog_per_minute", "Backlog change", "messages/min", "history_backlog_messages_per_second",
       "Change of the queue depth."),
    _M("minutes_to_loss", "Time until loss", "min", "history_time_to_loss_seconds",
       "Until the backlog reaches the stream's limit, at its rate of ten minutes."),
    _M("room.{name}.minutes_left", "Until full", "min", "history_time_to_full_seconds",
       "Until this memory or disk is full, where its room shrinks."),
    _M("room.{name}.mb_per_minute", "Shrinks a minute", "MB", "history_shrinks_bytes",
       "How much its room shrinks a minute."),
    _M("groups.{group}.backlog", "Backlog", "messages", "history_group_backlog_messages",
       "Backlog of the group at the newest sample."),
    _M("groups.{group}.per_minute", "Change", "messages/min", "history_group_backlog_messages_per_second",
       "Change of the group's backlog."),
    _M("groups.{group}.minutes_left", "Until drained", "min", "history_group_time_to_drained_seconds",
       "Until the group's backlog is drained."),
    _M("groups.{group}.still_seconds", "Still for", "s", "history_group_still_seconds",
       "Time in which nothing moved while something waited."),
    _M("losses.{group}.lost", "Lost", "messages", "history_group_lost_messages",
       "Messages trimmed unread between samples of the last day."),
)  # fmt: skip
METRICS = (
    *_STATUS,
    *_QUEUE,
    *_DATABASE,
    *_CAPTURE,
    *_TRANSCRIPTS,
    *_CHAIN,
    *_DELIVERY,
    *_REDIS,
    *_REDIS_WRITES,
    *_DISK_SPACE,
    *_SERVER,
    *_SPOOL,
    *_CURSOR,
    *_HISTORY,
)

RECORDS = frozenset(metric.record for metric in METRICS)
"""Health records whose metrics are all named here; those of other monitors are taken as they come."""
CHARTED = tuple(metric for metric in METRICS if metric.chart)

"""The healthy state, and faults of a simulated pipeline: six observed on the real one, and four others; and the demo.

docs/PIPELINE.md tells of the real one. The numbers that faults take have the observed ones as defaults.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo.foundation import CLOSED_PORT, consumer_name
from blueplane_doctor.demo.messages import SHAPES
from blueplane_doctor.demo.servers import run_server, stand_in_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import UsageError

DEFAULT_FAULTS = ("dead-letter-growth", "malformed-payloads", "poison-duplicate")
DEAD_PID = 4_999_999
"""Above the largest process id of Linux and of macOS: no process ever has it."""

SMALL_PAYLOAD_BYTES = 64
"""Of messages this small 17 fill a node of the stream; `MAXLEN ~` trims whole nodes, and 10 015 stay."""

Apply = Callable[..., None]


@dataclass(frozen=True)
class Fault:
    """A named fault: what it is in plain words, and how to bring a pipeline into that state."""

    name: str
    summary: str
    apply: Apply
    quiet: bool
    """Nothing may happen after it, or it would be another state."""
    server_dead: bool


FAULTS: dict[str, Fault] = {}


def fault(name: str, *, quiet: bool = False, server_dead: bool = False) -> Callable[[Apply], Apply]:
    """Register a function as a fault; the first line of its docstring becomes the summary."""

    def register(apply: Apply) -> Apply:
        summary = (apply.__doc__ or "").partition("\n")[0]
        FAULTS[name] = Fault(name, summary, apply, quiet, server_dead)
        return apply

    return register


def healthy(pipeline: Pipeline, *, minutes: int = 10, minutes_ago: float = 0, session: bool = True) -> None:
    """Minutes of busy, healthy work, the last of it that long ago: all kinds of messages, all handled."""
    if session:
        pipeline.open_session(minutes_ago=minutes_ago + minutes)
    for minute in range(minutes, 0, -1):
        at = partial(pipeline.ago, minutes=minute + minutes_ago)
        pipeline.enqueue_cursor(12, at=at(), spread=timedelta(seconds=15))
        pipeline.enqueue_cursor(6, source="unified_monitor", at=at(seconds=-15), spread=timedelta(seconds=15))
        pipeline.enqueue_claude(8, at=at(seconds=-30), spread=timedelta(seconds=15))
        pipeline.enqueue_claude_hook(1, at=at(seconds=-45))
        pipeline.enqueue_skipped(2, at=at(seconds=-46), spread=timedelta(seconds=10))
        pipeline.drain()
    end = pipeline.ago(minutes=minutes_ago)
    pipeline.touch_offsets(at=end)
    pipeline.write_pid_file()
    pipeline.log("INFO", "all is well", at=end)


@fault("poison-duplicate")
def poison_duplicate(pipeline: Pipeline, *, messages: int = 40, duplicates: int = 2, minutes: int = 6) -> None:
    """Two messages have the same event_id, and their whole batch is never written."""
    group = pipeline.writer_groups[0]
    ids = _with_duplicates(pipeline, messages, duplicates)
    pipeline.enqueue_cursor(messages, at=pipeline.ago(minutes=minutes), event_ids=ids)
    pipeline.drain(batch=messages)
    pipeline.age_pending(group, milliseconds=minutes * 60_000)


@fault("malformed-payloads")
def malformed_payloads(pipeline: Pipeline, *, messages: int = 60, malformed: int = 12, minutes: int = 8) -> None:
    """Messages whose payload is not an object are acknowledged and never written: lost without an error."""
    add = partial(pipeline.enqueue_cursor, at=pipeline.ago(minutes=minutes))
    good = messages - malformed
    added = 0
    payloads: Iterator[object] = itertools.cycle(["text", ["a", "list"]])
    for _ in range(malformed):
        add(good // malformed)
        add(1, payload=next(payloads))
        added += good // malformed
    add(good - added)
    pipeline.drain()


@fault("trimmed-unread", quiet=True, server_dead=True)
def trimmed_unread(pipeline: Pipeline, *, written: int = 500, unread: int = 30_000, minutes: int = 20) -> None:
    """The server died, producers went on, and messages that no writer had read were trimmed from the stream."""
    add = partial(
        pipeline.enqueue_cursor,
        hook_type="stop",
        payload_bytes=SMALL_PAYLOAD_BYTES,
        session_id="demo",
        external_session_id="demo",
        metadata="{}",
    )
    add(written, at=pipeline.ago(minutes=minutes))
    pipeline.drain()
    _kill_server(pipeline, minutes)
    add(unread, at=pipeline.ago(minutes=minutes - 1), spread=timedelta(minutes=minutes - 1))


@fault("orphaned-messages")
def orphaned_messages(pipeline: Pipeline, *, messages: int = 300, minutes: int = 20) -> None:
    """A consumer read messages and died; the consumer that replaced it never claims them."""
    group = pipeline.writer_groups[-1]
    dead = consumer_name(group, DEAD_PID)
    pipeline.enqueue_claude(messages, at=pipeline.ago(minutes=minutes))
    pipeline.deliver(group, consumer=dead)
    pipeline.drain()
    pipeline.age_pending(group, milliseconds=minutes * 60_000, consumer=dead)


@fault("locked-database")
def locked_database(pipeline: Pipeline, *, cursor: int = 120, claude: int = 50, minutes: int = 10) -> None:
    """The database was locked for a while: Claude's writer retried, Cursor's left its batches stuck."""
    at = pipeline.ago(minutes=minutes)
    pipeline.enqueue_cursor(cursor, at=at)
    pipeline.enqueue_claude(claude, at=at)
    with pipeline.lock_database():
        pipeline.drain()
    pipeline.drain()
    pipeline.age_pending(pipeline.writer_groups[0], milliseconds=minutes * 60_000)


@fault("retry-storm")
def retry_storm(pipeline: Pipeline, *, messages: int = 30, duplicates: int = 2, deliveries: int = 319) -> None:
    """Two messages of the same session and uuid are retried about once a second, with their whole batch."""
    group = pipeline.writer_groups[-1]
    uuids = _with_duplicates(pipeline, messages, duplicates)
    pipeline.enqueue_claude(messages, at=pipeline.ago(seconds=deliveries), uuids=uuids)
    pipeline.drain(batch=messages)
    for second in range(deliveries - 2, -1, -1):
        pipeline.log("ERROR", "sqlite3.IntegrityError: UNIQUE", at=pipeline.ago(seconds=second), logger=group)
    pipeline.age_pending(group, milliseconds=0, deliveries=deliveries)


@fault("dead-letter-growth")
def dead_letter_growth(pipeline: Pipeline, *, before: int = 2, recent: int = 14) -> None:
    """Writers move messages to the dead letters, in the last hour more than before."""
    # Long ago, and then evenly from 50 to 5 minutes ago.
    minutes = [90.0] * before + [50 - 45 * index / recent for index in range(recent)]
    for index, minutes_ago in enumerate(minutes):
        shape = SHAPES[index % len(SHAPES)]
        at = pipeline.ago(minutes=minutes_ago)
        enqueue = pipeline.enqueue_claude if shape == "claude" else pipeline.enqueue_cursor
        added = enqueue(1, at=at)
        for group in pipeline.writer_groups:
            pipeline.deliver(group, count=1)
        pipeline.dead_letter(added[0], shape, at=at + timedelta(seconds=30))
    pipeline.drain(*names.READER_GROUPS)


@fault("dead-server", quiet=True, server_dead=True)
def dead_server(pipeline: Pipeline, *, minutes: int = 15) -> None:
    """The server died: its pid file names a process that is gone, and its port is closed."""
    _kill_server(pipeline, minutes)


@fault("silent-hooks", quiet=True)
def silent_hooks(pipeline: Pipeline, *, hours: int = 4) -> None:
    """An IDE window is open, and no hook has fired for hours."""
    pipeline.open_session(minutes_ago=hours * 60 + 10)
    pipeline.enqueue_cursor(len(names.CURSOR_HOOKS) * 2, at=pipeline.ago(hours=hours))
    pipeline.drain()


@fault("idle-evening", quiet=True)
def idle_evening(pipeline: Pipeline, *, hours: int = 5) -> None:
    """Nobody works: no IDE window is open, and everything was written hours ago. This state is healthy."""
    healthy(pipeline, minutes=3, minutes_ago=hours * 60)
    pipeline.close_sessions(at=pipeline.ago(hours=hours))


def _with_duplicates(pipeline: Pipeline, count: int, duplicates: int) -> list[str]:
    ids = [pipeline.messages.uuid() for _ in range(count)]
    ids[count - duplicates :] = [ids[-1]] * duplicates
    return ids


def _kill_server(pipeline: Pipeline, minutes: int) -> None:
    pipeline.log("INFO", "shutting down", at=pipeline.ago(minutes=minutes))
    pipeline.write_pid_file(DEAD_PID)
    pipeline.configure()


def refuse_unknown_faults(names: Iterable[str]) -> None:
    """Raise UsageError for the first name of no fault."""
    for name in names:
        if name not in FAULTS:
            raise UsageError(f"there is no fault {name!r}", f"one of: {', '.join(sorted(FAULTS))}")


@contextlib.contextmanager
def demo_pipeline(faults: Sequence[str] = DEFAULT_FAULTS) -> Iterator[Pipeline]:
    """Run a simulated pipeline with these faults; with none, a healthy one. Raises UsageError for an unknown fault.

    A whole demo: server, home, stand-in, a healthy past, the faults, and, unless one of them forbids it, a healthy
    present. Its files lie in the server's own folder: whatever ends it, be it kill -9, ends and removes all.
    """
    refuse_unknown_faults(faults)
    chosen = sorted((FAULTS[name] for name in faults), key=lambda fault: fault.quiet)
    quiet = any(fault.quiet for fault in chosen)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(run_server(arguments=("--appendonly", "yes")))
        server_dead = any(fault.server_dead for fault in chosen)
        pid = DEAD_PID
        port = CLOSED_PORT
        if not server_dead:
            pid, port = stack.enter_context(stand_in_server())
        pipeline = stack.enter_context(Pipeline(server.url, server.directory / ".blueplane", pid=pid))
        pipeline.configure(http_port=port)
        pipeline.install_cursor_hooks()
        healthy(pipeline, minutes=3, minutes_ago=6 * 60, session=not quiet)
        for fault in chosen:
            fault.apply(pipeline)
        if not quiet:
            healthy(pipeline, minutes=4, session=False)
        yield pipeline

"""The healthy state, and the failures observed on the real pipeline, to be applied to a simulated one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

from blueplane_doctor import pipeline as names
from blueplane_doctor.demo.dead_letters import SHAPES
from blueplane_doctor.demo.foundation import consumer_name
from blueplane_doctor.demo.simulator import Pipeline

DEAD_PID = 4_999_999
"""Above the largest process id of Linux and of macOS: no process ever has it."""

SMALL_PAYLOAD_BYTES = 64
"""Of messages this small 17 fill a node of the stream; `MAXLEN ~` trims whole nodes, and 10 015 stay."""


class Apply(Protocol):
    """Brings a pipeline into a faulty state; the numbers have the observed ones as defaults."""

    def __call__(self, pipeline: Pipeline, **numbers: int) -> None: ...


@dataclass(frozen=True)
class Fault:
    """A named fault: what it is in plain words, and how to bring a pipeline into that state.

    `quiet` says that nothing may happen after it, or it would be another state; `server_dead` that the
    server no longer runs.
    """

    name: str
    summary: str
    apply: Apply
    quiet: bool
    server_dead: bool


FAULTS: dict[str, Fault] = {}


def fault(
    name: str, *, quiet: bool = False, server_dead: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a fault; the first sentence of its docstring becomes the summary."""

    def register(apply: Callable[..., None]) -> Callable[..., None]:
        summary = (apply.__doc__ or "").partition("\n")[0]
        FAULTS[name] = Fault(name, summary, apply, quiet, server_dead)
        return apply

    return register


def healthy(pipeline: Pipeline, *, minutes: int = 10, minutes_ago: float = 0, session: bool = True) -> None:
    """Minutes of busy, healthy work, the last of it that long ago: all kinds of messages, all handled.

    All six Cursor hooks, Cursor's database monitor, Claude's transcripts and hooks; an open IDE window.
    """
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
    if pipeline.database_layout != "earlier":
        pipeline.touch_offsets(at=end)
    pipeline.write_pid_file()
    pipeline.log("INFO", "all is well", at=end)


@fault("poison-duplicate")
def poison_duplicate(pipeline: Pipeline, *, messages: int = 40, duplicates: int = 2, minutes: int = 6) -> None:
    """Messages with the same event_id keep their whole batch from being written, for ever.

    Observed failure 1: the batch was delivered once and is never tried again.
    """
    group = pipeline.writer_groups[0]
    ids = [pipeline.messages.uuid() for _ in range(messages)]
    ids[messages - duplicates :] = [ids[-1]] * duplicates
    pipeline.enqueue_cursor(messages, at=pipeline.ago(minutes=minutes), event_ids=ids)
    pipeline.drain(batch=messages)
    pipeline.age_pending(group, milliseconds=minutes * 60_000)


@fault("malformed-payloads")
def malformed_payloads(pipeline: Pipeline, *, messages: int = 60, malformed: int = 12, minutes: int = 8) -> None:
    """Messages whose payload is no object are acknowledged and never written: lost, and nobody says so.

    Observed failure 2: pending 0, lag 0, no dead letters.
    """
    at = pipeline.ago(minutes=minutes)
    for index in range(malformed):
        pipeline.enqueue_cursor((messages - malformed) // malformed, at=at)
        pipeline.enqueue_cursor(1, at=at, payload=["a", "list"] if index % 2 else "text")
    if malformed:
        pipeline.enqueue_cursor((messages - malformed) % malformed, at=at)
    else:
        pipeline.enqueue_cursor(messages, at=at)
    pipeline.drain()


@fault("trimmed-unread", quiet=True, server_dead=True)
def trimmed_unread(pipeline: Pipeline, *, written: int = 500, unread: int = 30_000, minutes: int = 20) -> None:
    """The server died, producers went on, and the stream was trimmed of messages that no writer had read.

    Observed failure 3: every group's lag says 30 000, of which 10 015 still wait.
    """
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
    """A consumer read messages and died; the one that came after it never asks for them.

    Observed failure 4: pending with a consumer that no longer exists, while the new one idles.
    """
    group = pipeline.writer_groups[-1]
    dead = consumer_name(group, DEAD_PID)
    pipeline.enqueue_claude(messages, at=pipeline.ago(minutes=minutes))
    pipeline.deliver(group, consumer=dead)
    pipeline.drain()
    pipeline.age_pending(group, milliseconds=minutes * 60_000, consumer=dead)


@fault("locked-database")
def locked_database(pipeline: Pipeline, *, cursor: int = 120, claude: int = 50, minutes: int = 10) -> None:
    """The database was locked for a while: Claude's writer tried again, Cursor's left its batches stuck.

    Observed failure 5: no dead letters; the log alone tells of the failed writes.
    """
    at = pipeline.ago(minutes=minutes)
    pipeline.enqueue_cursor(cursor, at=at)
    pipeline.enqueue_claude(claude, at=at)
    with pipeline.lock_database():
        pipeline.drain()
    pipeline.drain()
    pipeline.age_pending(pipeline.writer_groups[0], milliseconds=minutes * 60_000)


@fault("retry-storm")
def retry_storm(pipeline: Pipeline, *, messages: int = 30, duplicates: int = 2, deliveries: int = 319) -> None:
    """Two messages of the same (session, uuid) are tried again about once a second, with their whole batch.

    Observed failure 6: times_delivered climbs, the log is full of IntegrityError, nothing is written.
    """
    group = pipeline.writer_groups[-1]
    uuids = [pipeline.messages.uuid() for _ in range(messages)]
    uuids[messages - duplicates :] = [uuids[-1]] * duplicates
    pipeline.enqueue_claude(messages, at=pipeline.ago(seconds=deliveries), uuids=uuids)
    pipeline.drain(batch=messages)
    for second in range(deliveries - 2, -1, -1):
        pipeline.log("ERROR", "sqlite3.IntegrityError: UNIQUE", at=pipeline.ago(seconds=second), logger=group)
    pipeline.age_pending(group, milliseconds=0, deliveries=deliveries)


@fault("dead-letter-growth")
def dead_letter_growth(pipeline: Pipeline, *, before: int = 2, recent: int = 14) -> None:
    """Writers give messages up, and in the last hour more than before.

    In both dead-letter streams, in all three shapes; the first ones are an hour and a half old.
    """
    minutes = [90.0] * before + [50 - 45 * index / recent for index in range(recent)]
    for index, minutes_ago in enumerate(minutes):
        shape = SHAPES[index % len(SHAPES)]
        enqueue = pipeline.enqueue_claude if shape == "claude" else pipeline.enqueue_cursor
        at = pipeline.ago(minutes=minutes_ago)
        added = enqueue(1, at=at)
        for group in pipeline.writer_groups:
            pipeline.deliver(group, count=1)
        pipeline.dead_letter(added[0], shape, at=at + timedelta(seconds=30))
    pipeline.drain(*names.READER_GROUPS)


@fault("dead-server", quiet=True, server_dead=True)
def dead_server(pipeline: Pipeline, *, minutes: int = 15) -> None:
    """The server died: its pid file names a process that is gone, and nobody listens on its port."""
    _kill_server(pipeline, minutes)


@fault("silent-hooks", quiet=True)
def silent_hooks(pipeline: Pipeline, *, hours: int = 4) -> None:
    """An IDE window is open, and no hook has fired for hours."""
    pipeline.open_session(minutes_ago=hours * 60 + 10)
    pipeline.enqueue_cursor(len(names.CURSOR_HOOKS) * 2, at=pipeline.ago(hours=hours))
    pipeline.drain()


@fault("idle-evening", quiet=True)
def idle_evening(pipeline: Pipeline, *, hours: int = 5) -> None:
    """Nobody works: no IDE window is open, everything was handled hours ago. That is no illness."""
    healthy(pipeline, minutes=3, minutes_ago=hours * 60)
    pipeline.close_sessions(at=pipeline.ago(hours=hours))


def _kill_server(pipeline: Pipeline, minutes: int) -> None:
    pipeline.log("INFO", "last words", at=pipeline.ago(minutes=minutes))
    pipeline.write_pid_file(DEAD_PID)
    pipeline.configure()

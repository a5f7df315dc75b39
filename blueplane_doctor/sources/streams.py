"""The state of the queue stream and its consumer groups at one moment of the server."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from blueplane_doctor.errors import SourceMissing, SourceUnusable
from blueplane_doctor.pipeline import LAYOUTS, READER_GROUPS, Layout
from blueplane_doctor.settings import StreamSettings
from blueplane_doctor.sources.redis_source import RedisSource, pairs

EntryId = tuple[int, int]
BEGINNING: EntryId = (0, 0)


def entry_id(raw: bytes) -> EntryId:
    """A stream entry's ID as (milliseconds, sequence), which compare as the server compares them."""
    milliseconds, _, sequence = raw.partition(b"-")
    return int(milliseconds), int(sequence or 0)


def id_text(entry: EntryId) -> str:
    """An ID as Redis writes it."""
    return f"{entry[0]}-{entry[1]}"


class Consumer(NamedTuple):
    """One consumer of a group. `idle_ms`: since it last asked (before Redis 7.2: since it last got something)."""

    name: bytes
    pending: int
    idle_ms: int


class Group(NamedTuple):
    """One consumer group. `entries_read` and `lag` are None where the server does not know them."""

    name: bytes
    last_delivered: EntryId
    pending: int
    entries_read: int | None
    lag: int | None
    consumers: tuple[Consumer, ...]
    first_pending: EntryId | None = None
    """Smallest ID of the pending entries list."""
    undelivered: int | None = None
    """Messages not given to it yet; None where these were not counted at that moment."""

    @property
    def text(self) -> str:
        """The name as text."""
        return self.name.decode("utf-8", "replace")


class StreamState(NamedTuple):
    """The queue stream at one moment. `first` is None for an empty stream; `entries_added` before Redis 7.0."""

    layout: Layout
    queue: str
    dead_letters: tuple[str, ...]
    length: int
    first: EntryId | None
    last_generated: EntryId
    entries_added: int | None
    max_deleted: EntryId | None
    groups: tuple[Group, ...] = ()
    other_queues: tuple[str, ...] = ()
    """Queue streams of another layout that exist too."""

    def group(self, name: str) -> Group | None:
        """The group of that name, if it exists."""
        return next((g for g in self.groups if g.name == name.encode()), None)


def read_stream(redis: RedisSource, names: StreamSettings) -> StreamState:
    """Find the queue stream and read its state and that of its groups, all of one moment.

    Raises SourceMissing when there is no queue stream, SourceError when it cannot be read.
    """
    layouts = [layout for layout in LAYOUTS if names.queue in (None, layout.queue)] or [LAYOUTS[0]]
    candidates = [names.queue or layout.queue for layout in layouts]
    replies = redis.ask(*[("XINFO", what, queue) for queue in candidates for what in ("STREAM", "GROUPS")])
    found = []
    for index, queue in enumerate(candidates):
        stream, groups = replies[2 * index], replies[2 * index + 1]
        if isinstance(stream, Exception):
            if "no such key" not in str(stream).lower():
                redis.fail(stream, ("XINFO STREAM", queue))
            continue
        if isinstance(groups, Exception):
            redis.fail(groups, ("XINFO GROUPS", queue))
        state = pairs(stream)
        if "last-generated-id" not in state:
            raise SourceUnusable(f"Redis at {redis.address}: XINFO of {queue} came in an unknown form")
        newest = entry_id(state["last-generated-id"])
        found.append((newest, -index, queue, [pairs(g)["name"] for g in groups]))
    if not found:
        raise SourceMissing(
            f"Redis at {redis.address} has no stream {' or '.join(candidates)}",
            "nothing was ever enqueued there, or it is another Redis: see --redis-url",
        )
    _, negative_index, queue, group_names = max(found)
    layout = layouts[-negative_index]
    dead_letters = tuple(names.dead_letters) if names.dead_letters is not None else layout.dead_letters
    others = tuple(q for _, _, q, _ in found if q != queue)
    return _moment(redis, queue, group_names, layout, dead_letters, others)


def _moment(
    redis: RedisSource,
    queue: str,
    group_names: Sequence[bytes],
    layout: Layout,
    dead_letters: tuple[str, ...],
    others: tuple[str, ...],
) -> StreamState:
    """Everything in one MULTI: arithmetic over counters of different moments would invent losses."""
    commands: list[tuple[str | bytes | int, ...]] = [("XINFO", "STREAM", queue), ("XINFO", "GROUPS", queue)]
    for name in group_names:
        commands += [("XINFO", "CONSUMERS", queue, name), ("XPENDING", queue, name)]
    replies = redis.ask(*commands, together=True)
    for reply in replies:
        if isinstance(reply, Exception) and "NOGROUP" not in str(reply):
            redis.fail(reply, ("XINFO or XPENDING", queue))
    details = {
        name: (replies[2 + 2 * i], replies[3 + 2 * i])
        for i, name in enumerate(group_names)
        if not isinstance(replies[2 + 2 * i], Exception)
    }
    stream = pairs(replies[0])
    try:
        return StreamState(
            layout=layout,
            queue=queue,
            dead_letters=dead_letters,
            length=stream["length"],
            first=entry_id(stream["first-entry"][0]) if stream["first-entry"] else None,
            last_generated=entry_id(stream["last-generated-id"]),
            entries_added=stream.get("entries-added"),
            max_deleted=entry_id(stream["max-deleted-entry-id"]) if "max-deleted-entry-id" in stream else None,
            groups=tuple(
                _group(pairs(g), *details[pairs(g)["name"]]) for g in replies[1] if pairs(g)["name"] in details
            ),
            other_queues=others,
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise SourceUnusable(
            f"Redis at {redis.address}: XINFO of {queue} came in an unknown form: {error!r}"
        ) from error


def _group(info: Mapping[str, object], consumers: Sequence[Sequence[object]], summary: Sequence[object]) -> Group:
    return Group(
        name=info["name"],  # type: ignore[arg-type]  # the server's own reply: a wrong type is caught by the caller
        last_delivered=entry_id(info["last-delivered-id"]),  # type: ignore[arg-type]
        pending=info["pending"],  # type: ignore[arg-type]
        entries_read=info.get("entries-read"),  # type: ignore[arg-type]
        lag=info.get("lag"),  # type: ignore[arg-type]
        consumers=tuple(
            Consumer(name=c["name"], pending=c["pending"], idle_ms=c["idle"]) for c in (pairs(x) for x in consumers)
        ),
        first_pending=entry_id(summary[1]) if summary[1] else None,  # type: ignore[arg-type]
    )


def is_reader(group: str) -> bool:
    """Whether a group is known to write no traces."""
    return group in READER_GROUPS

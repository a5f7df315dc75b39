"""The state of the queue stream and its consumer groups at one moment of the server."""

from typing import Any, NamedTuple

from blueplane_doctor.connection.base import Command
from blueplane_doctor.errors import SourceMissing, SourceUnusable
from blueplane_doctor.pipeline import LAYOUTS, Layout
from blueplane_doctor.settings import StreamSettings
from blueplane_doctor.sources.redis_source import RedisSource, pairs

EntryId = tuple[int, int]
BEGINNING: EntryId = (0, 0)


def entry_id(raw: bytes) -> EntryId:
    """An ID as (milliseconds, sequence), which compare as the server compares them."""
    milliseconds, _, sequence = raw.partition(b"-")
    return int(milliseconds), int(sequence or 0)


def id_text(entry: EntryId) -> str:
    """An ID as Redis writes it."""
    return f"{entry[0]}-{entry[1]}"


class Consumer(NamedTuple):
    """`idle_ms`: since it last asked (before Redis 7.2: since it last got something)."""

    name: bytes
    pending: int
    idle_ms: int


class Group(NamedTuple):
    """A consumer group. `entries_read` and `lag` are None where the server does not know them."""

    name: bytes
    last_delivered: EntryId
    pending: int
    entries_read: int | None
    lag: int | None
    consumers: tuple[Consumer, ...]
    first_pending: EntryId | None = None
    """Smallest ID of the pending entries list."""
    undelivered: int | None = None
    """Messages not given to it yet; None where they were not counted at once."""

    @property
    def text(self) -> str:
        """Its name."""
        return self.name.decode("utf-8", "replace")


class StreamState(NamedTuple):
    """The queue stream at one moment. `first` is None where it is empty, `entries_added` before Redis 7.0."""

    layout: Layout
    queue: str
    dead_letters: tuple[str, ...]
    length: int
    first: EntryId | None
    last_generated: EntryId
    entries_added: int | None
    groups: tuple[Group, ...] = ()
    other_queues: tuple[str, ...] = ()
    """Queue streams of another layout that exist too."""

    def group(self, name: str) -> Group | None:
        """The group of that name, if it exists."""
        return next((g for g in self.groups if g.name == name.encode()), None)


def read_stream(redis: RedisSource, names: StreamSettings) -> StreamState:
    """The state of the queue stream. Raises SourceMissing when there is none, SourceError when it cannot be read."""
    layouts = [layout for layout in LAYOUTS if names.queue in (None, layout.queue)] or [LAYOUTS[0]]
    queues = [names.queue or layout.queue for layout in layouts]
    replies = redis.ask(*[("XINFO", what, queue) for queue in queues for what in ("STREAM", "GROUPS")])
    found = []
    for place, (queue, stream, groups) in enumerate(zip(queues, replies[::2], replies[1::2], strict=True)):
        try:
            state = pairs(redis.checked(stream, ("XINFO STREAM", queue)))
        except SourceMissing:
            continue
        group_names = [pairs(group)["name"] for group in redis.checked(groups, ("XINFO GROUPS", queue))]
        if "last-generated-id" not in state:
            raise _unknown_form(redis, queue)
        found.append((entry_id(state["last-generated-id"]), -place, group_names))
    if not found:
        raise SourceMissing(
            f"Redis at {redis.address} has no stream {' or '.join(queues)}",
            "nothing was ever enqueued there, or it is another Redis: see --redis-url",
        )
    _, negative_place, group_names = max(found)
    layout, queue = layouts[-negative_place], queues[-negative_place]
    try:
        state, groups = _moment(redis, queue, group_names)
        return StreamState(
            layout=layout,
            queue=queue,
            dead_letters=layout.dead_letters if names.dead_letters is None else tuple(names.dead_letters),
            length=state["length"],
            first=entry_id(state["first-entry"][0]) if state["first-entry"] else None,
            last_generated=entry_id(state["last-generated-id"]),
            entries_added=state.get("entries-added"),
            groups=groups,
            other_queues=tuple(queues[-other] for _, other, _ in found if other != negative_place),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _unknown_form(redis, queue, f": {error!r}") from error


def _unknown_form(redis: RedisSource, queue: str, particulars: str = "") -> SourceUnusable:
    return SourceUnusable(f"Redis at {redis.address}: XINFO of {queue} came in an unknown form{particulars}")


def _moment(redis: RedisSource, queue: str, group_names: list[bytes]) -> tuple[dict[str, Any], tuple[Group, ...]]:
    """Everything in one MULTI: arithmetic over counters of different moments would invent losses."""
    commands: list[Command] = [("XINFO", "STREAM", queue), ("XINFO", "GROUPS", queue)]
    for name in group_names:
        commands += [("XINFO", "CONSUMERS", queue, name), ("XPENDING", queue, name)]
    replies = redis.ask(*commands, together=True)
    for reply in replies:
        if not (isinstance(reply, Exception) and "NOGROUP" in str(reply)):
            redis.checked(reply, ("XINFO or XPENDING", queue))
    stream, groups, *details = replies
    asked = zip(group_names, details[::2], details[1::2], strict=True)
    there = {name: both for name, *both in asked if not isinstance(both[0], Exception)}
    return pairs(stream), tuple(_group(g, *there[g["name"]]) for g in map(pairs, groups) if g["name"] in there)


def _group(info: dict[str, Any], consumers: list[Any], summary: list[Any]) -> Group:
    return Group(
        name=info["name"],
        last_delivered=entry_id(info["last-delivered-id"]),
        pending=info["pending"],
        entries_read=info.get("entries-read"),
        lag=info.get("lag"),
        consumers=tuple(Consumer(c["name"], c["pending"], c["idle"]) for c in map(pairs, consumers)),
        first_pending=entry_id(summary[1]) if summary[1] else None,
    )

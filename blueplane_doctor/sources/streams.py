"""The state of the queue stream and its consumer groups at one moment of the server."""

from typing import Any, NamedTuple

from blueplane_doctor.connection.base import Command
from blueplane_doctor.errors import SourceElsewhere, SourceMissing, SourceRefused, SourceTooFull, SourceUnusable
from blueplane_doctor.layouts import LAYOUTS, Layout
from blueplane_doctor.privacy.public_text import stream as shown_stream
from blueplane_doctor.settings.values import StreamSettings
from blueplane_doctor.sources.entry_ids import EntryId, entry_id
from blueplane_doctor.sources.redis_source import RedisSource, pairs

_ATTEMPTS_OUTSIDE_MULTI = 5
"""Each takes one round trip; a pipeline that is changed in the middle of all of them is very busy."""


_NOTHING_DELETED = b"0-0"
"""`max-deleted-entry-id` of a stream from which XDEL took nothing; trimming does not move it."""


class Consumer(NamedTuple):
    """One consumer of a group. `idle_ms`: since it last asked (before Redis 7.2: since it last got something)."""

    name: bytes
    pending: int
    idle_ms: int
    counts_asking: bool = False
    """Whether `idle_ms` begins anew each time it asks, so that one that reads is never idle for long."""


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
    was_deleted_from: bool = False
    """Whether single entries were ever deleted (XDEL), after which the server makes groups' counters anew."""
    groups: tuple[Group, ...] = ()
    other_queues: tuple[str, ...] = ()
    """Queue streams of another layout that exist too."""

    def group(self, name: str) -> Group | None:
        """The group of that name, if it exists."""
        for group in self.groups:
            if group.name == name.encode():
                return group
        return None


def read_stream(redis: RedisSource, names: StreamSettings) -> StreamState:
    """The state of the queue stream. Raises SourceMissing when there is none, SourceError when it cannot be read."""
    candidates = _existing_queues(redis, _possible_queues(names))
    # Of the queues of several layouts, the one that was added to last is the one in use.
    chosen = max(candidates, key=lambda candidate: candidate.last_generated)
    state, groups = _read_at_once(redis, chosen.queue, chosen.group_names)
    other_queues = []
    for other in candidates:
        if other is not chosen:
            other_queues.append(other.queue)
    return StreamState(
        layout=chosen.layout,
        queue=chosen.queue,
        dead_letters=_dead_letter_streams(chosen.layout, names),
        length=state["length"],
        first=entry_id(state["first-entry"][0]) if state["first-entry"] else None,
        last_generated=entry_id(state["last-generated-id"]),
        entries_added=state.get("entries-added"),
        was_deleted_from=state.get("max-deleted-entry-id", _NOTHING_DELETED) != _NOTHING_DELETED,
        groups=groups,
        other_queues=tuple(other_queues),
    )


def read_positions(redis: RedisSource, queue: str) -> dict[str, EntryId]:
    """The last message that each group was given, by the group's name. Raises SourceError."""
    positions = {}
    for group in map(pairs, redis.ask_one("XINFO", "GROUPS", queue)):
        positions[group["name"].decode("utf-8", "replace")] = entry_id(group["last-delivered-id"])
    return positions


class _Candidate(NamedTuple):
    """A queue stream that exists."""

    layout: Layout
    queue: str
    last_generated: EntryId
    group_names: list[bytes]


def _possible_queues(names: StreamSettings) -> list[tuple[Layout, str]]:
    """Layouts with the names of their queues, the present one first; a name from the settings is the only one."""
    if names.queue is None:
        return [(layout, layout.queue) for layout in LAYOUTS]
    for layout in LAYOUTS:
        if layout.queue == names.queue:
            return [(layout, names.queue)]
    return [(LAYOUTS[0], names.queue)]


def _existing_queues(redis: RedisSource, possible: list[tuple[Layout, str]]) -> list[_Candidate]:
    commands: list[Command] = []
    for _, queue in possible:
        commands += [("XINFO", "STREAM", queue), ("XINFO", "GROUPS", queue)]
    try:
        replies = redis.ask(*commands)
    except SourceTooFull:
        # XINFO's reply holds whole messages; XLEN's is a number, and tells at least that the server evicted the stream.
        commands = []
        for _, queue in possible:
            commands.append(("XLEN", queue))
        lengths = redis.ask_all(commands)
        if not any(lengths):
            raise _missing(redis, possible) from None
        raise
    candidates: list[_Candidate] = []
    for (layout, queue), stream, groups in zip(possible, replies[::2], replies[1::2], strict=True):
        try:
            state = pairs(redis.checked(stream, ("XINFO STREAM", queue)))
        except SourceMissing:
            continue
        except SourceRefused:
            # A user who may read no other key than the present queue is asked for no more.
            if not candidates:
                raise
            continue
        group_names = []
        for group in redis.checked(groups, ("XINFO GROUPS", queue)):
            group_names.append(pairs(group)["name"])
        candidates.append(_Candidate(layout, queue, entry_id(state["last-generated-id"]), group_names))
    if not candidates:
        raise _missing(redis, possible)
    return candidates


def _missing(redis: RedisSource, possible: list[tuple[Layout, str]]) -> SourceMissing:
    queues = " or ".join(shown_stream(queue) for _, queue in possible)
    return SourceMissing(
        f"Redis at {redis.address} has no stream {queues}",
        "nothing was ever enqueued there, or it is another Redis: see --redis-url",
    )


def _dead_letter_streams(layout: Layout, names: StreamSettings) -> tuple[str, ...]:
    if names.dead_letters is None:
        return layout.dead_letters
    return tuple(names.dead_letters)


def _read_at_once(redis: RedisSource, queue: str, group_names: list[bytes]) -> tuple[dict[str, Any], tuple[Group, ...]]:
    """Everything in one MULTI: arithmetic over counters of different moments would invent losses."""
    commands: list[Command] = [("XINFO", "STREAM", queue), ("XINFO", "GROUPS", queue)]
    for name in group_names:
        commands += [("XINFO", "CONSUMERS", queue, name), ("XPENDING", queue, name)]
    replies = _at_one_moment(redis, commands)
    stream, group_infos, *details = replies
    redis.checked(stream, ("XINFO STREAM", queue))
    redis.checked(group_infos, ("XINFO GROUPS", queue))
    particulars = {}
    for name, consumers, summary in zip(group_names, details[::2], details[1::2], strict=True):
        if _is_missing_group(consumers) or _is_missing_group(summary):
            continue
        redis.checked(consumers, ("XINFO CONSUMERS", queue))
        redis.checked(summary, ("XPENDING", queue))
        particulars[name] = (consumers, summary)
    groups = []
    for info in map(pairs, group_infos):
        # A group that was made or removed after its name was read has no particulars: it is left out.
        if info["name"] in particulars:
            groups.append(_group(info, *particulars[info["name"]]))
    return pairs(stream), tuple(groups)


def _at_one_moment(redis: RedisSource, commands: list[Command]) -> list[Any]:
    """Replies that belong to one moment. Raises SourceError.

    MULTI is refused to a user without that right, and to everybody while memory is full. Then the first two commands,
    which tell of every change of the stream and its groups, are asked again behind the others: where their replies are
    the same, nothing changed in between.
    """
    try:
        return redis.ask(*commands, together=True)
    except SourceElsewhere:
        raise  # outside MULTI another node holds it as well
    except (SourceRefused, SourceUnusable) as error:
        refusal = error
    for _ in range(_ATTEMPTS_OUTSIDE_MULTI):
        replies = redis.ask(*commands, *commands[:2])
        again = [redis.checked(reply, ("XINFO",)) for reply in replies[-2:]]
        if again == replies[:2]:
            return replies[:-2]
    raise SourceUnusable(
        f"{refusal.message}; and read without MULTI, the stream changed each time while it was read",
        refusal.hint,
    ) from refusal


def _is_missing_group(reply: Any) -> bool:
    return isinstance(reply, Exception) and "NOGROUP" in str(reply)


def _group(info: dict[str, Any], consumers: list[Any], summary: list[Any]) -> Group:
    members = []
    for consumer in map(pairs, consumers):
        # Servers that tell since when it got nothing, beside that, count asking alone as a sign of life (Redis 7.2).
        counts_asking = "inactive" in consumer
        members.append(Consumer(consumer["name"], consumer["pending"], consumer["idle"], counts_asking))
    return Group(
        name=info["name"],
        last_delivered=entry_id(info["last-delivered-id"]),
        pending=info["pending"],
        entries_read=info.get("entries-read"),
        lag=info.get("lag"),
        consumers=tuple(members),
        first_pending=entry_id(summary[1]) if summary[1] else None,
    )

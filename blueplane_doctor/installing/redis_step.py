"""Step `redis`: the queue stream and the writers' groups, from the stream's start; no message is read or removed."""

from collections.abc import Callable
from functools import partial
from typing import Any

from blueplane_doctor.errors import SourceMissing, SourceUnusable
from blueplane_doctor.installing.files import Entry, Journal, StepError
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.pipeline import CURRENT
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.entry_ids import BEGINNING
from blueplane_doctor.sources.redis_source import RedisSource, address_of
from blueplane_doctor.sources.streams import StreamState, read_stream

STREAM = "stream"
ANSWER_SECONDS = 2.0


class RedisStep:
    """Makes what is missing of stream and groups."""

    name = "redis"
    summary = "the queue stream and the writers' groups"

    def plan(self, site: Site) -> Plan:
        """Raises SourceError when Redis does not answer."""
        stream = _stream(site)
        layout = stream.layout if stream else CURRENT
        queue = stream.queue if stream else site.settings.streams.queue or CURRENT.queue
        wanted = dict.fromkeys(route.group for route in site.settings.routes or layout.routes)
        there = {group.text for group in stream.groups} if stream else set()
        missing = [group for group in wanted if group not in there]
        return Plan(changes=[_creation(site, queue, group, new_stream=stream is None) for group in missing])

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Only a group that nobody has used yet; only a stream that nothing was ever added to.

        Raises StepError when it was made in another Redis: one there of the same name is somebody else's.
        """
        if entry["redis"] != (here := address_of(site.settings.redis_url)):
            raise StepError(
                f"{entry['target']} was made in Redis at {entry['redis']}; this one is at {here}",
                "blueplane-doctor --redis-url URL uninstall",
            )
        stream = _stream(site)
        queue, _, group = entry["target"].partition(" ")
        if stream is None or stream.queue != queue:
            return Plan(notes=[f"{queue} is gone already"])
        if entry["kind"] == STREAM:
            if stream.entries_added or stream.length or stream.last_generated != BEGINNING:
                return Plan(notes=[f"{queue} has been used; it stays"])
            return _removal(site, f"the empty stream {queue}", queue, ["DEL", queue], _is_empty)
        known = stream.group(group)
        if known is None:
            return Plan(notes=[f"group {group} is gone already"])
        if known.pending or known.consumers or known.last_delivered != BEGINNING:
            return Plan(notes=[f"group {group} has been used; it stays"])
        words = ["XGROUP", "DESTROY", queue, group]
        return _removal(site, f"the unused group {group}", queue, words, partial(_is_unused, group.encode()))


def _stream(site: Site) -> StreamState | None:
    source = RedisSource(site.settings.redis_url, Deadline(ANSWER_SECONDS))
    try:
        return read_stream(source, site.settings.streams)
    except SourceMissing:
        return None
    except SourceUnusable as error:
        raise StepError(error.message, error.hint) from error
    finally:
        source.close()


def _creation(site: Site, queue: str, group: str, *, new_stream: bool) -> Change:
    words = ["XGROUP", "CREATE", queue, group, "0", *(["MKSTREAM"] if new_stream else [])]

    def create(journal: Journal) -> None:
        made = {"step": "redis", "redis": address_of(site.settings.redis_url)}
        if new_stream and journal.find(STREAM, queue) is None:
            journal.record(made | {"kind": STREAM, "target": queue})
        journal.record(made | {"kind": "group", "target": f"{queue} {group}"})
        _write(site, lambda client: client.execute_command(*words))

    summary = f"make the group {group}" + (f" and the stream {queue}" if new_stream else "")
    return Change(summary, f"> {' '.join(words)}", create)


def _removal(site: Site, what: str, queue: str, words: list[str], untouched: Callable[[Any, str], bool]) -> Plan:
    """Only if nothing was touched between the look and the command."""

    def remove(client: Any) -> None:
        with client.pipeline() as commands:
            commands.watch(queue)
            if untouched(commands, queue):
                commands.multi()
                commands.execute_command(*words)
                commands.execute()

    return Plan(changes=[Change(f"remove {what}", f"> {' '.join(words)}", lambda journal: _write(site, remove))])


def _is_empty(client: Any, queue: str) -> bool:
    return client.exists(queue) and not client.xlen(queue) and not client.xinfo_groups(queue)


def _is_unused(group: bytes, client: Any, queue: str) -> bool:
    found = [g for g in client.xinfo_groups(queue) if g["name"] == group]
    return any(not g["pending"] and not g["consumers"] and g["last-delivered-id"] == b"0-0" for g in found)


def _write(site: Site, work: Callable[[Any], None]) -> None:
    """Run one writing action on a connection of its own. Raises StepError."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = redis.Redis.from_url(
        site.settings.redis_url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        work(client)
    except redis.WatchError:
        return  # somebody uses it: it stays
    except (redis.RedisError, OSError) as error:
        if "BUSYGROUP" in str(error):
            return  # somebody made it meanwhile
        raise StepError(f"Redis refused: {error}", "see whether this user may XGROUP and DEL") from error
    finally:
        client.close()

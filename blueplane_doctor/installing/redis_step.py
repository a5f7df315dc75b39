"""Step `redis`: the queue stream and the writers' groups, from the stream's start; no message is read or removed."""

from functools import partial
from typing import Any

from blueplane_doctor.errors import SourceMissing, SourceUnusable
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.pipeline import CURRENT
from blueplane_doctor.sources.deadline import Deadline
from blueplane_doctor.sources.redis_source import RedisSource, address_of
from blueplane_doctor.sources.streams import BEGINNING, StreamState, read_stream

GROUP, STREAM = "group", "stream"
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
            return Plan(changes=[Change(f"remove the empty stream {queue}", f"> DEL {queue}", _deletion(site, queue))])
        known = stream.group(group)
        if known is None:
            return Plan(notes=[f"group {group} is gone already"])
        if known.pending or known.consumers or known.last_delivered != BEGINNING:
            return Plan(notes=[f"group {group} has been used; it stays"])
        command = f"> XGROUP DESTROY {queue} {group}"
        return Plan(changes=[Change(f"remove the unused group {group}", command, _destruction(site, queue, group))])


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
    return Change(
        summary=f"make the group {group}" + (f" and the stream {queue}" if new_stream else ""),
        preview=f"> XGROUP CREATE {queue} {group} 0" + (" MKSTREAM" if new_stream else ""),
        apply=partial(_create, site, queue, group, new_stream),
    )


def _create(site: Site, queue: str, group: str, new_stream: bool, journal: Journal) -> None:
    made = {"step": "redis", "redis": address_of(site.settings.redis_url)}
    if new_stream and journal.find(STREAM, queue) is None:
        journal.record(made | {"kind": STREAM, "target": queue})
    journal.record(made | {"kind": GROUP, "target": f"{queue} {group}"})
    _write(site, lambda client: _create_group(client, queue, group))


def _create_group(client: Any, queue: str, group: str) -> None:
    import redis

    try:
        client.xgroup_create(queue, group, id="0", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):  # somebody made it meanwhile
            raise


def _destruction(site: Site, queue: str, group: str) -> Any:
    def destroy(client: Any) -> None:
        """Only if nothing was touched between the look and the command."""
        with client.pipeline() as commands:
            commands.watch(queue)
            found = next((g for g in commands.xinfo_groups(queue) if g["name"] == group.encode()), None)
            if found is None or found["pending"] or found["consumers"] or found["last-delivered-id"] != b"0-0":
                return
            commands.multi()
            commands.xgroup_destroy(queue, group)
            commands.execute()

    return lambda journal: _write(site, destroy)


def _deletion(site: Site, queue: str) -> Any:
    def delete(client: Any) -> None:
        with client.pipeline() as commands:
            commands.watch(queue)
            if not commands.exists(queue) or commands.xlen(queue) or commands.xinfo_groups(queue):
                return
            commands.multi()
            commands.delete(queue)
            commands.execute()

    return lambda journal: _write(site, delete)


def _write(site: Site, work: Any) -> None:
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
        raise StepError(f"Redis refused: {error}", "see whether this user may XGROUP and DEL") from error
    finally:
        client.close()

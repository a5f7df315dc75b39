"""Step `redis`: the queue stream and the writers' groups, from the stream's start; no message is read or removed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from blueplane_doctor.connection.base import Command, ReplyError
from blueplane_doctor.connection.failures import Endpoint
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.connection.topology import address_of
from blueplane_doctor.errors import DoctorError, SourceMissing, SourceUnusable
from blueplane_doctor.installing.files import Entry, Journal, StepError
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.pipeline import CURRENT
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.entry_ids import BEGINNING
from blueplane_doctor.sources.redis_source import ANSWER_LIMIT_SECONDS, RedisSource, pairs
from blueplane_doctor.sources.streams import StreamState, read_stream

STREAM = "stream"
_RIGHTS = "Let this user make what is missing: ACL SETUSER <user> +xgroup +del +watch +multi +exec %RW~telemetry:*"


class RedisStep:
    """Makes what is missing of stream and groups."""

    name = "redis"
    summary = "the queue stream and the writers' groups"

    def plan(self, site: Site) -> Plan:
        """Raises SourceError when Redis does not answer."""
        stream = _stream(site)
        layout = CURRENT
        queue = site.settings.streams.queue or CURRENT.queue
        existing: set[str] = set()
        if stream:
            layout = stream.layout
            queue = stream.queue
            existing = {group.text for group in stream.groups}
        wanted = dict.fromkeys(route.group for route in site.settings.routes or layout.routes)
        missing = [group for group in wanted if group not in existing]
        return Plan(changes=[_creation(site, queue, group, new_stream=stream is None) for group in missing])

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Only a group that nobody has used yet; only a stream that nothing was ever added to.

        Raises StepError when it was made in another Redis: one there of the same name is somebody else's.
        """
        here = address_of(site.settings.redis_url)
        if entry["redis"] != here:
            raise StepError(
                f"{entry['target']} was made in Redis at {entry['redis']}; this one is at {here}",
                "blueplane-doctor --redis-url URL uninstall",
            )
        stream = _stream(site)
        queue, _, group = entry["target"].partition(" ")
        if stream is None or stream.queue != queue:
            return Plan(notes=[f"{queue} is gone already"])
        if entry["kind"] == STREAM:
            return _undo_stream(site, stream)
        return _undo_group(site, stream, group)


def _undo_stream(site: Site, stream: StreamState) -> Plan:
    queue = stream.queue
    if stream.entries_added or stream.length or stream.last_generated != BEGINNING:
        return Plan(notes=[f"{queue} has been used; it stays"])
    return _removal(site, f"the empty stream {queue}", queue, ("DEL", queue), _is_empty)


def _undo_group(site: Site, stream: StreamState, group: str) -> Plan:
    known = stream.group(group)
    if known is None:
        return Plan(notes=[f"group {group} is gone already"])
    if known.pending or known.consumers or known.last_delivered != BEGINNING:
        return Plan(notes=[f"group {group} has been used; it stays"])
    queue = stream.queue
    command = ("XGROUP", "DESTROY", queue, group)
    return _removal(site, f"the unused group {group}", queue, command, partial(_is_unused, group.encode()))


def _stream(site: Site) -> StreamState | None:
    source = RedisSource(site.settings.redis_url, Deadline(ANSWER_LIMIT_SECONDS))
    try:
        return read_stream(source, site.settings.streams)
    except SourceMissing:
        return None
    except SourceUnusable as error:
        raise StepError(error.message, error.hint) from error
    finally:
        source.close()


def _creation(site: Site, queue: str, group: str, *, new_stream: bool) -> Change:
    command: Command = ("XGROUP", "CREATE", queue, group, "0")
    summary = f"make the group {group}"
    if new_stream:
        command = (*command, "MKSTREAM")
        summary += f" and the stream {queue}"

    def create(journal: Journal) -> None:
        made = {"step": "redis", "redis": address_of(site.settings.redis_url)}
        if new_stream and journal.find(STREAM, queue) is None:
            journal.record({**made, "kind": STREAM, "target": queue})
        journal.record({**made, "kind": "group", "target": f"{queue} {group}"})
        with _writing(site) as connection:
            (reply,) = connection.ask(command)
            # A group that somebody else made since the plan is as good.
            if not (isinstance(reply, ReplyError) and "BUSYGROUP" in str(reply)):
                connection.check(reply, command)

    return Change(summary, _shown(command), create)


def _removal(
    site: Site, what: str, queue: str, command: Command, is_untouched: Callable[[Connection, str], bool]
) -> Plan:
    """Only if nothing was touched between the look and the command."""

    def remove(journal: Journal) -> None:
        with _writing(site) as connection:
            # Somebody may use it between this look and the command: then WATCH makes the transaction do nothing.
            connection.ask_one("WATCH", queue)
            if is_untouched(connection, queue):
                for reply in connection.transaction(command) or []:
                    connection.check(reply, command)

    return Plan(changes=[Change(f"remove {what}", _shown(command), remove)])


def _is_empty(connection: Connection, queue: str) -> bool:
    if not connection.ask_one("EXISTS", queue):
        return False
    return not connection.ask_one("XLEN", queue) and not connection.ask_one("XINFO", "GROUPS", queue)


def _is_unused(name: bytes, connection: Connection, queue: str) -> bool:
    for group in map(pairs, connection.ask_one("XINFO", "GROUPS", queue)):
        if group["name"] == name:
            return not group["pending"] and not group["consumers"] and group["last-delivered-id"] == b"0-0"
    return False


def _shown(command: Command) -> str:
    return "> " + " ".join(str(word) for word in command)


@contextmanager
def _writing(site: Site) -> Iterator[Connection]:
    """A connection for one writing action. Raises StepError for what goes wrong with it."""
    connection = Connection(Endpoint(site.settings.redis_url, rights=_RIGHTS))
    try:
        yield connection
    except DoctorError as error:
        raise StepError(error.message, error.hint) from error
    finally:
        connection.close()

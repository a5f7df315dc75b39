"""Step `redis`: the queue stream and the writers' groups, from the stream's start; no message is read or removed.

A Redis has no identity that survives its restart: its `run_id` is new each time, and another server may stand at the
same address the next day. So a mark is left in it, a set of random tokens beside the stream, in the transaction that
makes a group; the journal keeps the token, and the address in full. What is not proven to be the same is left alone.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

from blueplane_doctor.connection.base import Command, Limits, ReplyError
from blueplane_doctor.connection.failures import Endpoint
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.connection.topology import address_of
from blueplane_doctor.errors import DoctorError, SourceMissing, SourceUnusable
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, ElsewhereError, Plan, Site
from blueplane_doctor.layouts import CURRENT
from blueplane_doctor.pipeline import DEFAULT_REDIS_PORT
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.entry_ids import BEGINNING
from blueplane_doctor.sources.redis_source import ANSWER_LIMIT_SECONDS, RedisSource, pairs
from blueplane_doctor.sources.streams import StreamState, read_stream

_STREAM = "stream"
_MARK = "mark"
_RIGHTS = (
    "Let this user make what is missing: "
    "ACL SETUSER <user> +xgroup +del +sadd +srem +sismember +watch +multi +exec %RW~telemetry:*"
)


def mark_key(queue: str) -> str:
    """The key of the mark; in a cluster on the same node as the stream, for both stand in one transaction."""
    hashed = queue
    if "{" not in queue:
        hashed = f"{{{queue}}}"
    return f"telemetry:blueplane_doctor_installed:{hashed}"


def place_of(url: str) -> str:
    """Where a Redis URL leads, in full but for user, password and options; only for the journal, which is private."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2].lower()
    path = parts.path
    if parts.scheme in ("redis", "rediss"):
        hosts = f"{parts.hostname or 'localhost'}:{parts.port or DEFAULT_REDIS_PORT}"
        path = "/" + (path.strip("/") or "0")
    return f"{parts.scheme}://{hosts}{path}"


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
        plan = Plan()
        for group in wanted:
            if group not in existing:
                plan.changes.append(_creation(site, queue, group, new_stream=stream is None))
        return plan

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Only a group that nobody has used yet; only a stream that nothing was ever added to.

        Raises ElsewhereError when it is not proven that it was made in this Redis: one here of the same name is then
        somebody else's.
        """
        _refuse_another_address(site, entry)
        if entry.kind == _MARK:
            return _undo_mark(site, entry)
        stream = _stream(site)
        queue, _, group = entry.target.partition(" ")
        if stream is None or stream.queue != queue:
            return Plan(notes=[f"{queue} is gone already"])
        if entry.kind == _STREAM:
            plan = _undo_stream(site, stream)
        else:
            plan = _undo_group(site, stream, group)
        if plan.changes and not _is_marked(site, queue, entry.token):
            by_hand = plan.changes[0].preview.removeprefix("> ")
            raise ElsewhereError(
                f"{entry.target} in Redis at {entry.redis} is left alone: that Redis does not hold the mark of this "
                "installation, so it is another one, or its data was deleted and made anew",
                f"remove it by hand where it is yours, then run this again: {by_hand}",
            )
        return plan


def _refuse_another_address(site: Site, entry: Entry) -> None:
    """Raise ElsewhereError. Two hosts may be shown alike, for their names are private: so the full address counts."""
    here = address_of(site.settings.redis_url)
    if entry.redis == here and entry.place == place_of(site.settings.redis_url):
        return
    where = f"this one is at {here}"
    if entry.redis == here:
        where = "this one has another address"
    raise ElsewhereError(
        f"{entry.target} was made in Redis at {entry.redis}; {where}",
        "name the one that install was given: blueplane-doctor --redis-url URL uninstall",
    )


def _is_marked(site: Site, queue: str, token: str) -> bool:
    if not token:
        return False
    with _writing(site) as connection:
        return bool(connection.ask_one("SISMEMBER", mark_key(queue), token) == 1)


def _undo_mark(site: Site, entry: Entry) -> Plan:
    if not _is_marked(site, entry.target, entry.token):
        return Plan(notes=[f"the mark beside {entry.target} is gone already"])
    command = ("SREM", mark_key(entry.target), entry.token)

    def remove(journal: Journal) -> None:
        with _writing(site) as connection:
            connection.ask_one(*command)

    return Plan(changes=[Change("remove the mark of this installation", _shown(command), remove)])


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
    source = RedisSource(site.settings.redis_url, Deadline(_seconds(site)))
    try:
        return read_stream(source, site.settings.streams)
    except SourceMissing:
        return None
    except SourceUnusable as error:
        raise StepError(error.message, error.hint) from error
    finally:
        source.close()


def _seconds(site: Site) -> float:
    """For all that is asked at once, or for all commands of one change; each takes milliseconds."""
    return min(ANSWER_LIMIT_SECONDS, site.settings.timeout)


def _creation(site: Site, queue: str, group: str, *, new_stream: bool) -> Change:
    command: Command = ("XGROUP", "CREATE", queue, group, "0")
    summary = f"make the group {group}"
    if new_stream:
        command = (*command, "MKSTREAM")
        summary += f" and the stream {queue}"

    def create(journal: Journal) -> None:
        mark = _mark(site, queue, journal)
        if new_stream and journal.find(_STREAM, queue, mark.place) is None:
            journal.record(mark.model_copy(update={"kind": _STREAM}))
        journal.record(mark.model_copy(update={"kind": "group", "target": f"{queue} {group}"}))
        with _writing(site) as connection:
            # In one transaction: a group of ours without the mark could not be told from another's.
            replies = connection.transaction(command, ("SADD", mark_key(queue), mark.token)) or []
            for reply in replies:
                # A group that somebody else made since the plan is as good.
                if not (isinstance(reply, ReplyError) and "BUSYGROUP" in str(reply)):
                    connection.check(reply, command)

    return Change(summary, _shown(command), create)


def _mark(site: Site, queue: str, journal: Journal) -> Entry:
    """The journal's entry for the mark in this Redis, made where there is none; first, so that it is undone last."""
    place = place_of(site.settings.redis_url)
    known = journal.find(_MARK, queue, place)
    if known:
        return known
    address = address_of(site.settings.redis_url)
    token = secrets.token_hex(16)
    mark = Entry(step="redis", kind=_MARK, target=queue, redis=address, place=place, token=token)
    journal.record(mark)
    return mark


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
    return "> " + " ".join(map(str, command))


@contextmanager
def _writing(site: Site) -> Iterator[Connection]:
    """A connection for one writing action. Raises StepError for what goes wrong with it."""
    limits = Limits(connection_seconds=_seconds(site))
    connection = Connection(Endpoint(site.settings.redis_url, rights=_RIGHTS), limits)
    try:
        yield connection
    except DoctorError as error:
        raise StepError(error.message, error.hint) from error
    finally:
        connection.close()

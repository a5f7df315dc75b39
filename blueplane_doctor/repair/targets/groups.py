"""Target `groups`: consumer groups that are gone are made, and groups that were moved back are moved on.

A group is put behind the messages that are written, and before the first one that is not: so nothing is passed over,
and nothing that is written comes a second time. Behind that first one other written messages may follow, where a group
was moved back twice; those are left to the targets `acknowledged` and `stuck`, once its writer was given them.
"""

from collections.abc import Iterable, Iterator

from blueplane_doctor.custody.routing import routes_in_force
from blueplane_doctor.custody.states import WAITING, WRITTEN_NOT_DELIVERED
from blueplane_doctor.examination import Examination
from blueplane_doctor.layouts import CURRENT
from blueplane_doctor.monitoring.server_health import ServerHealth
from blueplane_doctor.monitoring.stream_presence import StreamPresence
from blueplane_doctor.pipeline import READER_GROUPS
from blueplane_doctor.privacy.public_text import group as shown_group
from blueplane_doctor.repair.base import Case, Target
from blueplane_doctor.repair.plan import Action, Item, Refusal, Source
from blueplane_doctor.sources.entries import pages
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, id_text
from blueplane_doctor.text.quantities import many


def _plan_groups(case: Case) -> Iterator[Item | Refusal]:
    """Groups to make and groups to move on. Raises SourceError."""
    if case.wanted.ids:
        return
    examination = case.examination
    if not _stream_exists(case):
        yield from _groups_of_lost_stream(case)
        return
    stream = examination.stream()
    writers = examination.writer_groups()
    missing = [name for name in writers if stream.group(name) is None]
    if not missing and not examination.ledger().total(WRITTEN_NOT_DELIVERED):
        return
    starts = {}
    for name in writers:
        starts[name] = _start(examination, name)
    walk = Walk(starts)
    walk.read(examination)
    for name in writers:
        yield from _writer_item(case, name, walk)
    if missing and not stream.groups and _server_lives(case):
        # What all writers are past was read by the readers as well: a session that begins twice is read twice.
        first = min(walk.positions.values(), default=BEGINNING)
        for name in READER_GROUPS:
            yield _make_group(name, first, f"{shown_group(name)}, which follows sessions and writes no traces")


def _stream_exists(case: Case) -> bool:
    presence = case.records.get("presence")
    return not isinstance(presence, StreamPresence) or presence.exists


def _groups_of_lost_stream(case: Case) -> Iterator[Item | Refusal]:
    """All groups, at the beginning of the stream: a server makes them when it starts, and not while it runs."""
    if not _server_lives(case):
        return
    reason = _why_no_stream_is_made(case)
    if reason:
        yield Refusal(what="make the stream and its groups", reason=reason)
        return
    writers = [route.group for route in routes_in_force(CURRENT, None, case.examination.settings)]
    for name in (*dict.fromkeys(writers), *READER_GROUPS):
        yield _make_group(name, BEGINNING, f"{shown_group(name)}, with the stream")


def _why_no_stream_is_made(case: Case) -> str:
    """What a new stream would be in the way of; empty where nothing is known to be."""
    presence = case.records.get("presence")
    if not isinstance(presence, StreamPresence):
        return ""
    if presence.other_databases and TARGET.name not in case.wanted.targets:
        return (
            "the stream may be in another database of this Redis, and a new one would be in the way of moving it back: "
            f"see stream-lost. Where it is in none: blueplane-doctor repair {TARGET.name}"
        )
    return ""


def _start(examination: Examination, name: str) -> EntryId:
    group = examination.stream().group(name)
    if group is None:
        return BEGINNING
    return group.last_delivered


def _writer_item(case: Case, name: str, walk: "Walk") -> Iterator[Item]:
    group = case.examination.stream().group(name)
    position = walk.positions[name]
    passed = walk.passed[name]
    behind = f"behind {many(passed, 'message that is written', 'messages that are written')}"
    if group is None:
        # A server that starts makes its groups itself, but at the beginning: all that is written would come again.
        if passed:
            yield _make_group(name, position, f"{shown_group(name)}, {behind}")
        elif _server_lives(case):
            yield _make_group(name, position, f"{shown_group(name)}, at the beginning of the stream")
    elif passed:
        yield Item(
            target=TARGET.name,
            action=Action.MOVE_GROUP,
            source=Source.NONE,
            id=id_text(group.last_delivered),
            group=name,
            position=id_text(position),
            reason=f"{shown_group(name)}, {behind}",
        )


def _make_group(name: str, position: EntryId, reason: str) -> Item:
    """The item of a group that is not there."""
    return Item(
        target=TARGET.name,
        action=Action.MAKE_GROUP,
        source=Source.NONE,
        id=id_text(BEGINNING),
        group=name,
        position=id_text(position),
        reason=reason,
    )


def _server_lives(case: Case) -> bool:
    server = case.records.get("server")
    return isinstance(server, ServerHealth) and server.is_alive


class Walk:
    """Finds for each writer group the last message before its first one that is not written."""

    def __init__(self, starts: dict[str, EntryId]) -> None:
        """`starts`: the last message that each was given."""
        self.positions = dict(starts)
        self.passed = dict.fromkeys(starts, 0)
        """Messages between the two, of those that the group has to write."""
        self._starts = starts
        self._going_on = set(starts)

    def read(self, examination: Examination) -> None:
        """Judge the stream up to where every group has one that is not written. Raises SourceError."""
        stream = examination.stream()
        judge = examination.new_judge()
        size = examination.server_info().dataset_bytes
        # From the beginning: which of several messages has the row is only told by knowing all before it.
        for page in pages(
            examination.redis, stream.queue, stream.last_generated, length=stream.length, dataset_bytes=size
        ):
            judged = judge.judge(page)
            groups = [route.group if route else "" for route in judged.routes]
            self.take(zip(groups, [message.id for message in judged.messages], judged.states, strict=True))
            if not self._going_on:
                return

    def take(self, judged: Iterable[tuple[str, EntryId, str]]) -> None:
        """Take messages in the order of the stream: the group that has to write each, its ID, its state."""
        for group, identity, state in judged:
            if group not in self._going_on or identity <= self._starts[group]:
                continue
            if state == WAITING:
                self._going_on.discard(group)
            elif state == WRITTEN_NOT_DELIVERED:
                self.positions[group] = identity
                self.passed[group] += 1


TARGET = Target("groups", "consumer groups that are gone, or were moved back", _plan_groups)

"""What a repair refuses, each with its reason: whatever could lose a message, write it twice, or block a batch."""

from collections.abc import Iterable

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import RepairRefused, SourceMissing
from blueplane_doctor.examination import Examination
from blueplane_doctor.model import Report, Status
from blueplane_doctor.monitoring.server_health import ServerHealth
from blueplane_doctor.privacy.public_text import group as shown_group
from blueplane_doctor.records.base import Record
from blueplane_doctor.repair.plan import (
    ADDS_TO_STREAM,
    GOOD_FOR_MS,
    MOST_DELIVERIES,
    Action,
    Item,
    Plan,
    Refusal,
    Room,
    RowKey,
    Source,
)
from blueplane_doctor.repair.survey import Survey
from blueplane_doctor.sources.entry_ids import BEGINNING, EntryId, entry_id
from blueplane_doctor.sources.redis_source import RedisSource, pairs
from blueplane_doctor.sources.server_process import RUNNING
from blueplane_doctor.sources.server_source import ask_health
from blueplane_doctor.text.quantities import many

_ANOTHER_PLAN = "make another one: blueplane-doctor repair"
_GO_ON = "make another plan, which goes on with what is left: blueplane-doctor repair"
FILL_TO = 0.8
"""Of the room: producers go on while the writers work off what was delivered again."""
POLLED_MS = 10_000
"""A writer asks for messages once a second; so its consumer has asked within this, if the server counts that (7.2)."""
_HTTP_SECONDS = 1.0
_TRIES = 5
"""More than one only for who reads from a replica, which may be behind for a moment."""
_BLOCKING_CHECKS = (
    *("redis-writable", "database-reachable", "database-writable", "disk-space"),
    *("same-pipeline", "second-server"),
)
"""Checks of the present state; while one is orange or red, what is delivered again is not written, or elsewhere."""
_CHANGES_NOTHING = frozenset((Action.KEEP, Action.RELEASE))


def running_writers(examination: Examination) -> frozenset[str]:
    """The writer groups that somebody reads: the server answers, or a consumer asked lately. Raises SourceError."""
    answers = ask_health(examination.settings.http_url, _HTTP_SECONDS)[1]
    running = set()
    for name in examination.writer_groups():
        group = examination.stream().group(name)
        if group is None:
            continue
        # Before Redis 7.2 a consumer is there only once it was given a message.
        if answers or min((one.idle_ms for one in group.consumers), default=POLLED_MS) < POLLED_MS:
            running.add(name)
    return frozenset(running)


def in_the_way(report: Report, server: Record | None, running: frozenset[str]) -> str:
    """Why nothing that is delivered again would be written now; empty where nothing is in the way.

    A database that was locked for a while and is no longer is in nobody's way.
    """
    if isinstance(server, ServerHealth):
        holder = server.lock_holder
        if holder is not None and not holder.is_server:
            return f"process {holder.pid} holds the write lock of the database"
        if server.pid_state == RUNNING and not (running or server.http_ok):
            return f"the server's process {server.pid} runs and does not answer, and may still write what it holds"
    return _unhealthy(report, _BLOCKING_CHECKS)


def another_pipeline(report: Report) -> str:
    """That the server uses another Redis or database than those that are examined; empty where it does not."""
    return _unhealthy(report, ("same-pipeline",))


def _unhealthy(report: Report, checks: tuple[str, ...]) -> str:
    """What the first of these checks says that is orange or red; empty where none is."""
    for finding in report.findings:
        if finding.id in checks and finding.status in (Status.ORANGE, Status.RED):
            return finding.summary.rstrip(".")
    return ""


def saved_only(items: Iterable[Item]) -> list[Item]:
    """The items with a message, to be saved and nothing else."""
    return [_kept(item, item.reason) for item in items if item.has_message]


def within_pipeline(items: Iterable[Item], another: str) -> tuple[list[Item], list[Refusal]]:
    """The items that change nothing, where the server uses `another` pipeline; all, where that is empty.

    Groups that are made in a Redis without a server help nobody, and rows of another database prove nothing.
    """
    everything = list(items)
    if not another:
        return everything, []
    left = [item for item in everything if item.action in _CHANGES_NOTHING]
    groups = sum(item.source is Source.NONE for item in everything)
    messages = len(everything) - len(left) - groups
    reason = f"{another}; no repair is made where the server does not read and write"
    refusals = []
    if groups:
        refusals.append(Refusal(what=f"change {many(groups, 'group', 'groups')}", reason=reason))
    if messages:
        refusals.append(Refusal(what=f"change {many(messages, 'message', 'messages')}", reason=reason))
    return left, refusals


def settled(items: Iterable[Item], survey: Survey, obstacle: str = "", letters_apart: str = "") -> list[Item]:
    """The items with what their keys, origins and neighbours allow; those to be delivered must be the only ones.

    `obstacle`: why nothing is written now. `letters_apart`: why no dead letter can be added in the step that
    acknowledges a message.
    """
    everything = list(items)
    planned = {item.id for item in everything if item.is_of_queue}
    taken: dict[RowKey, Item] = {}
    decided = []
    for item in everything:
        if item.action in (Action.DELIVER, Action.RELEASE):
            item = _settled(item, survey, planned, taken)
        if item.action in (Action.DELIVER, Action.RELEASE):
            taken.update(dict.fromkeys(item.keys, item))
        if item.action is Action.SET_ASIDE and not item.is_written and letters_apart:
            item = _kept(item, letters_apart)
        decided.append(item)
    return _released(decided, obstacle)


def _settled(item: Item, survey: Survey, planned: set[str], taken: dict[RowKey, Item]) -> Item:
    for key in item.keys:
        earlier = taken.get(key)
        if earlier is not None and key.is_unique:
            return _as_another(item, earlier, f"same {key.columns[-1]} as {earlier.id}")
        others = [identity for identity in survey.unfinished.get(key.lookup, ()) if identity not in planned]
        if others and key.is_unique:
            return _kept(item, f"{others[0]}, which is not finished, has the same {key.columns[-1]}")
    if item.action is Action.RELEASE:
        return item
    if not item.keys:
        return _kept(item, "it carries nothing by which its row would be found")
    if len(item.origins) >= MOST_DELIVERIES:
        times = many(len(item.origins), "time", "times")
        reason = f"it was delivered again {times}, the last time alone, and its writer did not write it"
        return _set_aside(item, reason, is_written=False)
    return item


def _as_another(item: Item, other: Item, reason: str) -> Item:
    """Set aside, because the other item has the same unique key and is written."""
    item = _set_aside(item, reason, is_written=True)
    return item.model_copy(update={"written_as": other.origin})


def _set_aside(item: Item, reason: str, *, is_written: bool) -> Item:
    """`is_written`: whether another message of the same key is, or will be."""
    if item.source is Source.DEAD_LETTER and is_written:
        return item.model_copy(update={"action": Action.REMOVE, "reason": reason})
    if not item.holdings:
        return _kept(item, reason)
    return item.model_copy(update={"action": Action.SET_ASIDE, "reason": reason, "is_written": is_written})


def _kept(item: Item, reason: str) -> Item:
    return item.model_copy(update={"action": Action.KEEP, "reason": reason})


def _released(items: list[Item], obstacle: str) -> list[Item]:
    """Where nothing is taken out of a group, what its writer tries again and again is not written either."""
    freed: set[str] = set()
    for item in items:
        # What has no message any more was nothing that its writer could fail at.
        if item.action in (Action.SET_ASIDE, Action.ACKNOWLEDGE) and item.has_message:
            freed.update(holding.group for holding in item.holdings)
    reason = "its writer tries it again and again, and what it fails at is not known"
    if obstacle:
        reason = f"{obstacle}; its writer tries it again by itself"
    decided = []
    for item in items:
        if item.action is Action.RELEASE and item.group not in freed:
            item = _kept(item, reason)
        decided.append(item)
    return decided


def with_writers(items: Iterable[Item], running: frozenset[str], obstacle: str) -> tuple[list[Item], list[Refusal]]:
    """The items without deliveries to writers that do not write, and why."""
    left = []
    refused: dict[str, int] = {}
    for item in items:
        reason = ""
        if item.action in ADDS_TO_STREAM and obstacle:
            reason = f"{obstacle}; heal that first: until then no message that is delivered again is written"
        elif item.action in ADDS_TO_STREAM and item.group not in running:
            reason = f"no writer of the group {shown_group(item.group)} runs; start the Blueplane server first"
        if reason:
            refused[reason] = refused.get(reason, 0) + 1
            continue
        if item.action is Action.RELEASE and item.group not in running:
            item = _kept(item, f"no writer of the group {shown_group(item.group)} runs that would try it again")
        left.append(item)
    refusals = []
    for reason, count in refused.items():
        refusals.append(Refusal(what=_deliveries(count), reason=reason))
    return left, refusals


def beside_written(items: Iterable[Item]) -> list[Item]:
    """The items, without setting aside what another item was to be written for, and that one is not delivered."""
    everything = list(items)
    written = {item.origin for item in everything if item.action in (Action.DELIVER, Action.RELEASE)}
    left = []
    for item in everything:
        if item.action is Action.SET_ASIDE and item.written_as and item.written_as not in written:
            item = _kept(item, f"{item.reason}, which is not delivered now")
        left.append(item)
    return left


def waits_for_server(count: int) -> Refusal:
    """What nobody was given yet needs no repair: `count` messages."""
    return Refusal(
        what=f"deliver {many(count, 'waiting message', 'waiting messages')}",
        reason="they are not stuck: no writer reads now, and the Blueplane server is given them when it reads again",
    )


def within_room(items: Iterable[Item], room: Room) -> tuple[list[Item], list[Refusal]]:
    """As many deliveries as fit; the rest waits for another plan."""
    most = max(0, int(room.limit * FILL_TO) - room.used)
    left = []
    added = 0
    refused = 0
    for item in items:
        if item.action in ADDS_TO_STREAM and added >= most:
            refused += 1
            continue
        if item.action in ADDS_TO_STREAM:
            added += 1
        left.append(item)
    if not refused:
        return left, []
    reason = (
        f"unfinished messages would fill more than {FILL_TO:.0%} of the stream ({room.used:,} of {room.limit:,} are "
        "taken), and the next producer would trim unread ones; make another plan when the writers have caught up"
    )
    return left, [Refusal(what=_deliveries(refused), reason=reason)]


def _deliveries(count: int) -> str:
    return f"deliver {many(count, 'message', 'messages')} again"


def refuse_old(plan: Plan, now_ms: int, *, is_begun: bool = False) -> None:
    """Raises RepairRefused for a plan that is older than ten minutes, by the clock of the Redis server.

    `is_begun`: whether a run did something already.
    """
    age_ms = now_ms - plan.made_ms
    if not 0 <= age_ms <= GOOD_FOR_MS:
        hint = _ANOTHER_PLAN
        if is_begun:
            hint = f"it was begun: take it back with blueplane-doctor repair --undo {plan.id}, or {_GO_ON}"
        raise RepairRefused(
            f"plan {plan.id} is older than {GOOD_FOR_MS // 60_000} minutes: what it was made from may have changed",
            hint,
        )


def refuse_another_redis(plan: Plan, run_id: str, *, is_begun: bool = False) -> None:
    """Raises RepairRefused when the Redis is not the process that was examined.

    `is_begun`: whether a run did something already.
    """
    if run_id != plan.run_id:
        hint = _ANOTHER_PLAN
        if is_begun:
            hint = f"it was begun: {_GO_ON}"
        raise RepairRefused(
            f"plan {plan.id} was made for another Redis, or this one was restarted since (its run_id differs)", hint
        )


def refuse_another_to_write_to(reading: RedisSource, writing: Connection, queue: str) -> None:
    """Raises RepairRefused when both connections do not lead to one stream: `--write-url` may name another database.

    Its last ID is asked for from both, between two answers of the one that is read. Raises SourceError.
    """
    for _ in range(_TRIES):
        before = _last_id(reading, queue)
        there = _last_id(writing, queue)
        after = _last_id(reading, queue)
        if before <= there <= after:
            return
    raise RepairRefused(
        f"the Redis at {writing.address} that --write-url names is not the one that was examined; nothing is changed",
        "give the URL of the same Redis and the same database, with the user that may repair",
    )


def _last_id(connection: RedisSource | Connection, queue: str) -> EntryId:
    try:
        state = pairs(connection.ask_one("XINFO", "STREAM", queue))
    except SourceMissing:
        return BEGINNING
    return entry_id(state["last-generated-id"])

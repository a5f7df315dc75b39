"""Causes that lie in what a writer holds or is to be given: a message that cannot be written, and what is left over."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blueplane_doctor.checks.stuck_messages import (
    HAS_A_ROW,
    blockers_of,
    is_refused_now,
    is_storm,
    may_be_refused,
    stuck_with_living,
    without_reason,
)

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.causeapi import stream_time
from blueplane_doctor.checkapi import many, sentence, trace_commands

if TYPE_CHECKING:
    from blueplane_doctor.custody.blockers import ChainBlocker
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.model import SinceBound
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.group_health import GroupHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_PENDING = ("pending-messages", "queue-depth", "consumer-lag", "backlog-trend", "write-success", "chain-breaks")
STREAM_ID = "the time in the message's stream ID"
_REFUSED = ("UNIQUE constraint failed", "another constraint failed", "value that SQLite refuses")
"""Kinds of errors in the server's log of a message that the database does not take."""
NOT_UNDERSTOOD = ("another error", "invalid JSON", "payload is not UTF-8")
"""The same of a message that the writer does not understand."""
_OF_A_MESSAGE = (*_REFUSED, *NOT_UNDERSTOOD)
_SAME_KEY = ("same ", HAS_A_ROW)
"""How the reasons begin of messages whose key is there twice."""
_SAVE_FIRST = "Save the stuck messages before you restart anything: repair shows a plan first, and saves them."
_START_FIRST = "Start the server first: repair saves the stuck messages, and needs its writers to deliver them again."
_ENQUEUED_AGAIN = "Messages that are written already were enqueued once more"
_LETTERS = ("dead-letters", "dead-letter-growth")
"""The Claude writer gives a message that it cannot decode to the dead letters, and keeps it all the same."""


def _held_up(group: "GroupHealth", blocker: "ChainBlocker") -> str:
    stuck = many(stuck_with_living(group), "message is", "messages are")
    return f"{stuck} stuck in the group {group.name}, because {blocker.id} cannot be written: {blocker.reason}."


def _loss(chain: "ChainHealth") -> str:
    """Whether messages are lost, as a sentence that begins with a blank; empty where some are, held or others."""
    if chain.states.get("payload_gone") or chain.chain_break_count:
        return ""
    return " Nothing is lost yet."


def errors_of_messages(server: "ServerHealth | None", kinds: Sequence[str] = _OF_A_MESSAGE) -> list[str]:
    """`server-errors`, where the log tells lately of errors of these kinds, by default all that messages bring."""
    for error in server.errors if server is not None else []:
        if error.lately and error.kind in kinds:
            return ["server-errors"]
    return []


def _told_apart(causes: dict[str, Cause], title: str) -> list[Cause]:
    """The causes of these groups; where there are several, each has its group in its title."""
    if len(causes) == 1:
        return list(causes.values())
    named = []
    for group, one in causes.items():
        named.append(one.model_copy(update={"title": f"{title} {group}"}))
    return named


def _step(server: "ServerHealth | None") -> str:
    """What is to be done first, in the same order as the cause of a server that does not run has it."""
    if server is not None and not server.http_ok and server.pid_state != "running":
        return _START_FIRST
    return _SAVE_FIRST


def is_undecodable(blocker: "ChainBlocker") -> bool:
    """Whether no writer can read its payload, so that each of them fails at it."""
    return blocker.reason.startswith("payload")


def _kinds_of(blocker: "ChainBlocker") -> Sequence[str]:
    """Kinds of errors that this message brings: one whose key is there twice is understood, and refused."""
    if blocker.reason.startswith(_SAME_KEY):
        return _REFUSED
    return _OF_A_MESSAGE


def _poison(group: "GroupHealth", chain: "ChainHealth") -> "ChainBlocker | None":
    """The first message that cannot be written; None where what is held is only waiting for its acknowledgement."""
    blockers: list[ChainBlocker] = blockers_of(chain, group)
    stuck = stuck_with_living(group)
    if not blockers or not stuck:
        return None
    # A batch is written as a whole: where most of what is held has its row, the acknowledgements are what is missing.
    all_have_a_row = all(blocker.reason.startswith(HAS_A_ROW) for blocker in blockers)
    if all_have_a_row and (group.written_not_acknowledged or 0) >= stuck:
        return None
    return blockers[0]


@cause(
    repair="stuck",
    stage="messages",
    shown_by=["stuck-consumers", "retry-storm", "server-errors"],
    brings=[*_PENDING, "written-not-acknowledged", "retry-storm", *_LETTERS],
)
def cause_poison_message(
    queue: "QueueHealth", chain: "ChainHealth", locations: "Locations", server: "ServerHealth | None" = None
) -> list[Cause]:
    """A message that cannot be written holds up its batch."""
    causes: dict[str, Cause] = {}
    for group in queue.writers:
        blocker = _poison(group, chain)
        if blocker is None or is_storm(group):
            continue
        summary = _held_up(group, blocker)
        if may_be_refused(server, queue, chain):
            stuck = many(stuck_with_living(group), "message is", "messages are")
            summary = f"{stuck} stuck in the group {group.name}."
            summary += f" Of these, {blocker.id} holds up those of its batch: {blocker.reason}."
        signs = ["stuck-consumers", *errors_of_messages(server, _kinds_of(blocker))]
        # Three deliveries are where the check retry-storm leaves green.
        if (group.most_deliveries or 0) >= 3:
            signs += ["retry-storm", *errors_of_messages(server)]
        causes[group.name] = Cause(
            summary=f"{summary}{_loss(chain)}",
            since=stream_time(blocker.id),
            since_by=STREAM_ID,
            at_stake=Stake(at_risk=stuck_with_living(group)),
            next_step=Remedy(text=_step(server), commands=trace_commands(locations.doctor, [blocker.id])),
            explains=signs,
        )
    return _told_apart(causes, "A message that cannot be written holds up a batch of the group")


def _has_undecodable_of_others(group: "GroupHealth", chain: "ChainHealth") -> bool:
    """Whether it can only fail at a message that holds up another group: it holds none of its own."""
    if group.stuck or group.written_not_acknowledged:
        return False
    return any(is_undecodable(blocker) for blocker in chain.blockers)


@cause(
    repair="stuck acknowledged",
    stage="messages",
    shown_by=["retry-storm", "server-errors", "written-not-acknowledged"],
    brings=["stuck-consumers", *_PENDING, *_LETTERS],
    follows=["rewound-group", "redis-lost-its-data"],
)
def cause_retry_storm(
    queue: "QueueHealth",
    chain: "ChainHealth",
    locations: "Locations",
    findings: Findings,
    server: "ServerHealth | None" = None,
) -> list[Cause]:
    """A batch is delivered again and again, and fails each time."""
    causes: dict[str, Cause] = {}
    for group in queue.writers:
        blockers = blockers_of(chain, group)
        # A database that refuses everything makes Claude's writer try again and again as well.
        if not is_storm(group) or (group.stuck and not blockers and is_refused_now(server)):
            continue
        if not blockers and (findings.bad("database-reachable") or _has_undecodable_of_others(group, chain)):
            continue  # the database, or the cause of that message, is told with it
        times = many(group.most_deliveries or 0, "time", "times")
        summary = f"The group {group.name} was given the same message {times}."
        text = _step(server)
        ids = group.stuck_ids[:1] or group.to_acknowledge[:1]
        signs = ["retry-storm", *errors_of_messages(server)]
        bound: SinceBound = ""
        if not group.stuck and group.written_not_acknowledged:
            # They were written first, and delivered again later: their IDs may be much older than the storm.
            bound = "at the earliest"
            text = "All that it holds is written already, and has only to be acknowledged."
            signs.append("written-not-acknowledged")
        elif blockers:
            summary += f" {_held_up(group, blockers[0])}"
            ids = [blockers[0].id]
        causes[group.name] = Cause(
            summary=f"{summary}{_loss(chain)}",
            since=stream_time(ids[0]) if ids else None,
            since_by=STREAM_ID,
            since_bound=bound,
            at_stake=Stake(at_risk=stuck_with_living(group)),
            next_step=Remedy(text=text, commands=trace_commands(locations.doctor, ids)),
            explains=signs,
        )
    return _told_apart(causes, "A batch fails again and again in the group")


@cause(
    repair="acknowledged",
    stage="messages",
    shown_by=["written-not-acknowledged", "retry-storm", "server-errors"],
    brings=["pending-messages"],
    follows=["rewound-group", "redis-lost-its-data", "retry-storm"],
)
def cause_acknowledgements_lost(
    queue: "QueueHealth", chain: "ChainHealth", findings: Findings, server: "ServerHealth | None" = None
) -> Cause | None:
    """Messages are written, and their acknowledgements are missing."""
    finding = findings.get("written-not-acknowledged")
    count = 0
    others = 0
    ids: list[str] = []
    for group in queue.writers:
        if group.written_not_acknowledged and _poison(group, chain) is None:
            count += group.written_not_acknowledged
            others += group.written_by_others or 0
            ids += group.to_acknowledge[:1] + group.others_ids[:1]
    if finding is None or not count:
        return None
    signs = ["written-not-acknowledged"]
    # Delivered again they fail: their rows are there.
    if findings.bad("retry-storm"):
        signs += ["retry-storm", *errors_of_messages(server)]
    title = ""
    summary = sentence(finding.summary)
    if others:
        summary += " What has another message's row is not written: repair sets it aside, and keeps its content."
    if others == count:
        title = "A message has a key with which another one is written"
    return Cause(
        title=title,
        summary=summary,
        since=stream_time(min(ids, default="")),
        since_by=f"{STREAM_ID}, of the oldest",
        since_bound="at the earliest",
        at_stake=Stake(at_risk=others),
        next_step=finding.remedy,
        explains=signs,
    )


@cause(
    repair="groups",
    stage="messages",
    shown_by=["written-not-delivered"],
    brings=[
        *("written-not-acknowledged", "retry-storm", "server-errors", "pending-messages", "lost-before-delivery"),
        *("writer-missing", "consumer-lag", "queue-depth"),
    ],
    follows=["redis-lost-its-data"],
)
def cause_rewound_group(queue: "QueueHealth", findings: Findings) -> Cause | None:
    """A consumer group was moved back, and is given written messages again."""
    ids: list[str] = []
    waiting = 0
    title = _ENQUEUED_AGAIN
    for group in queue.writers:
        ids += group.written_not_delivered_ids[:1]
        waiting += group.waiting or 0
        if group.written_not_delivered and not group.were_enqueued_again:
            title = ""
    return findings.cause(
        "written-not-delivered",
        title=title,
        more="Nothing is lost.",
        since=stream_time(min(ids, default="")),
        since_by=f"{STREAM_ID}, of the first of them",
        since_bound="at the earliest",
        at_stake=Stake(at_risk=waiting),
    )


@cause(repair="orphans", stage="messages", shown_by=["orphaned-messages"], brings=["stuck-consumers", *_PENDING])
def cause_orphans(
    queue: "QueueHealth", locations: "Locations", findings: Findings, chain: "ChainHealth | None" = None
) -> Cause | None:
    """A consumer that is gone holds messages that nobody will take over."""
    finding = findings.get("orphaned-messages")
    count = 0
    trimmed = 0
    ids: list[str] = []
    for group in queue.writers:
        count += group.orphaned or 0
        trimmed += group.orphaned_gone or 0
        ids += group.orphaned_ids
    if finding is None or not count:
        return None
    # This cause takes the finding stuck-consumers with it, so its repair has to heal all that the finding counts.
    others = without_reason(queue, chain)
    return Cause(
        summary=f"{sentence(finding.summary)} No other consumer takes {'it' if count == 1 else 'them'} over.",
        since=stream_time(min(ids, default="")),
        since_by=f"{STREAM_ID}, of the oldest",
        since_bound="at the earliest",
        at_stake=Stake(at_risk=count - trimmed, lost=trimmed or None, recoverable=0 if trimmed else None),
        next_step=Remedy(text=_orphans_step(count, trimmed), commands=trace_commands(locations.doctor, ids[:1])),
        repair="orphans stuck" if others else None,
    )


def _orphans_step(count: int, trimmed: int) -> str:
    """What to do with messages of a consumer that is gone; `trimmed`: how many of them left the stream."""
    if not trimmed:
        return "Save them before you do anything else with them: repair does, and delivers them again."
    if trimmed < count:
        return (
            "Save those that the stream still holds: repair does, and delivers them again. Of the others only the IDs "
            "are left: repair acknowledges them, and its plan keeps the IDs."
        )
    return "Only their IDs are left, and nothing can be delivered again: repair acknowledges them and keeps the IDs."

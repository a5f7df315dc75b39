"""Causes why messages have no row: payloads of another shape, errors that give them up, or what nothing records."""

from typing import TYPE_CHECKING

from blueplane_doctor.checks.cause_messages import NOT_UNDERSTOOD, STREAM_ID, errors_of_messages, is_undecodable

from blueplane_doctor import Cause, Findings, Remedy, Stake, cause
from blueplane_doctor.causeapi import Beginning, stream_time
from blueplane_doctor.checkapi import many, sentence, trace_commands

if TYPE_CHECKING:
    from blueplane_doctor.custody.ledger import ChainBreak
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.model import SinceBound
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.queue_health import ArrivingError, QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_MALFORMED = "payload"
"""How the reasons begin of messages whose payload a writer cannot read."""
_NOT_DECODED = "malformed payload"
"""How the reason begins of a dead letter whose writer could not decode the message."""
_SHOWN_ERRORS = 3
"""Of the errors of an hour the most frequent are told; `dlq stats` shows all."""
_WHO_DELETED = (
    "who deleted a consumer or a group (XGROUP), read for a writer group by hand (XREADGROUP, XACK), or put an older "
    "copy in the place of the database"
)


def _lost(chain: "ChainHealth", *, malformed: bool) -> list["ChainBreak"]:
    """The messages themselves, as far as the chain keeps them."""
    lost = []
    for broken in chain.breaks:
        if broken.kind == "lost" and broken.reason.startswith(_MALFORMED) is malformed:
            lost.append(broken)
    return lost


def _counted(count: int, predicate: str) -> str:
    """How many, with `is` or `are` and what they are."""
    return many(count, f"message is {predicate}", f"messages are {predicate}")


def _held(count: int) -> str:
    return f"The stream still holds {'it' if count == 1 else 'them'}."


def _since(lost: list["ChainBreak"], bound: "SinceBound") -> Beginning:
    """When the first of them was enqueued; what came before it may be trimmed, or was lost later."""
    if not lost:
        return Beginning()
    return Beginning(stream_time(lost[0].id), f"{STREAM_ID}, of the first of them", bound)


def _look(lost: list["ChainBreak"], locations: "Locations") -> list[str]:
    if not lost:
        return [f"{locations.doctor} trace --state lost"]
    return trace_commands(locations.doctor, [lost[0].id])


@cause(repair="lost --save-only", stage="messages", shown_by=["chain-breaks", "server-errors"])
def cause_malformed_payloads(
    chain: "ChainHealth", locations: "Locations", findings: Findings, server: "ServerHealth | None" = None
) -> Cause | None:
    """A producer sends payloads that the writer drops."""
    count = min(chain.malformed_lost, chain.states.get("lost") or 0)
    if not count:
        return None
    lost = _lost(chain, malformed=True)
    summary = _counted(count, "acknowledged and not written")
    if lost:
        reasons = set()
        for broken in lost:
            reasons.add(broken.reason)
        summary += f": {'; '.join(sorted(reasons))}"
    return Cause(
        summary=f"{summary}. {_held(count)}",
        status=findings.status_of("chain-breaks", count),
        **_since(lost, "at the latest").fields,
        at_stake=Stake(lost=count, recoverable=count),
        next_step=Remedy(
            text="Correct the producer. Save the messages before the stream trims them: no writer can read them.",
            commands=_look(lost, locations),
        ),
        explains=["chain-breaks", *errors_of_messages(server, NOT_UNDERSTOOD)],
    )


@cause(repair="lost", stage="database", shown_by=["chain-breaks"], follows=["another-database"])
def cause_rows_of_one_time_missing(chain: "ChainHealth", locations: "Locations", findings: Findings) -> Cause | None:
    """The database may be older than what was acknowledged.

    Every writer's rows of one time are missing, and no other ones.
    """
    run = chain.lost_run
    if run is None:
        return None
    return Cause(
        summary=f"{_counted(run.messages, 'neither pending nor written')}: all from {run.first_id} to {run.last_id}, "
        f"of every writer. {_held(run.messages)}",
        status=findings.status_of("chain-breaks", run.messages),
        since=stream_time(run.first_id),
        since_by=f"{STREAM_ID}, of the first of them",
        since_bound="at the earliest",
        certain=False,
        confirm="who put an older copy in the place of the database, or moved the groups past them (XGROUP)",
        at_stake=Stake(lost=run.messages, recoverable=run.messages),
        next_step=Remedy(
            text="Look for a newer file of the database first, and stop the server before you put it back. Where there "
            "is none, deliver again what the stream still holds.",
            commands=trace_commands(locations.doctor, [run.first_id]),
        ),
    )


@cause(
    repair="lost",
    stage="messages",
    shown_by=["chain-breaks"],
    brings=["writer-missing"],
    follows=["second-server", "another-redis", "another-database"],
)
def cause_unrecorded_loss(
    chain: "ChainHealth", locations: "Locations", queue: "QueueHealth", findings: Findings
) -> Cause | None:
    """Messages have no row, nobody holds them, and nothing records why."""
    count = (chain.states.get("lost") or 0) - chain.malformed_lost
    if chain.lost_run is not None:
        return None  # the cause rows-of-one-time-missing tells of them
    if count <= 0:
        return _without_ids(chain, findings)
    lost = _lost(chain, malformed=False)
    owners = {broken.group for broken in lost}
    remade = []
    for group in queue.writers:
        if group.name in owners and group.exists and not group.consumers and group.last_delivered_id:
            remade.append(group.name)
    summary = f"{_counted(count, 'neither pending nor written')}. {_held(count)}"
    confirm = _WHO_DELETED
    if remade:
        behind = "it" if count == 1 else "them"
        summary += f" {' and '.join(remade)} may have been made anew behind {behind}: no consumer was there since."
        confirm = "who made the group anew (XGROUP CREATE or SETID)"
    return Cause(
        summary=summary,
        status=findings.status_of("chain-breaks", count),
        **_since(lost, "at the earliest").fields,
        certain=False,
        confirm=confirm,
        at_stake=Stake(lost=count, recoverable=count),
        next_step=Remedy(
            text="Save them before the stream trims them; then see chain-breaks for what may have happened.",
            commands=_look(lost, locations),
        ),
    )


def _without_ids(chain: "ChainHealth", findings: Findings) -> Cause | None:
    """Messages without a row, more than dead letters were dropped: which of all they are is not known."""
    beyond = chain.letter_dropped - chain.letters_dropped
    if beyond <= 0:
        return None
    return findings.cause(
        "chain-breaks",
        certain=False,
        confirm=_WHO_DELETED,
        at_stake=Stake(lost=beyond),
        repair="",
    )


@cause(stage="messages", shown_by=["dead-letter-growth", "dead-letters"])
def cause_dead_letters(
    queue: "QueueHealth", locations: "Locations", findings: Findings, chain: "ChainHealth | None" = None
) -> list[Cause]:
    """A writer gives messages up, to the dead letters."""
    finding = findings.get("dead-letters")
    if not queue.dlq_size or finding is None:
        return []
    if not queue.dlq_errors:
        return [_old_letters(queue, locations, sentence(finding.summary))]
    causes = []
    for error in queue.dlq_errors[:_SHOWN_ERRORS]:
        if error.is_set_aside:
            causes.append(_set_aside(error, locations))
            continue
        if _is_of_a_held_message(error, chain):
            continue
        causes.append(
            Cause(
                title=f"A writer gives messages up: {error.reason}",
                summary=f"{_letters(error)} in the last hour, the last one {error.newest_id}.{_not_lost(error)}",
                since=error.first_timestamp,
                since_by="the first dead letter of this error in the last hour",
                at_stake=Stake(dead_lettered=error.messages - error.not_lost),
                next_step=Remedy(
                    text="Correct what they have in common (dlq stats), then deliver them again.",
                    commands=[
                        f"{locations.doctor} repair dead-letters --newer-than 1h",
                        f"{locations.doctor} dlq stats",
                    ],
                ),
            )
        )
    return causes


def _is_of_a_held_message(error: "ArrivingError", chain: "ChainHealth | None") -> bool:
    """Whether a cause tells of these messages already: no writer can decode them, and they are pending still."""
    if chain is None or not error.reason.startswith(_NOT_DECODED) or error.not_lost < error.messages:
        return False
    return any(is_undecodable(blocker) for blocker in chain.blockers)


def _letters(error: "ArrivingError") -> str:
    """How many, and of how many messages where those are fewer."""
    letters = many(error.count, "dead letter", "dead letters")
    if error.messages == error.count:
        return letters
    return f"{letters} of {many(error.messages, 'message', 'messages')}"


def _not_lost(error: "ArrivingError") -> str:
    if not error.not_lost:
        return ""
    if error.not_lost < error.messages:
        are = many(error.not_lost, "of these messages is", "of these messages are")
        return f" {are} written by now, or still pending."
    if error.messages == 1:
        return " Its message is written by now, or still pending."
    return " All their messages are written by now, or still pending."


def _set_aside(error: "ArrivingError", locations: "Locations") -> Cause:
    letters = many(error.count, "message that no writer can write is", "messages that no writer can write are")
    return Cause(
        title="Messages were set aside by repair",
        summary=f"{letters} among the dead letters now, the last one as {error.newest_id}. They are saved.",
        since=error.first_timestamp,
        since_by="the first dead letter of a repair in the last hour",
        at_stake=Stake(dead_lettered=error.count),
        next_step=Remedy(
            text="The pipeline goes on without them. The plan's file keeps them for thirty days.",
            commands=[f"{locations.doctor} repair --list"],
        ),
    )


def _old_letters(queue: "QueueHealth", locations: "Locations", summary: str) -> Cause:
    ids = queue.dlq_newest_ids
    return Cause(
        title="Messages were given up, to the dead letters",
        summary=f"{summary} No more came in the last hour.",
        since=stream_time(ids[-1]) if ids else None,
        since_by="the third newest dead letter",
        since_bound="at the latest",
        at_stake=Stake(dead_lettered=queue.dlq_unwritten_messages),
        next_step=Remedy(
            text="Correct what they have in common (dlq stats) before you deliver them again.",
            commands=[f"{locations.doctor} repair dead-letters --older-than 1h", f"{locations.doctor} dlq stats"],
        ),
    )

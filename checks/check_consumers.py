"""What the writer groups hold: does every message that they were given move."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, Status, check
from blueplane_doctor.checkapi import many, trace_commands
from blueplane_doctor.text.times import span

if TYPE_CHECKING:
    from blueplane_doctor.custody.blockers import ChainBlocker
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.group_health import GroupHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth
    from blueplane_doctor.monitoring.server_health import ServerHealth

_HAS_A_ROW = "a row with the same"
"""How the reasons begin of messages that are held though their row is there."""
_SAVED = 3
"""Messages that a command saves."""
_MOST_BLOCKERS = 100
"""The chain keeps no more: then there are at least so many."""
_READS_ITS_OWN_LIST = ("claude_processors",)
"""Writers that are given their own pending entries again; Cursor's never looks at them."""
_LOCKED = "database is locked"
_MEND = {
    _LOCKED: "see which process holds it, and let that finish,",
    "database is read-only": "give the server's user the file and its folder to write",
    "file system is read-only": "mount it for writing",
    "disk is full": "make room on the disk",
    "disk I/O error": "see why the disk fails, and correct that",
}
"""What to do, by the kind of error in the log."""
_REFUSED_VALUES = ("another constraint failed", "value that SQLite refuses")
"""Kinds of errors in the log that tell of a message, not of the database."""
_NEVER_READ_AGAIN = (
    "The Cursor writer never reads its pending entries list again: neither acknowledging one message, nor a restart, "
    "nor XCLAIM moves the others. Each has to be added to the stream once more, unchanged, and only then its old entry "
    "acknowledged. Until then leave them as they are: the pending entries list is the only proof of what is missing."
)


# Healthy batches are acknowledged within a second, and Redis calls nothing idle before that. Thirty also survive a
# slow disk; five minutes are the pipeline's own retry time.
@check(area="queue", scale=Scale.rising(orange_above=30, red_above=300, unit="s"))
def check_stuck_consumers(
    queue: "QueueHealth", chain: "ChainHealth", server: "ServerHealth", locations: "Locations", scale: Scale
) -> Finding:
    """How long a writer has held a message that it has to write without acknowledging it.

    The longest time since the last delivery in the pending entries lists of all writer groups. What is written already
    is left out (see written-not-acknowledged), and so is what another group has to write. Being idle is not being
    stuck: before Redis 7.2 a healthy consumer looks idle on an empty stream.

    Causes:
    - two messages of a batch have the same key, so that no insert of the batch succeeds
    - a message is malformed in a way that the writer does not expect
    - the database was locked for longer than the writer tries, or could not be written
    - a program or a person reads for the writer's group with a consumer of its own, and does not acknowledge
    """
    holders = [group for group in queue.writers if group.longest_unacknowledged_ms is not None]
    if not holders:
        summary = "No writer holds a message that it has not written"
        return scale.grade(0, summary, evidence=queue.pending_by_writer)
    worst = max(holders, key=lambda group: group.longest_unacknowledged_ms or 0)
    waited_ms = worst.longest_unacknowledged_ms or 0
    sentence = f"The group {worst.name} has held a message for {span(waited_ms)} without acknowledging it"
    sentence += _stuck(holders, chain)
    blockers = []
    for blocker in chain.blockers[:10]:
        blockers.append(f"{blocker.id} ({blocker.group}): {blocker.reason}")
    evidence = {**queue.pending_by_writer, "blocked by": blockers}
    remedy = _stuck_remedy(holders, queue.queue, chain, server, locations)
    return scale.grade(round(waited_ms / 1000, 3), sentence, remedy=remedy, evidence=evidence)


# A restart leaves a few behind for a moment; a hundred is a whole batch that nobody will ever claim.
@check(area="queue", scale=Scale.rising(orange=1, red=100, unit="messages"))
def check_orphaned_messages(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages without a row that are held by a consumer that is not there any more.

    A consumer that holds messages counts as gone in two cases: it has been silent for 30 s longer than another consumer
    of its group, or it is named after a process that does not run, while the server is another one. The pipeline names
    its consumers by process and never claims what a dead one held, so these wait for ever.

    Causes:
    - the server was killed, or crashed, in the middle of a batch
    """
    count = sum(group.orphaned or 0 for group in queue.writers)
    trimmed = sum(group.orphaned_gone or 0 for group in queue.writers)
    gone: list[str] = []
    commands: list[str] = []
    ids: list[str] = []
    for group in queue.writers:
        ids += group.orphaned_ids
        for consumer in group.consumers:
            # Each group is given every message: what a consumer holds of the other group's is not its to write.
            if group.orphaned and consumer.gone:
                gone.append(consumer.name)
                commands.append(f"{locations.redis_cli} XPENDING {queue.queue} {group.name} - + 10 {consumer.name}")
    sentence = _orphaned_sentence(count, gone)
    if trimmed:
        which = f"{trimmed:,} of them" if trimmed < count else "all of them"
        sentence += f"; {which if count > 1 else 'it'} left the stream meanwhile"
    text = "Save them before you do anything else with them. "
    if trimmed:
        text += "Those that were trimmed cannot be brought back. "
    text += (
        "XCLAIM and XAUTOCLAIM drop entries of trimmed messages from the list, and with them the proof of the loss. "
        "The Claude writer writes what is handed to its living consumer, so hand it single IDs that the stream still "
        "holds. " + _NEVER_READ_AGAIN
    )
    commands = commands[:_SAVED] + trace_commands(locations.doctor, ids[:_SAVED])
    evidence = {"gone": gone[:20], "of these trimmed": trimmed, "first": ids[:_SAVED], **queue.pending_by_writer}
    return scale.grade(count, sentence, remedy=Remedy(text=text, commands=commands), evidence=evidence)


def _orphaned_sentence(count: int, gone: list[str]) -> str:
    if not count:
        return "No message is held by a consumer that is gone"
    held = f"{many(count, 'message is', 'messages are')} held by"
    if len(gone) == 1:
        return f"{held} {gone[0]}, a consumer that is gone"
    return f"{held} {len(gone)} consumers that are gone"


# Two deliveries happen on a healthy system (a restart, a direct read); a hundred is one a second for minutes.
@check(area="queue", scale=Scale.rising(yellow=3, orange=10, red=100, unit="deliveries"))
def check_retry_storm(
    queue: "QueueHealth", chain: "ChainHealth", server: "ServerHealth", locations: "Locations", scale: Scale
) -> Finding:
    """Deliveries of the message that was delivered most often.

    A batch that fails is delivered again, about once a second, for ever: one poison message keeps the writer busy
    and everything that was read with it unwritten.

    Causes:
    - two messages of the batch have the same key, or one is malformed
    - messages of the batch are written already: see written-not-acknowledged
    """
    evidence = queue.pending_by_writer
    most = max((group.most_deliveries or 0 for group in queue.writers), default=0)
    if scale.status(most) is Status.GREEN:
        return scale.grade(most, "No message is being delivered again and again", evidence=evidence)
    worst = max(queue.writers, key=lambda group: group.most_deliveries or 0)
    sentence = (
        f"The group {worst.name} was given the same message {many(most, 'time', 'times')}{_stuck([worst], chain)}"
    )
    remedy = _stuck_remedy([worst], queue.queue, chain, server, locations)
    return scale.grade(most, sentence, remedy=remedy, evidence=evidence)


def _stuck(groups: list["GroupHealth"], chain: "ChainHealth") -> str:
    """How many are stuck, each counted once, behind what, and how many beside them are written already."""
    count = sum(group.stuck or 0 for group in groups)
    text = ""
    if count:
        text = f"; {many(count, 'message is', 'messages are')} stuck"
        blockers = _blockers_of(groups, chain)
        if blockers:
            text += f" behind {blockers[0].id} ({blockers[0].reason})"
            text += _and_more(groups, len(blockers))
    written = sum(group.written_not_acknowledged or 0 for group in groups)
    if written:
        more = " more" if count else ""
        text += f"; {many(written, 'message', 'messages')}{more} {'is' if written == 1 else 'are'} written already"
    return text


def _blockers_of(groups: list["GroupHealth"], chain: "ChainHealth") -> list["ChainBlocker"]:
    names = {group.name for group in groups}
    return [blocker for blocker in chain.blockers if blocker.group in names]


def _and_more(groups: list["GroupHealth"], kept: int) -> str:
    counted = sum(group.blockers or 0 for group in groups)
    more = max(counted, kept) - 1
    if not more:
        return ""
    # The chain keeps a hundred: without a count of their own there may be more.
    if not counted and kept >= _MOST_BLOCKERS:
        return f" and at least {more:,} more"
    return f" and {more:,} more"


def _stuck_remedy(
    groups: list["GroupHealth"], queue: str, chain: "ChainHealth", server: "ServerHealth", locations: "Locations"
) -> Remedy:
    """Chosen by the reason found; nothing in it changes the pipeline."""
    names: set[str] = set()
    ids: list[str] = []
    written = 0
    for group in groups:
        if group.stuck:
            names.add(group.name)
        ids += group.stuck_ids
        written += group.written_not_acknowledged or 0
    commands = [f"grep -E 'ERROR|IntegrityError' {locations.log} | tail"]
    if written and not names:
        text = "All that they hold is written already: acknowledge it, see written-not-acknowledged."
        return Remedy(text=text, commands=commands)
    if not names and chain.states.get("payload_gone"):
        return _remedy_of_gone(locations)
    blockers = _blockers_of(groups, chain)
    refusal = _refusal(server)
    text = ""
    if blockers:
        text = f"Save {blockers[0].id} first: it cannot be written ({blockers[0].reason}), and fails its whole batch. "
        if written and blockers[0].reason.startswith(_HAS_A_ROW):
            # The row may be another message's: repair compares them, and acknowledges only what is its own.
            text += (
                "Leave the acknowledgement to blueplane-doctor repair acknowledged: "
                "it sets aside what another message wrote. "
            )
        else:
            text += "Acknowledging it gives it up: exactly this message is lost then. "
        ids = [blocker.id for blocker in blockers] + ids
    elif any(group.other_programs for group in groups):
        text = (
            "A consumer that is not the server's holds messages and does not acknowledge them: end the program that "
            "reads with it, or give it a group of its own. "
        )
    elif not refusal:
        log = "and the log names no refusal of the database"
        if any(error.kind in _REFUSED_VALUES for error in server.errors):
            log = "but the log names a value that the database refused"
        text = (
            f"None of the stuck messages tells a reason: no two have the same key, none is malformed, {log}. "
            "See which error it names at that time. "
        )
    text = _what_stops_writes(refusal, server) + text
    if names & set(_READS_ITS_OWN_LIST):
        text += (
            "The Claude writer is given its own pending entries again, and writes them once nothing fails any more. "
        )
    if names - set(_READS_ITS_OWN_LIST):
        text += _NEVER_READ_AGAIN
    if refusal or server.lock_holder:
        commands += [f"lsof {locations.database}", f"ls -l {locations.database}", f"df -h {locations.home}"]
    if ids:
        chosen = list(dict.fromkeys(ids))[:_SAVED]
        saved = []
        for one in chosen:
            saved.append(f"{locations.redis_cli} --no-raw XRANGE {queue} {one} {one}")
        saves = "; ".join(saved)
        # The shell opens the file inside of the brackets, after umask: nobody else may read it.
        commands.append(f"(umask 077; {{ {saves}; }} >> {locations.home}/saved-messages.txt)")
        commands.append(f"{locations.doctor} trace {' '.join(chosen)}")
    # Where a reason is known, its cause names the repair that fits.
    has_a_cause = bool(blockers) or bool(refusal) or server.lock_holder is not None
    if names and not has_a_cause:
        text = f"{text.strip()} A repair shows a plan first, saves the messages, and finds what cannot be written."
        commands.append(f"{locations.doctor} repair stuck orphans")
    return Remedy(text=text.strip(), commands=commands)


def _remedy_of_gone(locations: "Locations") -> Remedy:
    """Where all that is held too long has left the stream."""
    return Remedy(
        text="What they hold has left the stream, and no writer can write it. Only the IDs are left: a repair "
        "acknowledges them, and its plan keeps them.",
        commands=[f"{locations.doctor} trace --state payload_gone", f"{locations.doctor} repair stuck orphans"],
    )


def _what_stops_writes(refusal: str, server: "ServerHealth") -> str:
    """What has to be corrected first, as sentences with a space at the end; empty where nothing is known."""
    if not server.lock_holder:
        return f'The log tells of "{refusal}": {_MEND[refusal]} first. ' if refusal else ""
    holder = f"process {server.lock_holder.pid} holds the database's write lock: let it finish first. "
    if refusal == _LOCKED:
        return f'The log tells of "{refusal}", and {holder}'
    text = holder[0].upper() + holder[1:]
    if refusal:
        text += f'The log tells of "{refusal}": {_MEND[refusal]} too. '
    return text


def _refusal(server: "ServerHealth") -> str:
    """Why the database refused to be written, by the log; empty where that is not told."""
    for error in server.errors:
        if error.kind in _MEND:
            return error.kind
    return ""

"""Loss before delivery: was anything trimmed from the stream before its writer was given it."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many, trace_commands

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.history_health import HistoryHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth

_NOT_IN_REDIS = "They cannot be brought back from Redis."
_STILL_HELD = "Claude's transcripts and Cursor's own databases may still hold the content."
_TRIMMED = (
    f"{_NOT_IN_REDIS} Get the writers to read again before more is trimmed: server-alive, "
    "writer-missing and stuck-consumers say what stops them. A larger streams.message_queue.max_length does not help: "
    f"the writers and the monitors trim to 10,000 whatever it says. {_STILL_HELD}"
)
_REMOVED = (
    f"{_NOT_IN_REDIS} Neither writers nor producers trim the stream so far: see which program or person runs XTRIM or "
    f"XDEL on it (a clean-up job, a script, redis-cli), and end that. {_STILL_HELD}"
)
_OWNER_NOT_KNOWN = (
    "another writer group was given them and may have written them; nothing records which of them belonged to which"
)


# Trimmed messages are gone for good, and so is trust in everything downstream: one is as bad as a thousand.
@check(area="chain", scale=Scale.rising(red=1, unit="messages"))
def check_lost_before_delivery(
    chain: "ChainHealth",
    locations: "Locations",
    scale: Scale,
    history: "HistoryHealth | None" = None,
    queue: "QueueHealth | None" = None,
) -> Finding:
    """Messages trimmed from the stream before their writer was given them.

    Counted as entries-added − entries-read − what still waits, for each writer group; the server's own lag is wrong
    after trimming. What no writer group was given is certainly lost; what only some were given is lost only if the
    others had to write it, so that the count is a range. Counters that contradict one another, or the rows in the
    database, make it unknown. Redis 7.0 to 7.4.1 keep counting a loss of long ago, newer servers forget it at the
    next read. Then samples tell, for a day; without them it is unknown where the database holds far fewer rows than
    messages have left the stream.

    Causes:
    - the writers were away for longer than the stream keeps messages
    - a burst of more than `max_length` messages while a writer was busy
    - another program or a person ran XTRIM or XDEL: the stream then holds fewer messages than the pipeline leaves in it
    """
    evidence = _loss_evidence(chain)
    trimmed = chain.trimmed
    remedy = Remedy(text=_what_to_do(queue), commands=trace_commands(locations.doctor, _first_left(chain)))
    if trimmed.at_least:
        sentence = _loss_sentence(chain)
        return scale.grade(trimmed.at_least, sentence, remedy=remedy, evidence=evidence)
    if trimmed.at_most:
        cause = next((loss.cause for loss in chain.losses if loss.cause), _OWNER_NOT_KNOWN)
        return unknown(_loss_sentence(chain), cause, remedy=remedy, evidence=evidence)
    is_forgotten = False
    for loss in chain.losses:
        if loss.trimmed_unread is None and loss.cause:
            return unknown("Whether messages were trimmed unread is not known", loss.cause, evidence=evidence)
        is_forgotten = is_forgotten or loss.forgotten
    if is_forgotten:
        return _what_the_server_forgot(chain, history, locations, scale)
    return scale.grade(0, "No message was trimmed before it was read", remedy=remedy, evidence=evidence)


def _what_to_do(queue: "QueueHealth | None") -> str:
    if queue is None:
        return _TRIMMED
    if queue.removed_by_others:
        return _REMOVED
    if queue.has_room:
        return f"{_NOT_IN_REDIS} No more are being lost now. {_STILL_HELD}"
    return _TRIMMED


def _what_the_server_forgot(
    chain: "ChainHealth", history: "HistoryHealth | None", locations: "Locations", scale: Scale
) -> Finding:
    """The counters show no loss, and would not show one that was there before the groups last read."""
    evidence = _loss_evidence(chain)
    evidence["left the stream"] = chain.left_stream
    evidence["of those without a row, at most"] = chain.left_without_row or None
    seen = history.seen_loss if history else None
    if history and seen and seen.at_least:
        evidence["samples"] = {group.group: group.losses for group in history.losses}
        summary = (
            f"At least {many(seen.at_least, 'message was', 'messages were')} trimmed unread: {seen.shown_by}; the "
            "server itself keeps no count of it after the next read"
        )
        return scale.grade(seen.at_least, summary, remedy=Remedy(text=_TRIMMED), evidence=evidence)
    since = "Nothing was trimmed unread since the writers last read"
    if history and seen and history.losses_compared and not seen.at_most:
        return scale.grade(0, f"{since}, and between the samples of the last day", evidence=evidence)
    if chain.left_without_row:
        cause = (
            "this server does not keep that after the next read, and the database holds far fewer rows than "
            f"{many(chain.left_stream or 0, 'message', 'messages')} that left the stream would have"
        )
        summary = f"Whether messages were trimmed unread is not known: at most {chain.left_without_row:,} were"
        return unknown(summary, cause, remedy=_record(locations), evidence=evidence)
    summary = f"{since}; of earlier losses this server keeps no count, only recorded samples would"
    return scale.grade(0, summary, evidence=evidence)


def _record(locations: "Locations") -> Remedy:
    return Remedy(
        text="What is gone cannot be found out any more. Keep a sample every minute: it shows the next loss before "
        "the server forgets it.",
        commands=[f"{locations.doctor} record"],
    )


def _first_left(chain: "ChainHealth") -> list[str]:
    """The IDs of the messages that follow what was trimmed: the first that are still there."""
    ids = set()
    for loss in chain.losses:
        if loss.most and loss.before_id:
            ids.add(loss.before_id)
    return sorted(ids)


def _loss_evidence(chain: "ChainHealth") -> dict[str, Any]:
    evidence: dict[str, Any] = {}
    for loss in chain.losses:
        evidence[loss.group] = loss.cause or loss.trimmed_unread
    for loss in chain.losses:
        if loss.after_id:
            evidence[f"{loss.group}: between"] = f"{loss.after_id} and {loss.before_id}"
    evidence["at least"] = chain.trimmed.at_least
    evidence["at most"] = chain.trimmed.at_most
    return evidence


def _loss_sentence(chain: "ChainHealth") -> str:
    """Of the group that was not given most, which is the one that stands still."""
    least = chain.trimmed.at_least
    most = chain.trimmed.at_most or 0
    group = max(chain.losses, key=lambda loss: loss.most or 0)
    if least == most:
        sentence = many(least, "message was", "messages were")
    elif least:
        sentence = f"At least {least:,} and at most {most:,} messages were"
    else:
        sentence = f"At most {many(most, 'message was', 'messages were')}"
    sentence += f" trimmed before the group {group.group} read {'it' if most == 1 else 'them'}"
    if least != most:
        sentence += " and were its to write"
    if group.after_id and most == 1:
        sentence += f", between {group.after_id} and {group.before_id}"
    elif group.after_id:
        sentence += f", all between {group.after_id} and {group.before_id}"
    return sentence

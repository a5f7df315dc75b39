"""Chain of custody: is every message that was enqueued still accounted for."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many, trace_commands

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
    from blueplane_doctor.monitoring.history_health import HistoryHealth

_TRIMMED = (
    "They cannot be brought back from Redis. Get the writers to read again before more is trimmed: server-alive, "
    "writer-missing and stuck-consumers say what stops them. A larger streams.message_queue.max_length does not help: "
    "the writers and the monitors trim to 10,000 whatever it says. Claude's transcripts and Cursor's own databases may "
    "still hold the content."
)
_OWNER_NOT_KNOWN = (
    "another writer group was given them and may have written them; nothing records which of them belonged to which"
)
_NO_REASON = ("acknowledged", "neither pending")
"""How the reasons begin of breaks of which nothing more is known."""
SHOWN_IDS = 3
"""Messages that the remedy names."""
KINDS_OF_BREAK = {
    "lost": "neither pending nor written",
    "trimmed_unread": "trimmed unread",
    "payload_gone": "trimmed while pending",
}


# Trimmed messages are gone for good, and so is trust in everything downstream: one is as bad as a thousand.
@check(area="chain", scale=Scale.rising(red=1, unit="messages"))
def check_lost_before_delivery(
    chain: "ChainHealth", locations: "Locations", scale: Scale, history: "HistoryHealth | None" = None
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
    """
    evidence = _loss_evidence(chain)
    trimmed = chain.trimmed
    remedy = Remedy(text=_TRIMMED, commands=trace_commands(locations.doctor, _first_left(chain)))
    if trimmed.at_least:
        sentence = _loss_sentence(chain)
        return scale.grade(trimmed.at_least, sentence, remedy=remedy, evidence=evidence)
    if trimmed.at_most:
        cause = next((loss.cause for loss in chain.losses if loss.cause), _OWNER_NOT_KNOWN)
        return unknown(_loss_sentence(chain), cause, remedy=remedy, evidence=evidence)
    for loss in chain.losses:
        if loss.trimmed_unread is None and loss.cause:
            return unknown("Whether messages were trimmed unread is not known", loss.cause, evidence=evidence)
    if any(loss.forgotten for loss in chain.losses):
        return _what_the_server_forgot(chain, history, locations, scale)
    return scale.grade(0, "No message was trimmed before it was read", remedy=remedy, evidence=evidence)


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
    ids = {loss.before_id for loss in chain.losses if loss.most and loss.before_id}
    return sorted(ids)


def _loss_evidence(chain: "ChainHealth") -> dict[str, Any]:
    evidence: dict[str, Any] = {loss.group: loss.cause or loss.trimmed_unread for loss in chain.losses}
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
    sentence += f" trimmed before {group.group} read {'it' if most == 1 else 'them'}"
    if least != most:
        sentence += " and were its to write"
    if group.after_id and most == 1:
        sentence += f", between {group.after_id} and {group.before_id}"
    elif group.after_id:
        sentence += f", all between {group.after_id} and {group.before_id}"
    return sentence


# A single break may be one malformed event; ten are a pattern.
@check(area="chain", scale=Scale.rising(orange=1, red=10, unit="messages"))
def check_chain_breaks(chain: "ChainHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages nobody knows are missing: neither pending nor written, or gone while a writer holds them.

    The sum of lost (neither pending nor written, no dead letter), trimmed unread, and payload gone (pending, but
    trimmed). What is on its way, stuck, dead-lettered or by design unwritten is no break. Only what the stream still
    holds can be looked for: one that was lost and trimmed since shows in samples of that time alone. Messages that are
    older than the rows of their table are not judged: that is said, and where rows were pruned (the sequence numbers
    tell that as many were written before) it is no fault. Where they are more than those that could be judged, or the
    table was made anew, whether every message was written is not known.

    Causes:
    - payloads that are a text or a list where an object is expected: the writer passes over them and acknowledges
    - a consumer or a group was deleted with what it held: nobody has that, and nothing records it
    - the database was replaced by an older copy, which lacks what was written since
    - messages that were trimmed while a writer held them (see retry-storm)
    - what lost-before-delivery counts
    """
    broken = chain.chain_break_count
    evidence: dict[str, Any] = {
        "states": chain.states,
        "equation": chain.equation,
        "tables begin later": chain.tables_begin_later,
        "of those pruned": chain.rows_pruned,
        "nothing to look for": chain.without_key,
        "of a group that is not known": chain.of_unknown_group,
        "row may be deleted": chain.rows_deleted,
        "letter may be dropped": chain.letter_dropped,
        "letter may be unreadable": chain.letters_unreadable,
        "may be written elsewhere": chain.written_elsewhere,
        "first breaks": [f"{b.id} {b.event_type}: {b.reason}" for b in chain.breaks[:10]],
    }
    if broken:
        sentence = f"{many(broken, 'message has', 'messages have')} vanished: {_parts(chain)}"
    elif chain.database_cause or chain.partial:
        cause = f"the time was up after {many(chain.examined, 'message', 'messages')}; give more with --timeout"
        sentence = "Whether every message was written is not known"
        return unknown(sentence, chain.database_cause or cause, evidence=evidence)
    elif chain.without_key > chain.judged_by_rows:
        sentence = "Whether every message was written is not known"
        cause = many(chain.without_key, "message carries", "messages carry") + " nothing by which a row could be found"
        return unknown(sentence, cause, evidence=evidence)
    elif chain.tables_begin_later > chain.rows_pruned or _may_be_elsewhere(chain) or chain.letter_dropped:
        sentence = "Whether every message was written is not known"
        return unknown(sentence, _why_untraceable(chain), evidence=evidence)
    else:
        sentence = _accounted_for(chain)
    return scale.grade(broken, sentence, remedy=_break_remedy(chain, locations), evidence=evidence)


def _may_be_elsewhere(chain: "ChainHealth") -> bool:
    """Whether some messages may have been handled, although neither a row nor a dead letter is seen."""
    return bool(chain.written_elsewhere or chain.rows_deleted or chain.letters_unreadable)


def _accounted_for(chain: "ChainHealth") -> str:
    if not chain.examined:
        return "The stream holds no messages, and none is missing"
    judged = chain.examined - chain.rows_pruned - chain.of_unknown_group - chain.without_key
    not_judged = _not_judged(chain)
    if not_judged:
        accounted = many(judged, "message is", "messages are")
        return f"{accounted} accounted for; {'; '.join(not_judged)}"
    if judged == 1:
        return "The one message in the stream is accounted for"
    return f"Every one of {judged:,} messages is accounted for"


def _not_judged(chain: "ChainHealth") -> list[str]:
    """The messages of which nothing can be known, in words, for each reason."""
    parts = []
    if chain.of_unknown_group:
        one = "is for a group that this doctor does not know, and was not judged (see unknown-groups)"
        more = "are for a group that this doctor does not know, and were not judged (see unknown-groups)"
        parts.append(many(chain.of_unknown_group, one, more))
    if chain.rows_pruned:
        one = "is older than the rows that the database keeps, and was not judged"
        more = "are older than the rows that the database keeps, and were not judged"
        parts.append(many(chain.rows_pruned, one, more))
    if chain.without_key:
        one = "carries nothing by which its row could be found, and was not judged"
        more = "carry nothing by which their rows could be found, and were not judged"
        parts.append(many(chain.without_key, one, more))
    return parts


def _why_untraceable(chain: "ChainHealth") -> str:
    """Why messages without a row may have been handled all the same."""
    causes = []
    if chain.tables_begin_later:
        has = many(chain.tables_begin_later, "message has", "messages have")
        causes.append(f"{has} no row now: the tables begin later than these messages")
    if chain.rows_deleted:
        has = many(chain.rows_deleted, "message has", "messages have")
        causes.append(f"{has} no row now, and as many rows were deleted where theirs would be")
    if chain.letters_unreadable:
        has = many(chain.letters_unreadable, "message has", "messages have")
        causes.append(f"{has} no row, and this user may not read all streams of dead letters (see dead-letters)")
    if chain.letter_dropped:
        has = many(chain.letter_dropped, "message has", "messages have")
        dropped = many(chain.letters_dropped, "dead letter was", "dead letters were")
        causes.append(f"{has} no row and no dead letter now, and {dropped} dropped from the streams of dead letters")
    if chain.written_elsewhere:
        has = many(chain.written_elsewhere, "message has", "messages have")
        causes.append(
            f"{has} no row here, and a second server reads for the same group: it may have written them to a database "
            "of its own (see second-server)"
        )
    return "; ".join(causes)


def _break_remedy(chain: "ChainHealth", locations: "Locations") -> Remedy:
    lost = chain.states.get("lost") or 0
    steps = []
    if lost:
        steps.append(
            "Look at the reasons: malformed payloads point to a producer, everything else to the writer, to a deleted "
            "consumer, or to a database that was replaced by an older copy. Nobody has the lost ones, but until the "
            "stream trims them they can be delivered again: save them before you restart anything."
        )
    if chain.chain_break_count > lost:
        steps.append("What was trimmed is gone from Redis; lost-before-delivery and retry-storm say what stops that.")
    ids = [broken.id for broken in chain.breaks[:SHOWN_IDS]]
    commands = []
    if ids:
        commands.append(f"{locations.doctor} trace {' '.join(ids)}")
    if lost > len(ids):
        commands.append(f"{locations.doctor} trace --state lost")
    return Remedy(text=" ".join(steps), commands=commands)


def _parts(chain: "ChainHealth") -> str:
    parts = []
    for state, words in KINDS_OF_BREAK.items():
        count = chain.states.get(state)
        if count:
            parts.append(f"{count:,} {words}")
        if state == "payload_gone" and chain.payload_gone_of_one:
            parts[-1] += f" ({_may_be_of_another_group(chain.payload_gone_of_one, count or 0)})"
    trimmed = chain.trimmed
    if trimmed.at_least and trimmed.exactly is None:
        parts.append(f"at least {trimmed.at_least:,} trimmed unread")
    beyond = chain.letter_dropped - chain.letters_dropped
    if beyond > 0:
        parts.append(f"{beyond:,} neither written nor among the {chain.letters_dropped:,} dropped dead letters")
    sentence = ", ".join(parts) + _reasons(chain)
    if chain.tables_begin_later or _may_be_elsewhere(chain) or (chain.letter_dropped and beyond <= 0):
        sentence += f"; {_why_untraceable(chain)}"
    return sentence


def _may_be_of_another_group(count: int, of: int) -> str:
    """Of messages that one group held: another group, which is done with them, may be the one to write them."""
    which = f"{count:,} of them"
    if count == of:
        which = "it" if count == 1 else "them"
    whose = "it may be" if count == 1 else "they may be"
    return f"the other writer group is done with {which}: {whose} its own, and written"


def _reasons(chain: "ChainHealth") -> str:
    """What was wrong with lost messages, as far as that is known, in brackets."""
    lost = [broken for broken in chain.breaks if broken.kind == "lost"]
    reasons = {broken.reason for broken in lost if not broken.reason.startswith(_NO_REASON)}
    if not reasons:
        return ""
    # Of no more than the first breaks the reasons are kept: of the others they are not known.
    is_true_of_all = len(lost) == (chain.states.get("lost") or 0) and all(one.reason in reasons for one in lost)
    if len(reasons) == 1 and is_true_of_all:
        return f" ({min(reasons)})"
    return f" ({min(reasons)} and other reasons)"

"""Chain of custody: is every message that was enqueued still accounted for."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth

_NO_REASON = ("acknowledged", "neither pending")
"""How the reasons begin of breaks of which nothing more is known."""
_SHOWN_IDS = 3
"""Messages that the remedy names."""
_KINDS_OF_BREAK = {
    "lost": "neither pending nor written",
    "trimmed_unread": "trimmed unread",
    "payload_gone": "trimmed while pending",
}


# A single break may be one malformed event; ten are a pattern.
@check(area="chain", scale=Scale.rising(orange=1, red=10, unit="messages"))
def check_chain_breaks(chain: "ChainHealth", locations: "Locations", scale: Scale) -> Finding:
    """Messages nobody knows are missing: neither pending nor written, or gone while a writer holds them.

    The sum of lost (neither pending nor written, no dead letter), trimmed unread, and payload gone (pending, but
    trimmed). What is on its way, stuck, dead-lettered or by design unwritten is no break. Only what the stream still
    holds can be looked for: one that was lost and trimmed since shows in samples of that time alone. Messages that are
    older than the rows of their table are not judged: that is said, and where rows were pruned (the sequence numbers
    tell that as many were written before) it is no fault. Where they are more than those that could be judged, whether
    every message was written is known only if nothing has left the stream and exactly as many rows were written before;
    where the table was made anew it is not known.

    Causes:
    - payloads that are a text or a list where an object is expected: the writer passes over them and acknowledges
    - a consumer or a group was deleted with what it held: nobody has that, and nothing records it
    - the database was replaced by an older copy, which lacks what was written since
    - messages that were trimmed while a writer held them (see retry-storm)
    - what lost-before-delivery counts
    """
    broken = chain.chain_break_count
    breaks = []
    for one in chain.breaks[:10]:
        breaks.append(f"{one.id} {one.event_type}: {one.reason}")
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
        "first breaks": breaks,
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
    made_anew = chain.tables_begin_later - chain.rows_pruned_unproven
    if made_anew:
        has = many(made_anew, "message has", "messages have")
        causes.append(f"{has} no row now: the tables begin later than these messages")
    if chain.rows_pruned_unproven:
        has = many(chain.rows_pruned_unproven, "message has", "messages have")
        causes.append(
            f"{has} no row now: older rows were deleted. At least as many rows were written before, but nothing tells "
            "whether each of these messages had one, and they are more than the messages that could be judged"
        )
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
            f"{has} no row here, and a second server was given messages of the same group, or may have been: it may "
            "have written them to a database of its own (see second-server)"
        )
    return "; ".join(causes)


def _break_remedy(chain: "ChainHealth", locations: "Locations") -> Remedy:
    lost = chain.states.get("lost") or 0
    steps = []
    if lost:
        steps.append(
            "Look at the reasons. Malformed payloads point to a producer; all else points to the writer, to a deleted "
            "consumer, or to a database that was replaced by an older copy. Save the lost ones before you restart "
            "anything, and before the stream trims them."
        )
        unwritable = min(lost, chain.unwritable_lost)
        if unwritable < lost:
            steps.append(
                f"{many(lost - unwritable, 'of them', 'of them')} can be delivered again: no writer holds them."
            )
        if unwritable:
            steps.append(f"No writer can write {unwritable:,} of them: correct the program that sends them.")
    held = chain.states.get("payload_gone") or 0
    if chain.chain_break_count > lost + held:
        steps.append("What was trimmed unread is gone from Redis; lost-before-delivery says how to stop that.")
    if held:
        steps.append(
            "What was trimmed while a writer held it is gone from Redis; stuck-consumers, orphaned-messages and "
            "retry-storm say what holds messages up until they are trimmed."
        )
    ids = [broken.id for broken in chain.breaks[:_SHOWN_IDS]]
    commands = []
    if ids:
        commands.append(f"{locations.doctor} trace {' '.join(ids)}")
    if lost > len(ids):
        commands.append(f"{locations.doctor} trace --state lost")
    return Remedy(text=" ".join(steps), commands=commands)


def _parts(chain: "ChainHealth") -> str:
    parts = []
    for state, words in _KINDS_OF_BREAK.items():
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
    return f"the other writer group has finished with {which}: {whose} its own, and written"


def _reasons(chain: "ChainHealth") -> str:
    """What was wrong with lost messages, as far as that is known, in brackets."""
    reasons = set()
    explained = 0
    for broken in chain.breaks:
        if broken.kind == "lost" and not broken.reason.startswith(_NO_REASON):
            reasons.add(broken.reason)
            explained += 1
    if not reasons:
        return ""
    # Of no more than the first breaks the reasons are kept: of the others they are not known.
    is_true_of_all = explained == (chain.states.get("lost") or 0)
    if len(reasons) == 1 and is_true_of_all:
        return f" ({min(reasons)})"
    return f" ({min(reasons)} and other reasons)"

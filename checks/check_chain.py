"""Chain of custody: is every message that was enqueued still accounted for."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth


# Trimmed messages are gone for good, and so is trust in everything downstream: one is as bad as a thousand.
@check(area="chain", scale=Scale.rising(red=1, unit="messages"))
def check_lost_before_delivery(chain: "ChainHealth", scale: Scale) -> Finding:
    """Messages trimmed from the stream before their writer was given them.

    Counted as entries-added − entries-read − what still waits, for each writer group; the server's own lag is wrong
    after trimming. Redis 7.0 to 7.4.1 keep counting a loss of long ago, newer servers forget it at the next read.

    Causes:
    - the writers were away for longer than the stream keeps messages
    - a burst of more than `max_length` messages while a writer was busy
    """
    evidence: dict[str, Any] = {loss.group: loss.cause or loss.trimmed_unread for loss in chain.losses}
    evidence |= {f"{n.group}: between": f"{n.after_id} and {n.before_id}" for n in chain.losses if n.after_id}
    count, said = 0, "No message was trimmed before it was read"
    if worst := max((n for n in chain.losses if n.trimmed_unread), key=lambda n: n.trimmed_unread or 0, default=None):
        count = worst.trimmed_unread or 0
        said = many(count, "message was", "messages were")
        said += f" trimmed before {worst.group} read {'it' if count == 1 else 'them'}"
        if worst.after_id:
            said += f", {'' if count == 1 else 'all '}between {worst.after_id} and {worst.before_id}"
    elif cause := next((n.cause for n in chain.losses if n.trimmed_unread is None), ""):
        return unknown("Whether messages were trimmed unread cannot be told", cause, evidence=evidence)
    return scale.grade(
        count,
        said,
        remedy=Remedy(
            text="They cannot be brought back from Redis. Start the writers, then raise "
            "streams.message_queue.max_length in Blueplane's config.yaml to what an outage may pile up."
        ),
        evidence=evidence,
    )


# A single break may be one malformed event; ten are a pattern.
@check(area="chain", scale=Scale.rising(orange=1, red=10, unit="messages"))
def check_chain_breaks(chain: "ChainHealth", scale: Scale) -> Finding:
    """Messages nobody knows are missing: acknowledged without a row, or gone while a writer holds them.

    The sum of lost (acknowledged, no row, no dead letter), trimmed unread, and payload gone (pending, but trimmed).
    What is on its way, stuck, dead-lettered or by design unwritten is no break. Only what the stream still holds can be
    looked for: one that was acknowledged without a row and trimmed since shows in samples of that time alone.

    Causes:
    - payloads that are a text or a list where an object is expected: the writer passes over them and acknowledges
    - messages that were trimmed while a writer held them (see retry-storm)
    - what lost-before-delivery counts
    """
    broken = chain.chain_break_count
    evidence: dict[str, Any] = {
        "states": chain.states,
        "equation": chain.equation,
        "first breaks": [f"{b.id} {b.event_type}: {b.reason}" for b in chain.breaks[:10]],
    }
    if broken:
        said = f"{many(broken, 'message has', 'messages have')} vanished: {_parts(chain)}"
    elif chain.database_cause or chain.partial:
        cause = f"the time was up after {chain.examined:,} messages; give more with --timeout"
        said = "Whether every message was written cannot be told"
        return unknown(said, chain.database_cause or cause, evidence=evidence)
    elif chain.examined:
        one = chain.examined == 1
        said = "The one message in the stream" if one else f"Every one of {chain.examined:,} messages"
        said += " is accounted for"
    else:
        said = "The stream holds no messages, and none is missing"
    lost, todo = chain.states.get("lost") or 0, []
    if lost:
        todo.append(
            "Look at the reasons: malformed payloads point to a producer, everything else to the writer. The stream "
            "still holds the lost ones until it trims them; save them before you restart anything."
        )
    if broken > lost:
        todo.append("What was trimmed is gone from Redis; lost-before-delivery and retry-storm say what stops that.")
    return scale.grade(broken, said, remedy=Remedy(text=" ".join(todo)), evidence=evidence)


def _parts(chain: "ChainHealth") -> str:
    named = {
        "lost": "acknowledged and never written",
        "trimmed_unread": "trimmed unread",
        "payload_gone": "trimmed while pending",
    }
    parts = [f"{count:,} {words}" for state, words in named.items() if (count := chain.states.get(state))]
    known = max((loss.trimmed_unread or 0 for loss in chain.losses), default=0)
    if known and chain.states.get("trimmed_unread") is None:  # of one group it is known, of the other not
        parts.append(f"at least {known:,} trimmed unread")
    reasons = sorted({b.reason for b in chain.breaks if b.kind == "lost" and not b.reason.startswith("acknowledged")})
    return ", ".join(parts) + (f" ({reasons[0]}{' and other reasons' if len(reasons) > 1 else ''})" if reasons else "")

"""Chain of custody: is every message that was enqueued still accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.chain_of_custody import ChainHealth


# Trimmed messages are gone for good, and so is trust in everything downstream: one is as bad as a thousand.
@check(area="chain", scale=Scale.rising(red=1, unit="messages"))
def check_lost_before_delivery(chain: ChainHealth, scale: Scale) -> Finding:
    """Messages trimmed from the stream before their writer was given them.

    Counted as entries-added − entries-read − what still waits, for each writer group; the server's own lag is wrong
    after trimming. Redis 7.0 to 7.4.1 keep counting a loss of long ago, newer servers forget it at the next read.

    Causes:
    - the writers were away for longer than the stream keeps messages
    - a burst of more than `max_length` messages while a writer was busy
    """
    evidence: dict[str, object] = {
        loss.group: loss.trimmed_unread if not loss.cause else loss.cause for loss in chain.losses
    }
    evidence |= {
        f"{loss.group}: between": f"{loss.after_id} and {loss.before_id}" for loss in chain.losses if loss.after_id
    }
    known = [loss for loss in chain.losses if loss.trimmed_unread is not None]
    worst = max(known, key=lambda loss: loss.trimmed_unread or 0, default=None)
    count = (worst.trimmed_unread if worst else 0) or 0
    unknown_ones = [loss for loss in chain.losses if loss.trimmed_unread is None]
    if unknown_ones and not count:
        return unknown(
            "Whether messages were trimmed unread cannot be told",
            unknown_ones[0].cause,
            evidence=evidence,
        )
    said = "No message was trimmed before it was read"
    if worst and count:
        were, them = ("message was", "it") if count == 1 else ("messages were", "them")
        said = f"{count:,} {were} trimmed before {worst.group} read {them}"
        if worst.after_id:
            said += f", {'' if count == 1 else 'all '}between {worst.after_id} and {worst.before_id}"
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
def check_chain_breaks(chain: ChainHealth, scale: Scale) -> Finding:
    """Messages nobody knows are missing: acknowledged without a row, or gone while a writer holds them.

    The sum of lost (acknowledged, no row, no dead letter), trimmed unread, and payload gone (pending, but trimmed).
    Everything that is on its way, stuck, dead-lettered or by design unwritten is no break.

    Causes:
    - payloads that are a text or a list where an object is expected: the writer passes over them and acknowledges
    - messages that were trimmed while a writer held them (see retry-storm)
    - what lost-before-delivery counts
    """
    broken = chain.chain_break_count
    evidence: dict[str, object] = {"states": chain.states, "equation": chain.equation}
    evidence |= {"first breaks": [f"{b.id} {b.event_type}: {b.reason}" for b in chain.breaks[:10]]}
    if not broken and (chain.database_cause or chain.partial):
        return unknown(
            "Whether every message was written cannot be told",
            chain.database_cause or f"the time was up after {chain.examined:,} messages; give more with --timeout",
            evidence=evidence,
        )
    said = f"Every one of {chain.examined:,} messages is accounted for"
    if chain.examined == 0:
        said = "The stream holds no messages, and none is missing"
    elif chain.examined == 1:
        said = "The one message in the stream is accounted for"
    if broken:
        said = f"{broken:,} {'message has' if broken == 1 else 'messages have'} vanished: {_parts(chain)}"
    return scale.grade(
        broken,
        said,
        remedy=Remedy(
            text="Look at the reasons: malformed payloads point to a producer, everything else to the writer. The "
            "stream still holds the lost ones until it trims them; save them before you restart anything."
        ),
        evidence=evidence,
    )


def _parts(chain: ChainHealth) -> str:
    named = {
        "lost": "acknowledged and never written",
        "trimmed_unread": "trimmed unread",
        "payload_gone": "trimmed while pending",
    }
    counts = {state: chain.states.get(state) for state in named}
    parts = [f"{counts[state]:,} {words}" for state, words in named.items() if counts[state]]
    if counts["trimmed_unread"] is None and (known := max((n.trimmed_unread or 0 for n in chain.losses), default=0)):
        parts.append(f"at least {known:,} trimmed unread")  # of one group it is known, of the other not
    reasons = sorted({b.reason for b in chain.breaks if b.kind == "lost" and not b.reason.startswith("acknowledged")})
    return ", ".join(parts) + (f" ({reasons[0]}{' and other reasons' if len(reasons) > 1 else ''})" if reasons else "")

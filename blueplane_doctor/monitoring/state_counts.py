"""How many messages are in each state: in all, by route, and as an equation."""

from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.losses import TrimmedUnread
from blueplane_doctor.custody.states import (
    DEAD_LETTERED,
    DUPLICATE,
    IN_FLIGHT,
    LOST,
    PAYLOAD_GONE,
    SKIPPED,
    STATES,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
    WRITTEN,
    WRITTEN_NOT_ACKNOWLEDGED,
    WRITTEN_NOT_DELIVERED,
)
from blueplane_doctor.text.quantities import many

TRIMMED_UNREAD = "trimmed_unread"
"""Beside the states of messages: those that left the stream before their writer was given them."""
_TERMS = (
    *(WRITTEN, WRITTEN_NOT_ACKNOWLEDGED, WRITTEN_NOT_DELIVERED, DUPLICATE, SKIPPED),
    *(WAITING, IN_FLIGHT, STUCK, DEAD_LETTERED, UNTRACEABLE, LOST),
)
"""Order of the states in the equation: what is well first."""


def counts_by_state(ledger: Ledger, trimmed: TrimmedUnread) -> dict[str, int | None]:
    """Of all routes together, with the losses that no message in the stream shows; None for what is not known."""
    states: dict[str, int | None] = {state: ledger.total(state) for state in STATES}
    states[TRIMMED_UNREAD] = trimmed.exactly
    states[PAYLOAD_GONE] = ledger.payload_gone
    return states


def states_by_route(ledger: Ledger) -> dict[str, dict[str, int]]:
    """The same by route, without those that are zero."""
    by_route = {}
    for route, counts in sorted(ledger.states.items()):
        by_route[route] = {state: counts[state] for state in STATES if counts[state]}
    return by_route


def equation(examined: int, states: dict[str, int | None]) -> str:
    """`263 messages = 237 written + 14 skipped + 12 lost`; what left the stream before is no part of it."""
    terms = {}
    for state in _TERMS:
        terms[state.replace("_", " ")] = states.get(state) or 0
    # `unexamined` counts both what was read and could not be judged and what was not read at all. Only the former
    # are among the messages examined: they are what the other terms leave.
    terms[UNEXAMINED] = max(0, examined - sum(terms.values()))
    summed = " + ".join(f"{count:,} {state}" for state, count in terms.items() if count)
    text = f"{many(examined, 'message', 'messages')} = {summed or '0'}"
    unread = (states[UNEXAMINED] or 0) - terms[UNEXAMINED]
    if unread > 0:
        text += f"; {unread:,} not read"
    return text

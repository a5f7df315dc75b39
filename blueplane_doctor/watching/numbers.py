"""The numbers that move while one watches, by the same dotted names as in the history."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blueplane_doctor.model import Report
from blueplane_doctor.times import span

KEPT_ROUNDS = 240
"""Values of each number that are kept for its sparkline: eight minutes of a round every two seconds."""
STATES = "chain.states."


@dataclass(frozen=True)
class Number:
    """A number with the words that stand beside it."""

    name: str
    label: str
    unit: str = ""


NUMBERS = (
    Number("queue.queue_depth", "Queue depth"),
    Number("queue.pending_messages", "Pending"),
    Number("queue.consumer_lag_ms", "Lag", "ms"),
    Number("queue.enqueue_rate_events_per_sec", "Enqueued", "/s"),
    Number("queue.processing_rate_events_per_sec", "Written", "/s"),
    Number("queue.minutes_to_loss", "Until loss", "min"),
    Number("queue.dlq_size", "Dead letters"),
    Number("chain.chain_break_count", "Chain breaks"),
)


def moving(report: Report) -> dict[str, float | None]:
    """The numbers of a report; None for what could not be known, nothing for a record that was not asked for."""
    values: dict[str, float | None] = {}
    for number in NUMBERS:
        record, _, field = number.name.partition(".")
        if record in report.metrics:
            values[number.name] = _number((report.metrics[record] or {}).get(field))
    states = (report.metrics.get("chain") or {}).get("states")
    if isinstance(states, Mapping):
        values |= {f"{STATES}{state}": _number(value) for state, value in states.items()}
    return values


def words(value: float | None, unit: str = "") -> str:
    """A value as a person reads it: `1,204`, `3.25 /s`, `12 s` for milliseconds, `–` for what is not known."""
    if value is None:
        return "–"
    if unit == "ms":
        return span(value)
    return f"{value:,.2f}".rstrip("0").rstrip(".") + (f" {unit}" if unit else "")


class Trails:
    """The latest values of every number, bounded; a round without a value leaves a gap."""

    def __init__(self, kept: int = KEPT_ROUNDS) -> None:
        self._kept = kept
        self._rounds: deque[Mapping[str, float | None]] = deque(maxlen=kept)

    def add(self, numbers: Mapping[str, float | None]) -> None:
        """Keep one round."""
        self._rounds.append(numbers)

    def of(self, name: str) -> list[float | None]:
        """The values of one number, oldest first."""
        return [numbers.get(name) for numbers in self._rounds]

    def names(self) -> Iterable[str]:
        """All numbers that were there in any round, in the order of their first appearance."""
        return dict.fromkeys(name for numbers in self._rounds for name in numbers)


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None

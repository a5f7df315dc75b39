"""Dead letters: what the writers gave up, and whether it is still happening."""

from typing import TYPE_CHECKING, Any

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many, trace_commands
from blueplane_doctor.text.times import span

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.history_health import HistoryHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth


@check(area="dead-letters", scale=Scale.rising(yellow=1, orange=10, red_above=100, unit="entries"))
def check_dead_letters(queue: "QueueHealth", locations: "Locations", scale: Scale) -> Finding:
    """Entries of all dead-letter streams.

    The pipeline has two such streams, one of the Claude writer and one of the Cursor writer; nothing reads them.

    Causes:
    - messages that no writer could decode
    - messages that failed too often; the dead letter holds the first error
    """
    count = queue.dlq_size
    evidence: dict[str, Any] = {"newest": queue.dlq_newest_ids, **queue.dlq_sizes}
    for stream, dropped in queue.dlq_dropped.items():
        evidence[f"{stream}: dropped"] = dropped
    sentence = _dead_letters_sentence(count, queue.dlq_oldest_age_ms)
    if queue.dlq_unreadable and not count:
        streams = " and ".join(queue.dlq_unreadable)
        cause = "; ".join(queue.dlq_unreadable.values())
        return unknown(f"The dead letters in {streams} cannot be read", cause, evidence=evidence)
    for stream in queue.dlq_unreadable:
        sentence += f"; {stream} cannot be read"
    dropped = sum(queue.dlq_dropped.values())
    if dropped:
        sentence += f"; {many(dropped, 'more is', 'more are')} no longer there (trimmed or deleted)"
    return scale.grade(count, sentence, remedy=_look(queue, locations), evidence=evidence)


def _dead_letters_sentence(count: int, oldest_age_ms: int | None) -> str:
    if not count:
        return "No dead letters"
    sentence = many(count, "dead letter", "dead letters")
    if oldest_age_ms is None:
        return sentence
    oldest = "" if count == 1 else "the oldest "
    return f"{sentence}, {oldest}{span(oldest_age_ms)} old"


# The same steps as the total: what would be orange as a pile is orange when it came within an hour.
@check(area="dead-letters", scale=Scale.rising(yellow=1, orange=10, red_above=100, unit="entries/h"))
def check_dead_letter_growth(
    queue: "QueueHealth", history: "HistoryHealth", locations: "Locations", scale: Scale
) -> Finding:
    """Dead letters of the last hour, beside those of the hour before.

    A static pile is history; growth is a fault that is going on. The evidence also tells the rise that recorded
    samples saw, which counts dead letters that were dropped meanwhile.

    Causes:
    - a producer of another version that sends what the writers do not understand
    - one undecodable message: the Claude writer adds a dead letter for it about every second, for ever
    """
    new = queue.dlq_recent_entries
    before = queue.dlq_previous_hour
    sentence = "No dead letter in the last hour"
    if new:
        sentence = f"{many(new, 'dead letter', 'dead letters')} in the last hour, {before:,} in the hour before"
    evidence = {
        "last hour": new,
        "hour before": before,
        "oldest age ms": queue.dlq_oldest_age_ms,
        "newest": queue.dlq_newest_ids,
        "recorded entries/h": history.dead_letters_last_hour,
    }
    return scale.grade(new, sentence, remedy=_look(queue, locations), evidence=evidence)


def _look(queue: "QueueHealth", locations: "Locations") -> Remedy:
    return Remedy(
        text="Dead letters are kept for a time and then dropped. Correct what they have in common first.",
        commands=[f"{locations.doctor} dlq stats", *trace_commands(locations.doctor, queue.dlq_newest_ids)],
    )

"""Dead letters: what the writers gave up, and whether it is still happening."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check
from blueplane_doctor.checkapi import many
from blueplane_doctor.times import span

if TYPE_CHECKING:
    from blueplane_doctor.monitoring.history_health import HistoryHealth
    from blueplane_doctor.monitoring.queue_health import QueueHealth

LOOK = Remedy(
    text="Dead letters are kept for a time and then dropped. See what they have in common, and mend that first.",
    commands=["blueplane-doctor dlq stats"],
)


@check(area="dead-letters", scale=Scale.rising(yellow=1, orange=10, red_above=100, unit="entries"))
def check_dead_letters(queue: "QueueHealth", scale: Scale) -> Finding:
    """Entries of all dead-letter streams.

    The pipeline keeps two: one of the Claude writer, one of the Cursor writer; nobody reads either.

    Causes:
    - messages that no writer could decode
    - messages that failed too often; the first error is in the letter
    """
    count, age = queue.dlq_size, queue.dlq_oldest_age_ms
    said = many(count, "dead letter", "dead letters") if count else "No dead letters"
    if count and age is not None:
        said += f", {'' if count == 1 else 'the oldest '}{span(age)} old"
    return scale.grade(count, said, remedy=LOOK, evidence=queue.dlq_sizes)


# The same steps as the total: what would be orange as a pile is orange when it came within an hour.
@check(area="dead-letters", scale=Scale.rising(yellow=1, orange=10, red_above=100, unit="entries/h"))
def check_dead_letter_growth(queue: "QueueHealth", history: "HistoryHealth", scale: Scale) -> Finding:
    """Dead letters of the last hour, beside those of the hour before.

    A static pile is history; growth is a fault that is going on. The evidence also tells the rise that recorded
    samples saw, which counts letters that were dropped meanwhile.

    Causes:
    - a producer of another version that sends what the writers do not understand
    - one undecodable message: the Claude writer adds a letter for it about every second, for ever
    """
    new, before = queue.dlq_recent_entries, queue.dlq_previous_hour
    said = "No dead letter in the last hour"
    if new:
        said = f"{many(new, 'dead letter', 'dead letters')} in the last hour, {before:,} in the hour before"
    evidence = {
        "last hour": new,
        "hour before": before,
        "oldest age ms": queue.dlq_oldest_age_ms,
        "recorded entries/h": history.dead_letters_last_hour,
    }
    return scale.grade(new, said, remedy=LOOK, evidence=evidence)

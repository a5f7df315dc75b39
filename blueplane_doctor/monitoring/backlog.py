"""Where the backlog of all writers goes, as one look at the stream and the rows tells."""

from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.errors import SourceError
from blueplane_doctor.examination import Examination
from blueplane_doctor.history.trend import OneLook, judge_one_look
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.times import milliseconds_since, to_milliseconds


class BacklogNow(Record):
    """Where the backlog of all writers goes, as one look tells; samples of a history tell more."""

    state: str
    """`caught up`, `draining`, `steady`, `falling behind` or `stalled` (nothing was written for five minutes)."""
    backlog: int | None
    """Messages that their writer has not finished with."""
    per_minute: float | None = None
    """Change of the backlog; only while draining or falling behind."""
    minutes_left: float | None = None
    """Until it is drained; only while draining."""
    still_seconds: int = 0
    """Without a row while something waited; only when stalled."""


def one_look(examination: Examination) -> OneLook | None:
    """What tells where the backlog goes; None when the stream was not read to its end, or the rows cannot be."""
    ledger = examination.ledger()
    if ledger.partial or ledger.rows_cause:
        return None
    now_ms = examination.server_info().now_ms
    oldest_ms = consumer_lag_ms(ledger, now_ms)
    try:
        written = examination.written()
    except SourceError:
        return None
    if oldest_ms is None:
        return None
    # What is not there yet cannot have waited: the stop lasts no longer than the oldest message is there.
    still_ms = oldest_ms
    if written.last is not None:
        still_ms = min(oldest_ms, max(0, now_ms - to_milliseconds(written.last)))
    return OneLook(
        backlog=ledger.unfinished,
        oldest_ms=oldest_ms,
        still_ms=still_ms,
        last_minute=ledger.owed_last_minute - written.last_minute,
        five_minutes=(ledger.owed_last_five_minutes - written.last_five_minutes) / 5,
    )


def backlog_now(look: OneLook) -> BacklogNow:
    """The trend that one look shows."""
    trend = judge_one_look(look)
    return BacklogNow(
        state=trend.state,
        backlog=trend.backlog,
        per_minute=trend.per_minute,
        minutes_left=None if trend.minutes_left is None else round(trend.minutes_left, 1),
        still_seconds=trend.still_for,
    )


def minutes_to_loss(depth: int | None, max_length: int, growth_per_minute: float | None) -> float | None:
    """Until the backlog reaches `max_length`; None when there is none, or it does not grow."""
    if not depth or growth_per_minute is None:
        return None
    if depth >= max_length:
        return 0.0
    if growth_per_minute <= 0:
        return None
    return round((max_length - depth) / growth_per_minute, 1)


def consumer_lag_ms(ledger: Ledger, now_ms: int) -> int | None:
    """Age of the oldest message that its writer has not finished with: 0 without one, None when not known."""
    if not ledger.unfinished and not ledger.partial:
        return 0
    return milliseconds_since(ledger.oldest_unfinished_ms, now_ms)

"""The chain of custody in numbers: every message's state, and what is broken."""

from blueplane_doctor.custody.absence import (
    LETTER_DROPPED,
    LETTERS_UNREADABLE,
    OF_UNKNOWN_GROUP,
    ROWS_DELETED,
    TABLES_BEGIN_LATER,
)
from blueplane_doctor.custody.blockers import ChainBlocker
from blueplane_doctor.custody.judge import NO_TABLES
from blueplane_doctor.custody.ledger import ChainBreak, Ledger, LostRun
from blueplane_doctor.custody.losses import (
    GroupLoss,
    RowsElsewhere,
    TrimmedUnread,
    forgets_losses,
    trimmed_before_writers,
    trimmed_unread,
)
from blueplane_doctor.custody.shared_groups import WRITTEN_ELSEWHERE
from blueplane_doctor.custody.states import (
    DEAD_LETTERED,
    DUPLICATE,
    HAS_ROW,
    LOST,
    SKIPPED,
    STUCK,
    UNEXAMINED,
    UNTRACEABLE,
    WRITTEN,
    WRITTEN_NOT_ACKNOWLEDGED,
    WRITTEN_NOT_DELIVERED,
)
from blueplane_doctor.errors import SourceError
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.monitoring.state_counts import counts_by_state, equation, states_by_route
from blueplane_doctor.monitoring.time_buckets import (
    TimeBucket,
    of_last_day,
    of_other_times,
    time_bucket,
)
from blueplane_doctor.privacy.public_fields import RouteName
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.streams import StreamState
from blueplane_doctor.text.times import iso_of_milliseconds

_SHOWN_BREAKS = 200
"""Breaks listed one by one in a report; all are counted."""
_KNOWN_BY_ROWS = (WRITTEN, WRITTEN_NOT_ACKNOWLEDGED, WRITTEN_NOT_DELIVERED, DUPLICATE, LOST)
"""States that rest on a look into the database."""
_FEWEST_FOR_A_SHARE = 20
"""Of fewer messages the share that has a row says little of others."""


class ChainHealth(Record):
    """Every message of the stream accounted for: `examined` is the sum of `states` but for the two losses."""

    chain_status: str
    """`broken` (a break), `degraded` (dead letters, stuck messages, or written ones that were not acknowledged or will
    be delivered again), `healthy`, or `unknown`."""
    messages_enqueued_last_hour: int
    messages_written_last_hour: int
    """Of those, the ones whose row is there."""
    messages_in_dlq: int
    chain_break_count: int
    """lost + trimmed_unread + payload_gone; of trimmed_unread the least that is certain."""
    last_chain_break_timestamp: str | None
    """When the newest broken message was enqueued; trimmed ones have no time."""
    success_rate: float | None
    """Share, 0.0 to 1.0, of the last hour's messages that were owed a row, given to their writer, and have it.

    Those of which nothing can be known are no part of it: see `untraceable_last_hour`."""
    untraceable_last_hour: int = 0
    """Messages of the last hour of which nothing can be known: `untraceable`."""
    malformed_lost: int = 0
    """Of those `lost`: their payload is not what the writer can read, and it passes over them."""
    unwritable_lost: int = 0
    """Of those `lost`: no writer can write them, for this or another reason."""
    examined: int
    """Messages read."""
    partial: bool
    """Whether the time was up before the last one."""
    states: dict[str, int | None]
    """Messages in each state, `trimmed_unread` and `payload_gone`; null for what cannot be known."""
    by_route: dict[RouteName, dict[str, int]]
    losses: list[GroupLoss]
    """What each writer group was not given. Another group may have been given it, and may have been the one to write.
    """
    left_stream: int | None = None
    """Messages that are no longer in the stream, by the server's count; null before Redis 7.0."""
    left_without_row: int = 0
    """Those less the rows that no message in the stream has, where that is far more than by design has no row.

    So many, at most, were trimmed unread: a server that forgets losses does not tell. 0 where rows tell nothing.
    """
    lost_run: LostRun | None = None
    """The `lost` messages of all routes, where none between them has a row: an older copy of the database is such."""
    breaks: list[ChainBreak]
    """The oldest, at most 200."""
    payload_gone_of_one: int = 0
    """Of those `payload_gone`: the ones that another writer group was given and does not hold.

    They may be its own, and written: whose they were, nothing tells once they have left the stream."""
    tables_begin_later: int = 0
    """Of those `untraceable`: their table begins later than they do, so that their row may be gone."""
    rows_pruned: int = 0
    """Of those, the ones whose rows were pruned: as many rows, at least, were written before the first that is kept.

    0 where they would be more than the messages that could be judged: then most is not known, unless nothing ever left
    the stream and exactly as many rows were written before: then each of these was theirs.
    """
    rows_pruned_unproven: int = 0
    """The same where `rows_pruned` is 0 because most is not known: as many rows were written before, but not whose."""
    written_elsewhere: int = 0
    """Of those `untraceable`: a second server was given messages of their group and may have written them elsewhere."""
    of_unknown_group: int = 0
    """Of those `untraceable`: of a platform without a known route, while a group that nobody knows reads the stream."""
    letter_dropped: int = 0
    """Of those `untraceable`: their dead letter may be among those that were dropped."""
    rows_deleted: int = 0
    """Of those `untraceable`: where their row would be, a row was deleted from the table."""
    letters_unreadable: int = 0
    """Of those `untraceable`: their dead letter may be in a stream that this user may not read."""
    letters_dropped: int = 0
    """Dead letters that are no longer in their streams."""
    blockers: list[ChainBlocker] = []
    """At most 100."""
    buckets: list[TimeBucket] = []
    """By event time, the last day."""
    other_buckets: list[TimeBucket] = []
    """Older than a day, later than now, without a timestamp."""
    equation: str = ""
    """Conservation: the messages examined and their states, as a sum."""
    database_cause: str = ""
    """Why rows could not be read; then acknowledged messages are `unexamined`."""

    @property
    def without_key(self) -> int:
        """Of those `untraceable`: the ones that carry nothing by which a row could be found."""
        explained = self.tables_begin_later + self.written_elsewhere + self.of_unknown_group + self.letter_dropped
        explained += self.rows_deleted + self.letters_unreadable
        return max(0, (self.states.get(UNTRACEABLE) or 0) - explained)

    @property
    def judged_by_rows(self) -> int:
        """Messages of which a look into the database, or a dead letter, told what became of them."""
        return sum(self.states.get(state) or 0 for state in (*_KNOWN_BY_ROWS, DEAD_LETTERED))

    @property
    def trimmed(self) -> TrimmedUnread:
        """Messages trimmed before the writer group that owes their row was given them: a range."""
        return trimmed_before_writers(self.losses)


class ChainOfCustodyMonitor(Monitor):
    """Follows every message of the stream to its row, its dead letter, or its loss."""

    name = "chain"
    record = ChainHealth

    def collect(self) -> ChainHealth:
        """Raises SourceError when the stream cannot be read."""
        ledger = self.examination.ledger()
        elsewhere = self._rows_elsewhere(ledger)
        losses = self._losses(ledger, elsewhere)
        left_stream = _left_stream(self.examination.stream())
        trimmed = trimmed_before_writers(losses)
        broken = ledger.total(LOST) + ledger.payload_gone + trimmed.at_least
        states = counts_by_state(ledger, trimmed)
        index = self.examination.dead_letters().index
        dead_letters = index.total
        # More messages without a row than letters were dropped: the rest never had one.
        beyond = ledger.untraceable_because[LETTER_DROPPED] - sum(index.dropped.values())
        broken += max(0, beyond)
        last_break = None
        if ledger.last_break_ms is not None:
            last_break = iso_of_milliseconds(ledger.last_break_ms)
        buckets = []
        for bucket in of_last_day(ledger.buckets):
            buckets.append(time_bucket(*bucket))
        other_buckets = []
        for bucket in of_other_times(ledger.buckets):
            other_buckets.append(time_bucket(*bucket))
        return ChainHealth(
            chain_status=_status(ledger, broken, dead_letters),
            messages_enqueued_last_hour=ledger.last_hour,
            messages_written_last_hour=ledger.written_last_hour,
            messages_in_dlq=dead_letters,
            chain_break_count=broken,
            last_chain_break_timestamp=last_break,
            success_rate=_success_rate(ledger),
            untraceable_last_hour=ledger.untraceable_last_hour,
            malformed_lost=ledger.malformed_lost,
            unwritable_lost=ledger.unwritable_lost,
            examined=ledger.examined,
            partial=ledger.partial,
            states=states,
            by_route=states_by_route(ledger),
            losses=losses,
            left_stream=left_stream,
            left_without_row=_left_without_row(ledger, left_stream, elsewhere),
            lost_run=ledger.lost_run,
            breaks=ledger.breaks[:_SHOWN_BREAKS],
            payload_gone_of_one=ledger.payload_gone_of_one,
            tables_begin_later=ledger.untraceable_because[TABLES_BEGIN_LATER],
            rows_pruned=_rows_pruned(ledger),
            rows_pruned_unproven=ledger.rows_pruned - _rows_pruned(ledger),
            written_elsewhere=ledger.untraceable_because[WRITTEN_ELSEWHERE],
            of_unknown_group=ledger.untraceable_because[OF_UNKNOWN_GROUP],
            letter_dropped=ledger.untraceable_because[LETTER_DROPPED],
            rows_deleted=ledger.untraceable_because[ROWS_DELETED],
            letters_unreadable=ledger.untraceable_because[LETTERS_UNREADABLE],
            letters_dropped=sum(index.dropped.values()),
            blockers=ledger.blockers,
            buckets=buckets,
            other_buckets=other_buckets,
            equation=equation(ledger.examined, states),
            database_cause=self._database_cause(),
        )

    def concluded(self, record: Record) -> Record:
        """Rows of a damaged database prove nothing: neither those that are there nor those that are not.

        Where none was looked up, what Redis alone tells stands.
        """
        damage = self.examination.database.damage
        if damage is None or not isinstance(record, ChainHealth):
            return record
        by_rows = sum(record.states.get(state) or 0 for state in _KNOWN_BY_ROWS)
        if by_rows or not record.database_cause:
            raise damage
        return record

    def _losses(self, ledger: Ledger, elsewhere: RowsElsewhere | None) -> list[GroupLoss]:
        stream = self.examination.stream()
        names = self.examination.writer_groups()
        # After XDEL also older servers make entries-read anew, once a group has read to the end.
        forgets = forgets_losses(self.examination.server_info().fields) or stream.was_deleted_from
        losses = []
        for name in names:
            waiting = ledger.undelivered.get(name)
            losses.append(trimmed_unread(stream, name, waiting, elsewhere=elsewhere, forgets=forgets))
        return losses

    def _rows_elsewhere(self, ledger: Ledger) -> RowsElsewhere | None:
        """What the database holds against the counters; None when it, or the stream, was not read to the end."""
        if ledger.partial or ledger.rows_cause:
            return None
        try:
            written = sum(self.examination.written().rows.values())
        except SourceError:
            return None
        return RowsElsewhere(rows=max(0, written - ledger.claimed_rows), rewound=ledger.total(WRITTEN_NOT_DELIVERED))

    def _database_cause(self) -> str:
        try:
            tables = self.examination.trace_tables()
        except SourceError as error:
            return error.message
        if not tables:
            return NO_TABLES
        return self.examination.ledger().rows_cause


def _left_stream(stream: StreamState) -> int | None:
    if stream.entries_added is None:
        return None
    return max(0, stream.entries_added - stream.length)


def _left_without_row(ledger: Ledger, left_stream: int | None, elsewhere: RowsElsewhere | None) -> int:
    if left_stream is None or elsewhere is None or ledger.untraceable_because:
        return 0
    # By design some messages have no row. How many is taken from those that the stream still holds.
    with_row = sum(map(ledger.total, HAS_ROW))
    finished = with_row + sum(map(ledger.total, (SKIPPED, DEAD_LETTERED, LOST)))
    if finished < _FEWEST_FOR_A_SHARE:
        return 0
    expected = left_stream * with_row / finished
    if elsewhere.rows >= expected / 2:  # the share changes with what people do: only a large difference says something
        return 0
    # What left it while a writer held it is counted as payload gone: that was read.
    return max(0, left_stream - elsewhere.rows - ledger.payload_gone)


def _status(ledger: Ledger, broken: int, dead_letters: int) -> str:
    if broken:
        return "broken"
    held = ledger.total(STUCK) + ledger.total(WRITTEN_NOT_ACKNOWLEDGED) + ledger.total(WRITTEN_NOT_DELIVERED)
    if dead_letters or held or ledger.total(DEAD_LETTERED):
        return "degraded"
    not_known = ledger.total(UNEXAMINED) + sum(ledger.untraceable_because.values()) - _rows_pruned(ledger)
    return "unknown" if not_known else "healthy"


def _rows_pruned(ledger: Ledger) -> int:
    judged = sum(map(ledger.total, (*_KNOWN_BY_ROWS, DEAD_LETTERED)))
    if ledger.rows_pruned > judged and not ledger.pruned_were_written:
        return 0
    return ledger.rows_pruned


def _success_rate(ledger: Ledger) -> float | None:
    if not ledger.owed_last_hour:
        return None
    return round(ledger.written_last_hour / ledger.owed_last_hour, 5)


MONITOR = ChainOfCustodyMonitor

"""The ledger: how many messages are in each state of custody, and what else was counted on the way."""

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from blueplane_doctor.custody.blockers import ChainBlocker
from blueplane_doctor.custody.carried import CarriedItems
from blueplane_doctor.custody.delay_sample import DelaySample
from blueplane_doctor.custody.held import HeldMessages
from blueplane_doctor.custody.pending_entries import PendingEntriesReader
from blueplane_doctor.custody.states import (
    DUPLICATE,
    HAS_ROW,
    IN_FLIGHT,
    SKIPPED,
    UNEXAMINED,
    UNTRACEABLE,
    WAITING,
)
from blueplane_doctor.custody.undelivered import UndeliveredMessages
from blueplane_doctor.custody.unwritten import UnwrittenKeys
from blueplane_doctor.privacy.public_fields import EventType, GroupNames, MessageId, RouteName
from blueplane_doctor.privacy.public_text import event_type
from blueplane_doctor.records.base import Record
from blueplane_doctor.text.times import MINUTE_MS

UNROUTED = "unrouted"
"""Name of the route of messages that nobody writes."""
KEPT_BREAKS = 1000
"""Of these the particulars are kept; all are counted."""

BUCKET_MS = 600_000
KEPT_MS = 86_400_000
"""Older and later messages are counted in one bucket each, which bounds memory."""
OLDER = "older"
LATER = "later"
WITHOUT_TIMESTAMP = "without_timestamp"

_NOT_OWED = frozenset((SKIPPED, WAITING, IN_FLIGHT, UNEXAMINED, UNTRACEABLE))
"""States in which no row is expected, or not yet, or nobody could look, or find it."""


Tally = tuple[str, str, int | str, bool]
"""A message's route, state and bucket, and whether it was enqueued in the last hour."""


def bucket_of(event_ms: int | None, now_ms: int) -> int | str:
    """The bucket that an event belongs to: its start (milliseconds since 1970), or OLDER, LATER, WITHOUT_TIMESTAMP.

    A message counts in the bucket of its own `timestamp` at every stage, however late it is read or written, so that
    stages can be compared; without one it is counted apart: loss must not look like silence.
    (So Uber's Chaperone audits Kafka: https://www.infoq.com/news/2017/01/chaperone-kafka-audit-tool/)
    """
    if event_ms is None:
        return WITHOUT_TIMESTAMP
    if event_ms < now_ms - KEPT_MS:
        return OLDER
    if event_ms > now_ms + BUCKET_MS:
        return LATER
    return event_ms - event_ms % BUCKET_MS


class ChainBreak(Record):
    """One message whose custody is broken."""

    kind: str
    """`lost` (neither pending nor written, no dead letter) or `payload_gone` (pending, its entry trimmed)."""
    id: MessageId
    """Stream ID."""
    event_id: MessageId | None
    enqueued_at: str | None
    route: RouteName | None
    group: GroupNames
    event_type: EventType
    reason: str


class LostRun(Record):
    """The messages that have no row although their writers finished with them, and between which none has one."""

    first_id: MessageId
    last_id: MessageId
    messages: int


@dataclass(eq=False, repr=False)
class Ledger:
    """What one walk through the stream counted."""

    states: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Messages by route and state."""
    buckets: dict[int | str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Messages by ten minutes of event time and state; see bucket_of."""
    examined: int = 0
    partial: bool = False
    """Whether the time was up before the end of the stream."""
    rows_cause: str = ""
    """Why rows could not be read to the end."""
    breaks: list[ChainBreak] = field(default_factory=list)
    """The first KEPT_BREAKS."""
    blockers: list[ChainBlocker] = field(default_factory=list)
    """The first KEPT_BLOCKERS, of groups in which a message is stuck behind them."""
    blocker_counts: Counter[str] = field(default_factory=Counter)
    """All blockers of a group, by its name."""
    claimed_rows: int = 0
    """Rows that a message in the stream has."""
    untraceable_because: Counter[str] = field(default_factory=Counter)
    """Messages without a row that may have had one, by the reason; see absence.py."""
    rows_pruned: int = 0
    """Of those for TABLES_BEGIN_LATER, the ones whose rows were pruned."""
    pruned_were_written: bool = False
    """Whether sequence numbers prove that each of these had a row: nothing left the stream, and the counts agree."""
    malformed_lost: int = 0
    """Lost messages whose payload their writer cannot read, and passes over."""
    unwritable_lost: int = 0
    """Lost messages that no writer can write, for this or another reason."""
    lost_run: LostRun | None = None
    """The lost messages of all routes, where they lie in one run; see lost_runs.py."""
    payload_gone: int = 0
    payload_gone_of_one: int = 0
    """Of these, the ones that another writer group was given and does not hold: they may be its own, and written."""
    last_break_ms: int | None = None
    """When the newest broken message was enqueued."""
    undelivered: dict[str, int | None] = field(default_factory=dict)
    """For each group, messages it was not given yet; None where they could not be counted in time."""
    not_given: UndeliveredMessages = field(default_factory=UndeliveredMessages)
    """Of those, the ones that a writer group has to write."""
    carried: CarriedItems = field(default_factory=CarriedItems)
    """What of Cursor's databases is on its way to its row."""
    unwritten: UnwrittenKeys = field(default_factory=UnwrittenKeys)
    """By which keys the rows of Claude's messages would be found that have none yet."""
    unfinished: int = 0
    """Messages that their own writer has not finished with; of others, only the other writer has to acknowledge."""
    oldest_unfinished_ms: int | None = None
    """When the first of them was enqueued; None where there is none, or no ID and no field tells."""
    is_older_unfinished: bool = False
    """Whether one of unknown time came before the first of which it is known: that one is as old or older."""
    first_unfinished: list[str] = field(default_factory=list)
    """IDs of the first SHOWN_IDS of them."""
    oldest_waiting_ms: int | None = None
    """When the first of those was enqueued that their writer was not given yet."""
    ids_ahead: int = 0
    """Messages whose stream ID is later than the clock."""
    ids_ahead_ms: int = 0
    """How much later, at most."""
    untimed: int = 0
    """Of those, the ones of which no field tells when they were enqueued either."""
    pending: dict[str, PendingEntriesReader] = field(default_factory=dict)
    """For each writer group, its pending entries list."""
    held: HeldMessages = field(default_factory=HeldMessages)
    """What the writer groups hold, each message counted once."""
    last_by_hook: dict[str, int] = field(default_factory=dict)
    """For each hook type, when its newest message was enqueued."""
    count_by_hook: Counter[str] = field(default_factory=Counter)
    monitor_events: int = 0
    """Messages of Cursor's database monitor."""
    monitor_last_ms: int | None = None
    unknown_sources: set[str] = field(default_factory=set)
    """Sources of such messages that pipeline.py does not know, as single words."""
    by_second: Counter[int] = field(default_factory=Counter)
    """Messages of the last five minutes, by the second at which they were enqueued."""
    owed_last_minute: int = 0
    """Messages of the last minute that their own writer has still to write, or has written."""
    owed_last_five_minutes: int = 0
    last_minute: int = 0
    last_five_minutes: int = 0
    last_hour: int = 0
    written_last_hour: int = 0
    """Those whose row is there."""
    owed_last_hour: int = 0
    """Those that a writer has to write and was given, and of which it is known whether their row is there."""
    untraceable_last_hour: int = 0
    """Those of which nothing can be known."""

    delays: dict[str, DelaySample] = field(default_factory=lambda: defaultdict(DelaySample))
    """For each route, the messages of the last hour that were written, as a sample."""

    def total(self, state: str) -> int:
        """Messages in a state, over all routes."""
        return sum(by_state[state] for by_state in self.states.values())

    def add(self, tallies: list[Tally]) -> None:
        """Count the messages of a page with their states."""
        # Most messages of a page are alike: counting equal tallies first makes one step of many.
        for (route, state, bucket, is_recent), messages in Counter(tallies).items():
            self.states[route][state] += messages
            self.buckets[bucket][state] += messages
            if is_recent and state == UNTRACEABLE:
                self.untraceable_last_hour += messages
            elif is_recent and state not in _NOT_OWED:
                self.owed_last_hour += messages
                if state in HAS_ROW:
                    self.written_last_hour += messages

    def supersede(self, original: str, tally: Tally) -> None:
        """A message that was counted as lost, or as untraceable, has a copy, which stands for it."""
        route, state, bucket, is_recent = tally
        if is_recent and state == UNTRACEABLE:
            self.untraceable_last_hour -= 1
        for counts in (self.states[route], self.buckets[bucket]):
            counts[state] -= 1
            counts[DUPLICATE] += 1
        self.breaks = [one for one in self.breaks if one.id != original]
        times = [int(one.id.partition("-")[0]) for one in self.breaks]
        if self.keeps_more_breaks:  # else there are more than are kept here
            self.last_break_ms = max(times, default=None)

    def count_hook(self, hook: bytes | None, messages: int, last_ms: int | None) -> None:
        """Count so many messages of a hook type. `last_ms`: when the newest was enqueued; None where nothing tells."""
        name = event_type(hook)
        self.count_by_hook[name] += messages
        if last_ms is not None:
            self.last_by_hook[name] = max(last_ms, self.last_by_hook.get(name, 0))

    def count_recent(self, times: list[int], now_ms: int) -> None:
        """Count messages by the ascending times at which they were enqueued (milliseconds)."""
        self.last_minute += _later_than(times, now_ms - MINUTE_MS)
        in_five_minutes = _later_than(times, now_ms - 5 * MINUTE_MS)
        self.last_five_minutes += in_five_minutes
        self.by_second.update(time // 1000 for time in times[len(times) - in_five_minutes :])
        self.last_hour += _later_than(times, now_ms - 60 * MINUTE_MS)

    def count_since(self, since_ms: int) -> int:
        """Messages enqueued since then, to the second; of the last five minutes at most."""
        return sum(count for second, count in self.by_second.items() if second >= since_ms // 1000)

    @property
    def keeps_more_breaks(self) -> bool:
        """Whether there is room for the particulars of another break."""
        return len(self.breaks) < KEPT_BREAKS

    def note_break(self, enqueued_ms: int) -> None:
        """Remember when a broken message was enqueued."""
        self.last_break_ms = max(self.last_break_ms or 0, enqueued_ms)


def _later_than(times: list[int], limit: int) -> int:
    return len(times) - bisect_right(times, limit)

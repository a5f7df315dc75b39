"""What is counted of each message, whatever its state: of which kind it is, and when it came."""

from collections import Counter
from collections.abc import Sequence

from blueplane_doctor.custody.held import SHOWN_IDS
from blueplane_doctor.custody.judge import JudgedPage
from blueplane_doctor.custody.ledger import Ledger
from blueplane_doctor.custody.messages import Message
from blueplane_doctor.custody.states import UNFINISHED, WAITING, WRITTEN
from blueplane_doctor.pipeline import CURSOR_HOOKS, CURSOR_MONITOR_SOURCES, OTHER_CURSOR_SOURCES
from blueplane_doctor.privacy.public_text import hidden
from blueplane_doctor.sources.entry_ids import id_text
from blueplane_doctor.sources.streams import Group
from blueplane_doctor.text.times import HOUR_MS, MINUTE_MS, milliseconds_of

MOST_UNKNOWN_SOURCES = 10
"""Names of sources that are kept, however many there are."""
_AHEAD_MS = 10_000
"""IDs may be this much later than the time at which the server was asked for it: messages come in while it is read."""


class PageCounter:
    """Counts the pages of a walk in a ledger."""

    def __init__(self, ledger: Ledger, groups: Sequence[Group], now_ms: int) -> None:
        """`now_ms`: the server's time, milliseconds since 1970."""
        self._ledger = ledger
        self._groups = groups
        self._now_ms = now_ms
        self._latest_ms = now_ms + _AHEAD_MS
        """IDs that are later than this are ahead of the clock."""

    def is_ahead(self, page: JudgedPage) -> bool:
        """Whether some IDs of the page are ahead of the clock, and say nothing of when their messages came."""
        return page.messages[-1].id[0] > self._latest_ms

    def count(self, page: JudgedPage) -> None:
        """Count what is wanted of each message, whatever its state."""
        ledger = self._ledger
        messages = page.messages
        last = messages[-1].id
        ledger.examined += len(messages)
        for group in self._groups:
            if last > group.last_delivered:
                waiting = sum(message.id > group.last_delivered for message in messages)
                ledger.undelivered[group.text] = (ledger.undelivered[group.text] or 0) + waiting
        ledger.not_given.count(page)
        times: list[int | None] = [message.id[0] for message in messages]
        is_ahead = self.is_ahead(page)
        if is_ahead:
            times = [self.enqueued_ms(message) for message in messages]
        self._count_kinds(page, times)
        self._count_times(messages, times, is_ahead=is_ahead)
        # Most pages are finished as a whole, and their messages need not be asked one by one.
        if not UNFINISHED.isdisjoint(page.states):
            self._count_unfinished(page)

    def count_owed(self, page: JudgedPage) -> None:
        """Count what came lately and is written, or has to be. By design others have no row: they are no backlog."""
        for message, state in zip(page.messages, page.states, strict=True):
            if state != WRITTEN and state not in UNFINISHED:
                continue
            enqueued_ms = self.enqueued_ms(message)
            if enqueued_ms is None:
                continue
            if enqueued_ms > self._now_ms - MINUTE_MS:
                self._ledger.owed_last_minute += 1
            if enqueued_ms > self._now_ms - 5 * MINUTE_MS:
                self._ledger.owed_last_five_minutes += 1

    def enqueued_ms(self, message: Message) -> int | None:
        """When it was enqueued, in milliseconds since 1970; None when neither its ID nor a field tells.

        Redis never lets IDs go back: after one that was ahead of the clock, all that follow are ahead as well.
        """
        if message.id[0] <= self._latest_ms:
            return message.id[0]
        text = message.fields.get(b"enqueued_at")
        if not text:
            return None
        enqueued_ms = milliseconds_of(text.decode("utf-8", "replace"))
        if enqueued_ms is None or enqueued_ms > self._latest_ms:
            return None  # the producer's clock was ahead as well
        return enqueued_ms

    def _count_kinds(self, page: JudgedPage, times: list[int | None]) -> None:
        # Many messages are of one kind: all these are counted at once.
        newest = dict(zip(page.kinds, page.messages, strict=True))
        # The messages ascend, so the last time of each kind is the one that stays.
        last = {kind: time for kind, time in zip(page.kinds, times, strict=True) if time is not None}
        for kind, count in Counter(page.kinds).items():
            message = newest[kind]
            last_ms = last.get(kind)
            self._ledger.count_hook(message.fields.get(b"hook_type"), count, last_ms)
            self._count_monitor_events(message, count, last_ms)

    def _count_monitor_events(self, message: Message, count: int, last_ms: int | None) -> None:
        """Count so many messages of the kind of this one, if they are the database monitor's."""
        source = message.value("metadata.source")
        if source not in CURSOR_MONITOR_SOURCES:
            if not source or not _is_of_a_monitor(message, source):
                return
            if len(self._ledger.unknown_sources) < MOST_UNKNOWN_SOURCES:
                self._ledger.unknown_sources.add(hidden(source))
        self._ledger.monitor_events += count
        if last_ms is not None:
            self._ledger.monitor_last_ms = max(last_ms, self._ledger.monitor_last_ms or 0)

    def _count_unfinished(self, page: JudgedPage) -> None:
        ledger = self._ledger
        for message, state in zip(page.messages, page.states, strict=True):
            if state not in UNFINISHED:
                continue
            ledger.unfinished += 1
            if len(ledger.first_unfinished) < SHOWN_IDS:
                ledger.first_unfinished.append(id_text(message.id))
            enqueued_ms = self.enqueued_ms(message)
            if enqueued_ms is None and ledger.oldest_unfinished_ms is None:
                ledger.is_older_unfinished = True
            ledger.oldest_unfinished_ms = _earlier(ledger.oldest_unfinished_ms, enqueued_ms)
            if state == WAITING:
                ledger.oldest_waiting_ms = _earlier(ledger.oldest_waiting_ms, enqueued_ms)

    def _count_times(self, messages: list[Message], times: list[int | None], *, is_ahead: bool) -> None:
        """Count how many came lately, and whose IDs are ahead of the clock."""
        last_ms = messages[-1].id[0]
        if last_ms <= self._now_ms - HOUR_MS:
            return
        known = [moment for moment in times if moment is not None]
        if not is_ahead:
            self._ledger.count_recent(known, self._now_ms)
            return
        self._ledger.count_recent(sorted(known), self._now_ms)
        self._ledger.untimed += len(times) - len(known)
        self._ledger.ids_ahead += sum(message.id[0] > self._latest_ms for message in messages)
        self._ledger.ids_ahead_ms = max(self._ledger.ids_ahead_ms, last_ms - self._now_ms)


def _is_of_a_monitor(message: Message, source: str) -> bool:
    """Whether an unknown source is the database monitor's: Cursor's, and neither hook, session nor recovery."""
    fields = message.fields
    if source in OTHER_CURSOR_SOURCES or fields.get(b"platform") != b"cursor":
        return False
    is_hook = fields.get(b"hook_type", b"").decode("utf-8", "replace") in CURSOR_HOOKS
    return not is_hook and not fields.get(b"event_type", b"").startswith(b"session_")


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one or other
    return min(one, other)

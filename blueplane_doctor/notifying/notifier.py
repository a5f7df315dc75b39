"""The notifier: after each sample it finds what is new for each target, and has it delivered beside the next ones.

It never raises, and never waits for a target.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.model import Report
from blueplane_doctor.notifying.delivery import DELIVERY_SECONDS, deliver
from blueplane_doctor.notifying.heartbeat import Heartbeat
from blueplane_doctor.notifying.incidents import advanced
from blueplane_doctor.notifying.message import Message, Sender, message_of
from blueplane_doctor.notifying.news import News, TargetState, after, news_for, pruned
from blueplane_doctor.notifying.observation import Observation, observed
from blueplane_doctor.notifying.state import MOST_ATTEMPTS, Attempt, State, Turn, read_state, write_state
from blueplane_doctor.notifying.targets import Target, address_hash, targets_of
from blueplane_doctor.process.threads import has_begun
from blueplane_doctor.settings.notification_rules import NotifyRule
from blueplane_doctor.settings.values import Settings

_Deliver = Callable[[NotifyRule, Message], str]
_MINUTE = 60
_LONGEST_PAUSES = 2.5
"""Intervals without a sample after which rows of samples begin anew; where a timer takes them, by the last interval."""
_SHORTEST_PAUSE_SECONDS = 180.0
"""Less is none, on a machine that is only slow."""
_MOST_BACKOFF_SECONDS = 900.0
"""Between two attempts at a target that does not take messages."""


class Notifier:
    """Tells the targets of the settings. Call `sample` with every report; it takes one a minute."""

    def __init__(
        self,
        settings: Settings,
        log: Callable[[str], None],
        *,
        every: float = 0.0,
        page: str = "",
        send: _Deliver = deliver,
    ) -> None:
        """`every`: seconds between two samples; 0: that is not known. `page`: URL of the page, if it is served here."""
        self.settings = settings
        self._log = log
        self._every = every
        self._page = page
        self._send = send
        self._lock = threading.RLock()
        self._state: State | None = None
        self._under_way: dict[str, threading.Thread] = {}
        self._turn = Turn(settings.home)
        self._heartbeat = Heartbeat(log)
        self._complaint = ""

    def follow(self, settings: Settings) -> None:
        """Go by these settings from now on; the home stays."""
        self.settings = settings

    @property
    def is_wanted(self) -> bool:
        """Whether the settings name anybody to tell."""
        return bool(self.settings.notify or self.settings.heartbeat_url)

    def takes_its_turn(self) -> bool:
        """Whether this process tells people now: no other process of this home does."""
        with self._lock:
            return self.is_wanted and self._turn.take()

    def sample(self, report: Report, moment: float) -> None:
        """Take a report of this moment, in seconds since 1970."""
        if not self.is_wanted:
            return
        try:
            with self._lock:
                self._take(report, moment)
        except Exception as error:  # a defect here must not cost a sample
            self._complain(f"people cannot be told: {type(error).__name__}")

    def finish(self, seconds: float = DELIVERY_SECONDS) -> None:
        """Wait so long for what is under way; then give the turn back."""
        for thread in list(self._under_way.values()):
            thread.join(seconds)
        self._heartbeat.finish(seconds)
        self._turn.give_back()

    def _take(self, report: Report, moment: float) -> None:
        if not self._turn.take():
            self._state = None  # another process tells people; its state is read when it has ended
            return
        state = self._state or self._read()
        self._state = state
        if moment // _MINUTE == state.watch.last_sample // _MINUTE:
            return
        observation = observed(report, moment)
        longest_pause = max(_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSES * (self._every or state.watch.interval))
        targets = {}
        told: set[str] = set()
        for target in targets_of(self.settings.notify):
            name = address_hash(target.rule, state.key)
            targets[name] = state.targets.get(name, TargetState())
            told.update(targets[name].told)
        watch = advanced(state.watch, observation, longest_pause, told)
        targets = {name: pruned(known, watch.incidents) for name, known in targets.items()}
        self._keep(state.model_copy(update={"watch": watch, "targets": targets}))
        self._tell(observation)
        if self.settings.heartbeat_url is not None:
            self._heartbeat.beat(self.settings.heartbeat_url.get_secret_value(), observation)

    def _tell(self, observation: Observation) -> None:
        state = self._known()
        now = observation.time
        sender = Sender(self.settings.machine_name, self.settings.page_url or self._page)
        for target in targets_of(self.settings.notify):
            name = address_hash(target.rule, state.key)
            if name in self._under_way and self._under_way[name].is_alive():
                continue
            known = state.targets[name]
            news = news_for(target.rule, known, state.watch.incidents, now)
            is_too_soon = known.failed_at <= now < known.next_try  # not where the clock was set back since
            if not news or is_too_soon:
                continue
            message = message_of(news, observation.status, sender, now)
            order = _Order(name, target, message, news, now, state)
            thread = threading.Thread(target=self._deliver, args=(order,), name="blueplane-notify", daemon=True)
            if has_begun(thread):  # else the next sample tries again
                self._under_way[name] = thread

    def _deliver(self, order: "_Order") -> None:
        reason = self._send(order.target.rule, order.message)
        with self._lock:
            state = self._known()
            known = state.targets.get(order.name, TargetState())
            if reason:
                later = _failed(known, order.at, reason)
                if not known.failures:
                    self._log(f"{order.target.label} could not be told: {reason}; it is tried again")
            else:
                later = after(order.news, known, order.state.watch.incidents, order.at)
                if known.failures:
                    self._log(f"{order.target.label} can be told again")
            attempts = (*state.attempts, _attempt(order, reason))[-MOST_ATTEMPTS:]
            targets = {**state.targets, order.name: later}
            self._keep(state.model_copy(update={"targets": targets, "attempts": attempts}))

    def _known(self) -> State:
        return self._state or State()

    def _read(self) -> State:
        try:
            return read_state(self.settings.home) or State()
        except FileUnreadable as error:
            self._complain(f"what people were told is not known any more: {error.reason}")
            return State()

    def _keep(self, state: State) -> None:
        self._state = state
        try:
            write_state(self.settings.home, state)
        except OSError as error:
            self._complain(f"what people were told cannot be kept, and may be repeated: {error.strerror}")

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._log(complaint)
        self._complaint = complaint


class _Order(NamedTuple):
    """A message on its way."""

    name: str
    target: Target
    message: Message
    news: list[News]
    at: float
    state: State
    """As it was when the message was written."""


def _failed(known: TargetState, now: float, reason: str) -> TargetState:
    failures = known.failures + 1
    # The exponent has a bound: 2.0 to the power of 1,024 raises OverflowError.
    pause = min(_MOST_BACKOFF_SECONDS, _MINUTE * 2.0 ** min(failures - 1, 10))
    # Less half a minute: the sample that is due then may come a little early.
    return known.model_copy(
        update={"failures": failures, "next_try": now + pause - _MINUTE / 2, "failed_at": now, "reason": reason}
    )


def _attempt(order: _Order, reason: str) -> Attempt:
    return Attempt(
        at=order.at,
        target=order.target.label,
        kinds=order.message.kinds,
        status=order.message.status,
        causes=order.message.causes,
        title=order.message.title,
        reason=reason,
    )

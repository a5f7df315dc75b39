"""Replays samples, one a minute by an injected clock, and keeps what a target is told."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from blueplane_doctor.model import Status
from blueplane_doctor.notifying.incidents import Watch, advanced
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.message import Message, Sender, message_of
from blueplane_doctor.notifying.news import TargetState, after, news_for, pruned
from blueplane_doctor.notifying.observation import Observation, Problem
from blueplane_doctor.settings.notification_rules import NotifyRule

START = 1_700_000_000.0 // 86_400 * 86_400 + 12 * 3600
"""Noon, UTC, of a day."""
MINUTE = 60.0
DAY = 86_400.0
PAUSE = 180.0
ALL_CHECKS = frozenset({"stuck-consumers", "server-alive", "queue-depth", "chain-breaks", "lost-before-delivery"})


def problem(
    name: str = "poison-message",
    status: Status = Status.RED,
    *signs: str,
    is_loss: bool = False,
    sentence: str = "40 messages are stuck. Nothing is lost yet.",
) -> Problem:
    """One problem, shown by `stuck-consumers` unless told otherwise."""
    return Problem(name, status, is_loss, sentence, "blueplane-doctor trace 1-0", signs or ("stuck-consumers",))


def observation(*problems: Problem, time: float = START, losses: int | None = 0) -> Observation:
    """A sample in which everything was judged."""
    worst = max((one.status for one in problems), key=lambda status: status.severity, default=Status.GREEN)
    signs = {sign for one in problems for sign in one.signs}
    return Observation(
        time=time,
        status=worst,
        problems={one.id: one for one in problems},
        judged=ALL_CHECKS | signs,
        present=ALL_CHECKS | signs,
        waived=frozenset(),
        losses=losses,
    )


GREEN = observation()
UNKNOWN = replace(
    GREEN,
    status=Status.UNKNOWN,
    judged=frozenset(),
    unjudged=("queue-depth",),
    losses=None,
)


class Replay:
    """A pipeline that is sampled, and one target."""

    def __init__(self, rule: Mapping[str, object] | None = None) -> None:
        self.rule = NotifyRule.model_validate({"url": "json://127.0.0.1/", **(rule or {})})
        self.watch = Watch()
        self.target = TargetState()
        self.now = START
        self.told: list[tuple[float, Message]] = []
        self.reachable = True

    def samples(self, sample: Observation, count: int) -> None:
        """So many samples like this one, a minute apart."""
        for _ in range(count):
            self.now += MINUTE
            seen = replace(sample, time=self.now)
            self.watch = advanced(self.watch, seen, PAUSE, self.target.told)
            self.target = pruned(self.target, self.watch.incidents)
            news = news_for(self.rule, self.target, self.watch.incidents, self.now)
            if news and self.reachable:
                self.told.append((self.now, message_of(news, seen.status, Sender(), self.now)))
                self.target = after(news, self.target, self.watch.incidents, self.now)

    def sleep(self, seconds: float) -> None:
        """No samples for a while."""
        self.now += seconds

    def restart(self) -> None:
        """All that is remembered goes through a file."""
        self.watch = Watch.model_validate_json(self.watch.model_dump_json())
        self.target = TargetState.model_validate_json(self.target.model_dump_json())

    @property
    def kinds(self) -> list[Kind]:
        """Of all messages, in order."""
        return kinds_of(message for _, message in self.told)

    @property
    def titles(self) -> list[str]:
        return [message.title for _, message in self.told]


def kinds_of(messages: Iterable[Message]) -> list[Kind]:
    found: list[Kind] = []
    for message in messages:
        found += message.kinds
    return found

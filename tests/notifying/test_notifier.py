"""The notifier: one message for one cause, beside the samples, over restarts and with targets that fail."""

import datetime
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import freezegun
import pytest

import blueplane_doctor.notifying
from blueplane_doctor.judging.sampler import WRITTEN, record_every
from blueplane_doctor.model import Report, Status
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.message import Message
from blueplane_doctor.notifying.notifier import Notifier
from blueplane_doctor.notifying.state import Turn, read_state
from blueplane_doctor.notifying.state_file import STATE_FILE
from blueplane_doctor.settings.notification_rules import NotifyRule
from blueplane_doctor.settings.values import Settings
from tests.notifying.receivers import web
from tests.notifying.replay import START
from tests.notifying.test_observation import POISON, STUCK, finding, report

SECRET = "s3cret-t0ken"
RED = report(STUCK, causes=(POISON,))
GREEN = report(finding("stuck-consumers", Status.GREEN), status=Status.GREEN)


class Recipient:
    """Takes messages, or fails as it is told."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.reasons: dict[str, str] = {}
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, rule: NotifyRule, message: Message) -> str:
        self.may_answer.wait(60)
        reason = self.reasons.get(rule.kind, "")
        if not reason:
            self.messages.append((rule.kind, message))
        return reason

    @property
    def kinds(self) -> list[Kind]:
        found: list[Kind] = []
        for _, message in self.messages:
            found += message.kinds
        return found


class Run:
    """A notifier with its clock."""

    def __init__(self, home: Path, *, rules: Any = (f"ntfy://{SECRET}@h/t",), **settings: Any) -> None:
        self.home = home
        self.settings = Settings.model_validate({"home": home, "notify": list(rules), **settings})
        self.recipient = Recipient()
        self.log: list[str] = []
        self.now = START
        self.start()

    def start(self) -> None:
        """As after a restart."""
        self.notifier = Notifier(self.settings, self.log.append, every=60.0, send=self.recipient)

    def samples(self, what: Report, count: int) -> None:
        for _ in range(count):
            self.now += 60
            self.notifier.sample(what, self.now)
            self.settle()

    def settle(self) -> None:
        """Wait for what is under way."""
        for thread in list(self.notifier._under_way.values()):
            thread.join(60)

    def restart(self) -> None:
        self.notifier.finish()
        self.start()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs = []

    def run(**more: Any) -> Run:
        runs.append(Run(tmp_path, **more))
        return runs[-1]

    yield run
    for each in runs:
        each.recipient.may_answer.set()
        each.notifier.finish()


def test_one_message_for_one_cause_and_one_when_it_is_over(make: Callable[..., Run]) -> None:
    run = make()
    run.samples(GREEN, 3)
    run.samples(RED, 10)
    run.samples(GREEN, 10)
    assert run.recipient.kinds == [Kind.OPENED, Kind.OVER]
    assert run.log == []


def test_a_restart_in_the_middle(make: Callable[..., Run]) -> None:
    run = make()
    run.samples(GREEN, 3)
    for what in (RED, RED, RED, RED, GREEN, GREEN, GREEN, GREEN):
        run.samples(what, 1)
        run.restart()
    assert run.recipient.kinds == [Kind.OPENED, Kind.OVER]


def test_one_sample_a_minute_is_enough(make: Callable[..., Run]) -> None:
    run = make()
    for _ in range(100):
        run.notifier.sample(RED, START)
    run.settle()
    assert run.recipient.messages == []


def test_nobody_is_told_where_nobody_is_named(make: Callable[..., Run], tmp_path: Path) -> None:
    run = make(rules=())
    run.samples(RED, 5)
    assert not run.notifier.is_wanted
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_hangs_delays_no_sample_and_no_other_target(make: Callable[..., Run]) -> None:
    run = make(rules=("ntfy://a/b", "json://c/d"))
    hangs = threading.Event()
    answered = run.recipient

    def send(rule: NotifyRule, message: Message) -> str:
        if rule.kind == "ntfy":
            hangs.wait(60)
        return answered(rule, message)

    run.notifier._send = send
    for _ in range(10):
        run.now += 60
        run.notifier.sample(RED, run.now)
    while not answered.messages:
        time.sleep(0.01)
    assert [kind for kind, _ in answered.messages] == ["json"]
    hangs.set()
    run.settle()
    assert sorted(kind for kind, _ in answered.messages) == ["json", "ntfy"]


def test_a_target_that_fails_is_logged_once_and_tried_again(make: Callable[..., Run]) -> None:
    run = make()
    run.recipient.reasons["ntfy"] = "the service answered 500"
    run.samples(RED, 60)
    assert run.log == ["ntfy 1 could not be told: the service answered 500; it is tried again"]
    state = read_state(run.home)
    assert state is not None
    assert 5 <= len(state.attempts) <= 12, "again after 1, 2, 4, 8 and then each 15 minutes"
    assert not any(attempt.is_delivered for attempt in state.attempts)
    run.recipient.reasons.clear()
    run.samples(RED, 20)
    assert run.recipient.kinds == [Kind.OPENED]
    assert run.log[1:] == ["ntfy 1 can be told again"]
    state = read_state(run.home)
    assert state is not None
    assert state.attempts[-1].is_delivered


def test_each_target_has_its_own_rule(make: Callable[..., Run]) -> None:
    run = make(rules=({"url": "ntfy://a/b", "from": "red"}, {"url": "json://c/d", "from": "orange"}))
    orange = STUCK.model_copy(update={"status": Status.ORANGE})
    cause = POISON.model_copy(update={"status": Status.ORANGE})
    run.samples(report(orange, causes=(cause,), status=Status.ORANGE), 5)
    assert [kind for kind, _ in run.recipient.messages] == ["json"]


def test_one_of_two_processes_tells(make: Callable[..., Run]) -> None:
    first = make()
    second = make()
    for _ in range(5):
        first.samples(RED, 1)
        second.samples(RED, 1)
    assert first.recipient.kinds == [Kind.OPENED]
    assert second.recipient.kinds == []
    first.notifier.finish()
    second.samples(GREEN, 3)
    assert second.recipient.kinds == [Kind.OVER]


def test_no_secret_lies_in_the_state(make: Callable[..., Run]) -> None:
    run = make(heartbeat_url=f"http://127.0.0.1:9/{SECRET}")
    run.samples(RED, 3)
    run.notifier.finish()
    for path in run.home.iterdir():
        assert SECRET not in path.read_text()
    assert SECRET not in "".join(run.log)


def test_a_broken_state_is_said_and_begun_anew(make: Callable[..., Run]) -> None:
    run = make()
    (run.home / STATE_FILE).write_text("{")
    run.samples(RED, 5)
    assert run.log == ["what people were told is not known any more: it holds something else"]
    assert run.recipient.kinds == [Kind.OPENED]


def test_a_home_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    run = Run(tmp_path / "gone")
    run.samples(RED, 5)
    run.samples(GREEN, 5)
    assert run.recipient.kinds == [Kind.OPENED, Kind.OVER]
    assert len(run.log) == 1
    assert "cannot be kept" in run.log[0]


def test_a_defect_costs_no_sample(make: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    run = make()
    monkeypatch.setattr("blueplane_doctor.notifying.notifier.advanced", broken)
    run.samples(RED, 3)
    assert run.log == ["people cannot be told: RuntimeError"]


def test_after_a_loss_of_its_turn_the_other_state_counts(make: Callable[..., Run]) -> None:
    run = make()
    other = Turn(run.home)
    assert other.take()
    run.samples(RED, 5)
    assert run.recipient.messages == []
    other.give_back()
    run.samples(RED, 2)
    assert run.recipient.kinds == [Kind.OPENED]


def test_the_heartbeat_is_asked_after_each_sample(make: Callable[..., Run]) -> None:
    with web() as server:
        run = make(rules=(), heartbeat_url=f"http://{server.place}/ping")
        for what in (GREEN, RED, GREEN):
            run.samples(what, 1)
            run.notifier._heartbeat.finish(20)
    assert [request.path for request in server.requests] == ["/ping", "/ping/fail", "/ping"]


def test_the_page_is_named(make: Callable[..., Run]) -> None:
    run = make(page_url="http://127.0.0.1:8788/", machine_name="work-laptop")
    run.samples(RED, 2)
    ((_, message),) = run.recipient.messages
    assert message.title.endswith(" on work-laptop")
    assert message.body.endswith("\nhttp://127.0.0.1:8788/")


def test_what_decides_reads_no_clock() -> None:
    """So a replay whose samples bring their time proves as much as one under a clock that is set."""
    for module in Path(blueplane_doctor.notifying.__path__[0]).glob("*.py"):
        source = module.read_text()
        for clock in ("import time", "time.time(", ".now(", ".today(", "monotonic"):
            assert clock not in source, f"{module.name}: {clock}"


@pytest.mark.slow
def test_a_recorder_under_a_clock_that_is_set(tmp_path: Path) -> None:
    """A blip, an incident over a restart and eight hours of sleep, then flapping: by the loop of `record` itself."""
    script = [GREEN] * 5 + [RED] + [GREEN] * 5 + [RED] * 20 + [GREEN] * 65 + [RED, RED, GREEN, GREEN, GREEN] * 6
    script += [GREEN] * 40
    run = Run(tmp_path)
    stop = threading.Event()

    class Scripted:
        taken = 0

        def take(self, moment: float) -> str:
            run.notifier.sample(script[self.taken], moment)
            run.settle()
            self.taken += 1
            if self.taken == 15:
                run.restart()
            if self.taken == len(script):
                stop.set()
            return WRITTEN

    sampler = Scripted()
    with freezegun.freeze_time("2026-03-28T21:00:00Z") as frozen:

        def wait(seconds: float) -> bool:
            """Time passes while the recorder waits; once the machine sleeps meanwhile."""
            slept = datetime.timedelta(hours=8 if sampler.taken == 20 else 0)
            frozen.tick(datetime.timedelta(seconds=seconds) + slept)
            return stop.is_set()

        stop.wait = wait  # type: ignore[method-assign,assignment]
        record_every(sampler, 60.0, stop, run.log.append)  # type: ignore[arg-type]
        run.notifier.finish()
    told = [Kind.OPENED, Kind.OVER, Kind.OPENED, Kind.OVER, Kind.OPENED, Kind.OVER, Kind.FLAPPING, Kind.OVER]
    assert run.recipient.kinds == told
    assert run.log == []

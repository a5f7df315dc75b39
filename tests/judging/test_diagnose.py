"""The engine: checks that break, hang or ask for what is not there; monitors that fail; the deadline; the counts."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

import pytest

from blueplane_doctor.checkapi import CheckSpec, spec_of
from blueplane_doctor.errors import SettingsError, SourceUnreachable
from blueplane_doctor.examination import Examination
from blueplane_doctor.judging import diagnose as engine
from blueplane_doctor.judging.diagnose import Doctor, diagnose
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.model import Finding, Remedy, Report, Status
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.plugins.discovery import AvailableChecks
from blueplane_doctor.process.threads import NO_THREADS
from blueplane_doctor.records.base import Record
from blueplane_doctor.settings.values import Settings
from tests.checks.builders import queue
from tests.waiting import PATIENCE_SECONDS, wait_until

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def well(queue: Any) -> Finding:
    """All is well."""
    return Finding(status=Status.GREEN, summary="well")


def named(name: str, function: Callable[..., object] = well) -> CheckSpec:
    """That function as the check of that name."""
    spec = spec_of(function, "mine", None)  # type: ignore[arg-type]  # some return what they must not
    return CheckSpec(spec.function, "mine", None, name, f"Title of {name}", "", spec.needs)


def judged(*checks: CheckSpec, settings: Settings | None = None, problems: list[Finding] | None = None) -> Report:
    """The report of these checks on a healthy queue; every other record is missing for a known cause."""
    evidence = Evidence("2026-03-14T09:26:53.589Z", 12.5, {"queue": queue()})
    evidence.missing = {"database": "the database is locked", "server": "the database is locked"}
    evidence.durations = {"queue": 7.5, "database": 3.0}
    found = AvailableChecks(list(checks), problems or [])
    return Doctor(settings or Settings(), available=found).judge(evidence)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging check waits for, so that none is left behind."""
    event = threading.Event()
    yield event
    event.set()


def test_every_check_has_its_share_of_the_time_that_reading_took() -> None:
    """A record that three checks need was read once: the shares add up to the time of its reading."""
    report = judged(named("a"), named("b"), named("c"))
    assert [finding.duration_ms for finding in report.findings] == [2.5, 2.5, 2.5]


def test_the_report_counts_and_orders_what_was_found() -> None:
    def red(queue: Any) -> Finding:
        return Finding(status=Status.RED, summary="bad", remedy=Remedy(text="Mend it."))

    problem = Finding(status=Status.ERROR, summary="no file", id="check-file:x", area="checks", cause="gone")
    report = judged(named("b"), named("a", red), named("c", red), problems=[problem])
    assert [f.id for f in report.findings] == ["a", "c", "check-file:x", "b"]
    assert {name: count for name, count in report.counts.items() if count} == {"red": 2, "error": 1, "green": 1}
    assert (report.status, report.exit_code, report.duration_ms) == ("red", 1, 12.5)
    assert report.generated_at == "2026-03-14T09:26:53.589Z"
    assert report.metrics["queue"] == queue().model_dump()
    assert report.metrics["chain"] is None
    assert "connections" not in report.metrics


class _Failing(Monitor):
    name: ClassVar[str] = "queue"
    record: ClassVar[type[Record]] = Record
    error: ClassVar[BaseException] = RuntimeError()

    def collect(self) -> Record:
        raise self.error


class _Fine(_Failing):
    name: ClassVar[str] = "chain"

    def collect(self) -> Record:
        return queue()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SourceUnreachable("Redis at h:1 cannot be reached", "start it"), "Redis at h:1 cannot be reached"),
        (ZeroDivisionError("private text"), "the monitor broke: test_diagnose.py line NN: ZeroDivisionError"),
        (SystemExit("private text"), "the monitor broke: test_diagnose.py line NN: SystemExit"),
    ],
    ids=["source-error", "crash", "exit"],
)
def test_a_monitor_that_fails_takes_no_other_along(
    error: BaseException, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Failing, "error", error)
    monkeypatch.setattr(engine, "find_monitors", lambda paths=(): {"queue": _Failing, "chain": _Fine})
    evidence = Doctor(Settings(redis_url=NOBODY_LISTENS)).collect(names=["queue", "chain"])
    assert set(evidence.records) == {"chain"}
    assert re.sub("line [0-9]+", "line NN", evidence.missing["queue"]) == told
    assert "private" not in evidence.missing["queue"]


def test_a_monitor_that_does_not_answer_is_named_when_the_time_is_up(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(_Failing):
        def collect(self) -> Record:
            gate.wait(PATIENCE_SECONDS)
            return queue()

    monkeypatch.setattr(engine, "find_monitors", lambda paths=(): {"queue": Hanging, "chain": _Fine})
    began = monotonic()
    evidence = Doctor(Settings(redis_url=NOBODY_LISTENS, timeout=0.2)).collect(names=["queue", "chain"])
    assert monotonic() - began < 5
    assert set(evidence.records) == {"chain"}
    assert evidence.missing == {"queue": "no answer within the run's 0.2 s"}


@pytest.mark.slow
def test_without_threads_a_record_is_missing_for_that_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the user has as many processes as may be: some records may still be read."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "blueplane-read-redis":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    evidence = Doctor(Settings(redis_url=NOBODY_LISTENS)).collect(names=("connections", "redis"))
    assert evidence.missing == {"redis": NO_THREADS}
    assert "connections" in evidence.records


def test_a_read_that_hangs_is_counted_until_it_ends(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(_Failing):
        def collect(self) -> Record:
            gate.wait(PATIENCE_SECONDS)
            return queue()

    closed: list[str] = []
    monkeypatch.setattr(Examination, "close", lambda self: closed.append(self.settings.redis_url))
    monkeypatch.setattr(engine, "find_monitors", lambda paths=(): {"queue": Hanging, "chain": _Fine})
    own = "redis://127.0.0.1:1/7"  # reads that another test gave up may end meanwhile
    doctor = Doctor(Settings(redis_url=own))
    assert doctor.hanging_reads == {}
    evidence = [doctor.collect(names=["queue", "chain"], timeout=0.1) for _ in range(2)]
    assert doctor.hanging_reads == {"queue": 2}
    assert own not in closed, "the sources of a read that still hangs are in use"
    gate.set()
    wait_until(lambda: doctor.hanging_reads == {}, "still counted")
    wait_until(lambda: closed.count(own) == 2, "not closed")
    assert all("queue" not in read.records for read in evidence), "it was handed over before the read ended"


def test_without_a_record_its_checks_are_left_out_and_it_is_not_needed() -> None:
    def both(queue: Any, history: Any) -> Finding:
        raise AssertionError("never called")

    doctor = Doctor(Settings(), available=AvailableChecks([named("a"), named("b", both)]))
    assert doctor.needs == {"queue", "history"}
    other = doctor.without("history")
    assert (other.needs, [spec.id for spec in other.checks]) == ({"queue"}, ["a"])
    assert [spec.id for spec in doctor.checks] == ["a", "b"]


def test_only_what_the_checks_need_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_monitors", lambda paths=(): {"queue": _Failing, "chain": _Fine})
    evidence = Doctor(Settings(redis_url=NOBODY_LISTENS)).collect(names=["chain", "nonsense"])
    assert set(evidence.records) == {"chain"}
    assert evidence.missing == {}


def test_bad_thresholds_are_said_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Doctor, "collect", lambda *_: pytest.fail("it read something"))
    with pytest.raises(SettingsError, match="queue-depth.yellow: 99999 can never fire|99,999 can never fire"):
        diagnose(Settings(thresholds={"queue-depth": {"yellow": 99_999}}))


def test_a_broken_file_of_checks_is_one_finding_of_the_report(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o755)
    (folder / "check_bad.py").write_text("def check_x(:\n")
    (folder / "check_bad.py").chmod(0o644)
    settings = Settings(redis_url=NOBODY_LISTENS, home=tmp_path, checks=[folder], select=["server-alive"])
    report = diagnose(settings)
    assert {f.id: f.status for f in report.findings} == {"server-alive": "red", "check-file:check_bad.py": "error"}


def test_without_redis_and_database_what_can_be_judged_is_judged(tmp_path: Path) -> None:
    (tmp_path / "server.log").touch()
    report = diagnose(Settings(redis_url=NOBODY_LISTENS, home=tmp_path))
    by_id = {f.id: f for f in report.findings}
    assert by_id["redis-reachable"].status is Status.RED
    assert by_id["database-reachable"].status is Status.RED
    assert by_id["queue-depth"].status is Status.SKIPPED
    assert "127.0.0.1:1" in by_id["queue-depth"].cause
    assert not any("broke" in f.cause for f in report.findings)
    assert report.metrics["queue"] is None


def test_what_hanging_reads_use_is_closed_when_they_have_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nobody asks how many hang: a run that is made once is thrown away."""
    closed = threading.Event()
    go_on = threading.Event()
    monkeypatch.setattr(Examination, "close", lambda self: closed.set() if self.settings.home == tmp_path else None)
    monkeypatch.setattr(Examination, "log", lambda self: go_on.wait(60))
    diagnose(Settings(home=tmp_path, redis_url=NOBODY_LISTENS, timeout=0.3))
    assert not closed.is_set()
    go_on.set()
    assert closed.wait(60)

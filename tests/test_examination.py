"""One examination: every shared reading made at most once, whoever asks, and a failure remembered."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import SourceMissing, SourceProtocolError, SourceUnreachable
from blueplane_doctor.examination import Examination, ServerInfo, once
from blueplane_doctor.settings.values import load
from tests.helpers import settings_for
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def examination(pipeline: Pipeline) -> Iterator[Examination]:
    with closing(Examination(settings_for(pipeline))) as examination:
        yield examination


@pytest.fixture
def nobody(tmp_path: Any) -> Iterator[Examination]:
    """An examination of a pipeline of which nothing is there."""
    settings = load({"home": tmp_path, "redis_url": "redis://127.0.0.1:1/0"}).settings
    with closing(Examination(settings)) as examination:
        yield examination


def test_what_is_read_once_is_not_read_again(examination: Examination, pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3)
    first = examination.stream()
    pipeline.enqueue_cursor(4)
    sent = examination.redis.sent
    assert examination.stream() is first
    assert examination.redis.sent == sent
    assert first.length == 3


def test_two_that_ask_at_the_same_time_share_one_answer(examination: Examination) -> None:
    """The second one waits for the first, which is held back until both have asked."""
    reading = threading.Event()
    both_asked = threading.Event()
    calls: list[object] = []

    class Slow(Examination):
        @once
        def answer(self) -> object:
            calls.append(self)
            reading.set()
            both_asked.wait(PATIENCE_SECONDS)
            return object()

    slow = Slow(examination.settings)
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(slow.answer())) for _ in range(2)]
    with closing(slow):
        threads[0].start()
        assert reading.wait(PATIENCE_SECONDS)
        threads[1].start()
        both_asked.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    assert len(calls) == 1
    assert len(answers) == 2
    assert answers[0] is answers[1]


def test_a_failure_is_remembered(nobody: Examination) -> None:
    with pytest.raises(SourceUnreachable) as first:
        nobody.stream()
    with pytest.raises(SourceUnreachable) as second:
        nobody.stream()
    assert second.value is first.value


def test_a_defect_is_not_remembered_as_an_answer(examination: Examination) -> None:
    calls: list[int] = []

    class Broken(Examination):
        @once
        def answer(self) -> int:
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError
            return 7

    with closing(Broken(examination.settings)) as broken:
        with pytest.raises(ZeroDivisionError):
            broken.answer()
        assert broken.answer() == 7


def test_without_redis_what_was_recorded_is_a_cause_and_no_error(nobody: Examination) -> None:
    recorded = nobody.recorded()
    assert recorded.cause


def test_a_database_without_trace_tables_says_what_it_lacks(examination: Examination, pipeline: Pipeline) -> None:
    pipeline._execute("DROP TABLE cursor_raw_traces")
    pipeline._execute("DROP TABLE claude_raw_traces")
    with pytest.raises(SourceMissing) as caught:
        examination.written()
    assert "cursor_raw_traces" in caught.value.message


def test_the_servers_time_is_its_own(examination: Examination) -> None:
    before = datetime.now(UTC).timestamp() * 1000
    info = examination.server_info()
    assert before - 60_000 < info.now_ms < before + 60_000
    assert before <= info.host_ms <= datetime.now(UTC).timestamp() * 1000
    assert info.fields["redis_version"]


@pytest.mark.parametrize(
    ("fields", "now_ms"),
    [({"server_time_usec": "1795362309821999"}, 1_795_362_309_821), ({}, 42), ({"server_time_usec": ""}, 42)],
    ids=["as it says", "before Redis 7", "empty"],
)
def test_a_server_that_does_not_tell_its_time_has_that_of_the_host(fields: dict[str, str], now_ms: int) -> None:
    assert ServerInfo(fields, host_ms=42.9).now_ms == now_ms


@pytest.mark.parametrize(
    ("fields", "commands", "bytes_"),
    [
        ({"instantaneous_ops_per_sec": "300", "used_memory_dataset": "1024"}, 300.0, 1024),
        ({}, 0.0, None),
        ({"instantaneous_ops_per_sec": "many", "used_memory_dataset": "-1"}, 0.0, None),
    ],
)
def test_numbers_that_the_server_does_not_give(fields: dict[str, str], commands: float, bytes_: int | None) -> None:
    info = ServerInfo(fields, host_ms=0)
    assert (info.commands_per_second, info.dataset_bytes) == (commands, bytes_)


def test_what_does_not_answer_info_as_redis_does_is_named(
    examination: Examination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination.redis, "ask_one", lambda *command: b"hello")
    with pytest.raises(SourceProtocolError, match="does not answer as Redis does"):
        examination.server_info()


def test_the_log_of_a_home_without_one_is_empty(nobody: Examination) -> None:
    assert nobody.log().errors_per_minute is None


def test_closing_twice_does_no_harm(pipeline: Pipeline) -> None:
    examination = Examination(settings_for(pipeline))
    examination.stream()
    examination.close()
    examination.close()

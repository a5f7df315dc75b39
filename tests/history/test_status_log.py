"""What was not green, kept beside either store; and what others write there."""

import redis

from blueplane_doctor.history import status_log
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import RETENTION, Sample
from blueplane_doctor.history.status_log import StatusLog

NOW = 1_795_360_020
KEY = HealthMetricsStorage.prefix + "statuses"
RED = {"report": "red", "cause:server-down": "red"}
GREEN = {"report": "green"}


def log(storage: HealthMetricsStorage) -> StatusLog:
    return StatusLog(storage.connection, storage.prefix)


def test_statuses_are_kept_beside_the_numbers(storage: HealthMetricsStorage, client: redis.Redis) -> None:
    storage.write(Sample(NOW, {"a": 1}, GREEN))
    storage.write(Sample(NOW + 60, {"a": 1}, RED))
    storage.write(Sample(NOW + 120, {"a": 1}))
    assert storage.statuses() == [(NOW, GREEN), (NOW + 60, RED)]
    assert storage.samples(["a"], NOW, NOW + 120)[2].values == {"a": 1}
    assert 0 < client.ttl(KEY) <= RETENTION


def test_what_did_not_change_is_not_written_again(storage: HealthMetricsStorage, client: redis.Redis) -> None:
    for minute in range(5):
        log(storage).write(NOW + 60 * minute, RED)
    assert client.xlen(KEY) == 1


def test_a_clock_that_steps_back_keeps_the_order(storage: HealthMetricsStorage) -> None:
    log(storage).write(NOW, RED)
    log(storage).write(NOW - 3600, GREEN)
    log(storage).write(NOW - 3540, RED)
    assert log(storage).read() == [(NOW, RED), (NOW - 3600, GREEN), (NOW - 3540, RED)]


def test_the_entry_before_the_last_seven_days_stays(storage: HealthMetricsStorage) -> None:
    """It tells what the first one within them changed."""
    log(storage).write(NOW, RED)
    log(storage).write(NOW + 60, GREEN)
    later = NOW + 2 * RETENTION
    log(storage).write(later, RED)
    assert log(storage).read() == [(NOW + 60, GREEN), (later, RED)]


def test_there_are_never_more_than_so_many(storage: HealthMetricsStorage, client: redis.Redis, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(status_log, "MOST_ENTRIES", 10)
    monkeypatch.setattr(status_log, "MOST_NAMES", 3)
    many = {f"check:c{number}": "red" for number in range(9)}
    for minute in range(30):
        log(storage).write(NOW + 60 * minute, {**GREEN, **many} if minute % 2 else GREEN)
    assert client.xlen(KEY) == 10
    assert max(len(statuses) for _, statuses in log(storage).read()) == 3


def test_what_no_recorder_wrote_is_left_out(storage: HealthMetricsStorage, client: redis.Redis) -> None:
    log(storage).write(NOW, RED)
    client.xadd(KEY, {"<script>": "red"})
    client.xadd(KEY, {"check:queue-depth": "alice@example.com"})
    client.xadd(KEY, {f"check:c{number}": "red" for number in range(status_log.MOST_NAMES + 1)})
    reading = log(storage)
    assert reading.read() == [(NOW, RED)]
    assert len(reading.left_out) == 3
    log(storage).write(NOW + 60, GREEN)
    assert log(storage).read()[-1].statuses == GREEN


def test_an_entry_after_the_last_day_of_the_calendar_is_left_out(
    storage: HealthMetricsStorage, client: redis.Redis
) -> None:
    """Nobody could say when it was."""
    log(storage).write(NOW, RED)
    client.xadd(KEY, {"report": "red"}, id=f"{2**64 - 1}-1")
    reading = log(storage)
    assert reading.read() == [(NOW, RED)]
    assert len(reading.left_out) == 1

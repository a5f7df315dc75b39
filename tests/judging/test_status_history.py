"""What `history --status` shows is gathered from the history and from what the notifier remembers."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample, minute_of
from blueplane_doctor.judging.status_history import status_history
from blueplane_doctor.notifying.state import State, write_state
from blueplane_doctor.settings.values import Settings


@pytest.fixture
def storage(valkey: RunningServer) -> Iterator[HealthMetricsStorage]:
    """An empty history."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    with closing(HealthMetricsStorage(valkey.url)) as storage:
        yield storage


def test_changes_and_gaps_and_messages_stand_together(storage: HealthMetricsStorage, tmp_path: Path) -> None:
    now = minute_of(time.time())
    fault = {"report": "red", "cause:server-down": "red"}
    green = {"report": "green"}
    for ago, statuses in ((30, green), (29, fault), (28, fault), (5, fault), (4, green)):
        storage.write(Sample(now - 60 * ago, {"status.report": 0}, statuses))
    told = {"target": "ntfy 1", "kinds": ["opened"], "status": "red", "causes": ["server-down"], "title": "t"}
    attempts = [told | {"at": now - 7200}, told | {"at": now - 1700}]
    write_state(tmp_path, State.model_validate({"attempts": attempts}))
    text, is_recorded = status_history(storage, Settings(home=tmp_path), now - 3600, now, "json")
    shown = json.loads(text)
    causes = []
    for change in shown["changes"]:
        if change["kind"] == "cause":
            causes.append((change["id"], change["before"], change["after"]))
    assert causes == [("server-down", "green", "red"), ("server-down", "red", "green")]
    assert len(shown["gaps"]) == 1
    assert [message["outcome"] for message in shown["told"]] == ["delivered"], "one of them is older than an hour"
    assert is_recorded


def test_without_a_sample_in_this_time_nothing_was_recorded(storage: HealthMetricsStorage, tmp_path: Path) -> None:
    now = minute_of(time.time())
    storage.write(Sample(now - 7200, {"status.report": 0}, {"report": "green"}))
    text, is_recorded = status_history(storage, Settings(home=tmp_path), now - 3600, now, "table")
    assert text == "No status changed in this time.\n"
    assert not is_recorded

"""The history in Redis TimeSeries: what it asks of the server, and what the server's refusals mean."""

from collections.abc import Iterator

import pytest
import redis

from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import SourceUnusable
from blueplane_doctor.history.endpoint import history_endpoint
from blueplane_doctor.history.samples import RETENTION, Sample
from blueplane_doctor.history.timeseries_store import TimeSeriesStore
from blueplane_doctor.sources.redis_source import pairs
from tests.history.conftest import TIMESERIES, run_backend

NOW = 1_795_360_020


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with run_backend(TIMESERIES) as server:
        yield server.url


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(url) as client:
        client.flushall()
        yield client


@pytest.fixture
def store(url: str, client: redis.Redis) -> Iterator[TimeSeriesStore]:
    connection = Connection(history_endpoint(url))
    yield TimeSeriesStore(connection, "it:")
    connection.close()


def test_a_series_is_made_with_its_first_value(store: TimeSeriesStore, client: redis.Redis) -> None:
    store.write(Sample(NOW, {"a": 1.0}))
    store.write(Sample(NOW + 60, {"a": 2.0, "b": 3.0}))
    assert store.metrics() == ["a", "b"]
    assert store.read(["a", "b", "c"], NOW, NOW + 60, 60) == {
        "a": [(NOW, 1), (NOW + 60, 2)],
        "b": [(NOW, None), (NOW + 60, 3)],
        "c": [(NOW, None), (NOW + 60, None)],
    }
    information = pairs(store._connection.ask_one("TS.INFO", "it:ts:a"))
    assert information["retentionTime"] == RETENTION * 1000
    assert information["duplicatePolicy"] == b"last"


def test_every_expiry_has_its_turn(store: TimeSeriesStore, client: redis.Redis) -> None:
    names = [f"m{number:02}" for number in range(30)]
    store.write(Sample(NOW, dict.fromkeys(names, 1.0)))
    for name in names:
        client.expire(f"it:ts:{name}", 60)
    for minute in range(1, 6):  # 30 keys, 7 at once: five turns
        store.write(Sample(NOW + 60 * minute, dict.fromkeys(names, 1.0)))
    assert all(client.ttl(f"it:ts:{name}") > RETENTION - 60 for name in names)


def test_a_value_older_than_what_is_kept_is_left_out(store: TimeSeriesStore) -> None:
    store.write(Sample(NOW, {"a": 1.0}))
    store.write(Sample(NOW - RETENTION - 60, {"a": 2.0}))
    assert store.read(["a"], NOW, NOW, 60) == {"a": [(NOW, 1)]}


def test_a_key_of_another_kind_is_said(store: TimeSeriesStore, client: redis.Redis) -> None:
    client.set("it:ts:a", "text")
    with pytest.raises(SourceUnusable):
        store.write(Sample(NOW, {"a": 1.0}))
    assert client.get("it:ts:a") == b"text"

"""Both stores keep the same contract, on every server."""

import random

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.errors import SettingsError, SourceRefused, SourceUnreachable, SourceUnusable
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import RETENTION, Sample
from blueplane_doctor.judging.sampler import RecorderLock

NOW = 1_795_360_020
"""A whole minute, 20:27 UTC: seven minutes before it the hour is the same, half an hour before it is not."""
MIDNIGHT = 1_795_392_000


def minutes(storage: HealthMetricsStorage, *values: float | None, start: int = NOW, name: str = "a.b") -> None:
    """One sample a minute; None is a minute that nobody recorded."""
    for index, value in enumerate(values):
        if value is not None:
            storage.write(Sample(start + 60 * index, {name: value}))


def test_the_server_decides_which_store(
    storage: HealthMetricsStorage, history_server: tuple[str, RunningServer]
) -> None:
    assert storage.backend == history_server[0]


def test_a_gap_stays_a_gap(storage: HealthMetricsStorage) -> None:
    minutes(storage, 1, None, 0, None, None, 2.5)
    assert storage.read("a.b", NOW, NOW + 360) == [
        (NOW, 1),
        (NOW + 60, None),
        (NOW + 120, 0),
        (NOW + 180, None),
        (NOW + 240, None),
        (NOW + 300, 2.5),
        (NOW + 360, None),
    ]


def test_what_a_sample_does_not_know_is_a_gap_of_that_metric_alone(storage: HealthMetricsStorage) -> None:
    storage.write(Sample(NOW, {"a": 1, "b": 5}))
    storage.write(Sample(NOW + 60, {"b": 5}))
    storage.write(Sample(NOW + 120, {"a": 1, "b": 5}))
    read = storage.read_many(["a", "b"], NOW, NOW + 120)
    assert [value for _, value in read["a"]] == [1, None, 1]
    assert [value for _, value in read["b"]] == [5, 5, 5]


def test_steps_are_aligned_and_compacted(storage: HealthMetricsStorage) -> None:
    start = NOW - NOW % 300
    minutes(storage, 1, 2, 3, 4, 5, None, None, None, None, None, 7, start=start)
    assert storage.read("a.b", start + 10, start + 650, 300) == [(start, 5), (start + 300, None), (start + 600, 7)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("status.queue", 9, id="the worst of verdicts"),
        pytest.param("chain.chain_status", 9, id="the worst of states"),
        pytest.param("queue.entries_added", 2, id="the last of counters"),
        pytest.param("queue.queue_depth", 9, id="the highest of counts"),
        pytest.param("queue.minutes_to_loss", 1, id="the lowest where low is bad"),
        pytest.param("database.write_throughput_events_per_sec", 4, id="the mean of rates"),
    ],
)
def test_minutes_become_one_value(storage: HealthMetricsStorage, name: str, expected: float) -> None:
    start = NOW - NOW % 300
    minutes(storage, 1, 9, 2, start=start, name=name)
    assert storage.read(name, start, start + 299, 300)[0][1] == expected


def test_the_last_of_two_samples_of_a_minute_counts(storage: HealthMetricsStorage) -> None:
    storage.write(Sample(NOW, {"a": 1, "b": 1}))
    storage.write(Sample(NOW + 60, {"a": 2, "b": 2}))
    storage.write(Sample(NOW, {"a": 9}))
    storage.write(Sample(NOW, {"a": 8}))
    read = storage.read_many(["a", "b"], NOW, NOW + 60)
    assert read == {"a": [(NOW, 8), (NOW + 60, 2)], "b": [(NOW, 1), (NOW + 60, 2)]}


def test_a_clock_that_steps_back_loses_nothing(storage: HealthMetricsStorage) -> None:
    minutes(storage, 1, 2, 3, start=NOW)
    minutes(storage, 7, 8, start=NOW - 5400)
    minutes(storage, 4, start=NOW + 180)
    assert [value for _, value in storage.read("a.b", NOW, NOW + 180)] == [1, 2, 3, 4]
    assert storage.read("a.b", NOW - 5400, NOW - 5340) == [(NOW - 5400, 7), (NOW - 5340, 8)]


def test_hours_and_days_leave_no_seam(storage: HealthMetricsStorage) -> None:
    minutes(storage, *range(180), start=MIDNIGHT - 90 * 60)
    read = storage.read("a.b", MIDNIGHT - 90 * 60, MIDNIGHT + 89 * 60)
    assert [value for _, value in read] == list(range(180))
    assert storage.read("a.b", MIDNIGHT - 60, MIDNIGHT, 60) == [(MIDNIGHT - 60, 89), (MIDNIGHT, 90)]


@pytest.mark.parametrize(
    "value",
    [0, -1, 127, -128, 128, 65_535, 65_536, -129, 16_777_217, 1_795_361_145_966, 2**53 - 1, 0.333, -2.75, 1e-9, 1e300],
)
def test_values_come_back(storage: HealthMetricsStorage, value: float) -> None:
    minutes(storage, 5, value, 5, value, value)
    read = [found for _, found in storage.read("a.b", NOW, NOW + 240)]
    assert read == [
        5,
        pytest.approx(value, rel=1e-6),
        5,
        pytest.approx(value, rel=1e-6),
        pytest.approx(value, rel=1e-6),
    ]
    if float(value).is_integer():
        assert read[1] == value


def test_many_random_metrics_come_back(storage: HealthMetricsStorage) -> None:
    chance = random.Random(3)
    names = [f"m{index}" for index in range(40)]
    written: dict[str, list[float | None]] = {name: [] for name in names}
    before = dict.fromkeys(names, 0.0)
    for index in range(150):
        for name in names:
            before[name] = chance.choice((before[name], before[name] + chance.randrange(-300, 90_000), chance.random()))
        now = {name: value for name, value in before.items() if chance.random() < 0.9}
        storage.write(Sample(NOW + 60 * index, now))
        for name in names:
            written[name].append(now.get(name))
    read = storage.read_many(names, NOW, NOW + 149 * 60)
    for name in names:
        assert [value for _, value in read[name]] == [
            None if value is None else pytest.approx(value, rel=1e-6) for value in written[name]
        ], name


def test_metrics_lists_what_was_recorded(storage: HealthMetricsStorage) -> None:
    assert storage.metrics() == []
    storage.write(Sample(NOW, {"b.c": 1, "a": 2, "queue.dlq_sizes.telemetry:dlq": 3}))
    assert storage.metrics() == ["a", "b.c", "queue.dlq_sizes.telemetry:dlq"]


def test_an_unknown_metric_is_all_gaps(storage: HealthMetricsStorage) -> None:
    minutes(storage, 1)
    assert storage.read("nothing", NOW, NOW + 60) == [(NOW, None), (NOW + 60, None)]


def test_samples_hold_what_was_known(storage: HealthMetricsStorage) -> None:
    storage.write(Sample(NOW, {"a": 1, "b": 2}))
    storage.write(Sample(NOW + 120, {"b": 3}))
    assert storage.samples(["a", "b"], NOW, NOW + 180) == [
        Sample(NOW, {"a": 1, "b": 2}),
        Sample(NOW + 120, {"b": 3}),
    ]


def test_a_step_is_whole_minutes(storage: HealthMetricsStorage) -> None:
    with pytest.raises(ValueError, match="whole number of minutes"):
        storage.read("a", NOW, NOW + 60, 90)


def test_every_key_has_the_prefix_and_an_expiry_and_nothing_else_is_touched(
    storage: HealthMetricsStorage, client: redis.Redis
) -> None:
    client.xadd("telemetry:message_queue", {"a": "b"}, id="1-1")
    client.set("mine", "1")
    before = {key: client.dump(key) for key in client.scan_iter()}
    for index in range(30):
        storage.write(Sample(NOW + 60 * index, {f"m{number}": index for number in range(20)}))
    storage.read("m1", NOW, NOW + 600)
    assert {key: client.dump(key) for key in before} == before
    ours = [key for key in client.scan_iter() if key not in before]
    assert ours
    for key in ours:
        assert key.startswith(b"blueplane:health:history:")
        assert 0 < client.ttl(key) <= RETENTION


def test_expiries_are_refreshed_with_every_key(storage: HealthMetricsStorage, client: redis.Redis) -> None:
    storage.write(Sample(NOW, {f"m{number}": 0 for number in range(100)}))
    for key in client.scan_iter():
        client.expire(key, 1000)
    for index in range(1, 16):
        storage.write(Sample(NOW + 60 * index, {f"m{number}": index for number in range(100)}))
    assert all(client.ttl(key) > RETENTION - 60 for key in client.scan_iter())


def test_seven_days_are_kept_and_no_more(storage: HealthMetricsStorage, client: redis.Redis) -> None:
    for index in range(0, 9 * 24 * 60, 10):
        storage.write(Sample(NOW + 60 * index, {"a": index, "b": 1}))
    newest = NOW + (9 * 24 * 60 - 10) * 60
    read = [value for _, value in storage.read("a", newest - RETENTION + 600, newest, 600)]
    assert None not in read
    assert len(read) == 7 * 24 * 6
    if storage.backend == "stream":
        assert client.xlen("blueplane:health:history:samples") < 7 * 24 * 6 + 6 + 200


def test_a_sample_older_than_what_is_kept_is_left_out(storage: HealthMetricsStorage) -> None:
    minutes(storage, 1)
    minutes(storage, 2, start=NOW - RETENTION - 600)
    assert storage.write(Sample(NOW + 60, {"a.b": 1}))
    assert not storage.write(Sample(NOW - RETENTION - 600, {"a.b": 2}, {"report": "red"}))
    assert storage.statuses() == []
    assert storage.samples(["a.b"], NOW - RETENTION - 3600, NOW) == [Sample(NOW, {"a.b": 1})]


def test_two_writers_without_a_lock_do_not_corrupt_the_series(
    storage: HealthMetricsStorage, history_server: tuple[str, RunningServer]
) -> None:
    other = HealthMetricsStorage(history_server[1].url)
    for index in range(20):
        writer = storage if index % 2 else other
        writer.write(Sample(NOW + 60 * index, {"a": index * 7, "b": 1}))
    other.close()
    assert [value for _, value in storage.read("a", NOW, NOW + 19 * 60)] == [index * 7 for index in range(20)]


def test_a_full_server_is_said(storage: HealthMetricsStorage, client: redis.Redis) -> None:
    minutes(storage, 1)
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(SourceUnusable, match="OOM") as refused:
            minutes(storage, 2, start=NOW + 60)
    finally:
        client.config_set("maxmemory", 0)
    assert "--history-url" in refused.value.hint


def test_a_password_is_used_and_never_shown(history_server: tuple[str, RunningServer], client: redis.Redis) -> None:
    url = history_server[1].url
    client.execute_command("ACL", "SETUSER", "keeper", "reset", "on", ">s3cret!", "~blueplane:*", "+@all")
    right = HealthMetricsStorage(url.replace("unix://", "unix://keeper:s3cret%21@"))
    minutes(right, 1)
    assert right.read("a.b", NOW, NOW) == [(NOW, 1)]
    right.close()
    wrong = HealthMetricsStorage(url.replace("unix://", "unix://keeper:secret@"))
    with pytest.raises(SourceRefused) as refused:
        wrong.metrics()
    assert "s3cret" not in refused.value.message
    assert "secret@" not in refused.value.message


def test_urls_with_options_go_through_the_library(
    storage: HealthMetricsStorage, history_server: tuple[str, RunningServer]
) -> None:
    minutes(storage, 1)
    other = HealthMetricsStorage(history_server[1].url + "?socket_timeout=1")
    assert other.read("a.b", NOW, NOW) == [(NOW, 1)]
    other.close()


def test_another_database_of_the_server() -> None:
    with run_server(tcp=True) as server:
        second = HealthMetricsStorage(server.url.removesuffix("/0") + "/2")
        minutes(second, 1)
        second.close()
        with redis.Redis.from_url(server.url) as client:
            assert set(client.info("keyspace")) == {"db2"}


def test_nobody_there_is_said() -> None:
    with pytest.raises(SourceUnreachable, match="which is to hold the history"):
        HealthMetricsStorage("redis://127.0.0.1:1/0").metrics()


def test_a_url_that_is_none_is_said() -> None:
    with pytest.raises(SettingsError, match="history_url"):
        HealthMetricsStorage("http://localhost").metrics()


def test_a_server_that_was_restarted_is_asked_anew() -> None:
    with run_server(tcp=True) as server:
        storage = HealthMetricsStorage(server.url)
        minutes(storage, 1)
        with redis.Redis.from_url(server.url) as client:
            client.client_kill_filter(_type="normal", skipme=True)
        with pytest.raises(SourceUnreachable):
            storage.metrics()
        assert storage.metrics() == ["a.b"]
        storage.close()


RIGHTS = {
    "stream": ("+hgetall +hset +xrange +xdel", "+hgetall +xrange"),
    "timeseries": ("+ts.queryindex +ts.create +ts.madd", "+ts.queryindex +ts.range +xrange"),
}


def test_the_rights_that_the_documentation_lists_suffice(
    history_server: tuple[str, RunningServer], client: redis.Redis
) -> None:
    backend, server = history_server
    writing, reading = RIGHTS[backend]
    common = ("reset", "on", "nopass", "~blueplane:health:*")
    writer_rights = f"+exists +eval +get +set +pexpire +expire +del +xrevrange +xlen +xadd {writing}".split()
    client.execute_command("ACL", "SETUSER", "writer", *common, *writer_rights)
    client.execute_command("ACL", "SETUSER", "reader", *common, "+exists", *reading.split())
    writer = HealthMetricsStorage(server.url.replace("unix://", "unix://writer:x@"))
    lock = RecorderLock(writer.connection, writer.prefix, 60)
    assert lock.hold()
    assert lock.hold()
    minutes(writer, 1, 2)
    writer.write(Sample(NOW, {"a.b": 1}, {"report": "red"}))
    lock.release()
    reader = HealthMetricsStorage(server.url.replace("unix://", "unix://reader:x@"))
    assert (reader.backend, reader.metrics()) == (backend, ["a.b"])
    assert reader.read("a.b", NOW, NOW + 60) == [(NOW, 1), (NOW + 60, 2)]
    assert reader.statuses() == [(NOW, {"report": "red"})]
    with pytest.raises(SourceRefused, match="no permission"):
        minutes(reader, 3, start=NOW + 120)
    writer.close()
    reader.close()

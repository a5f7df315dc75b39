"""What the samples say: on a plain store and in TimeSeries, without a history, without the right to read it."""

import time
from datetime import UTC, datetime

import pytest
import redis

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.history.samples import Sample, minute_of
from blueplane_doctor.judging.sampler import Sampler
from blueplane_doctor.model import Report
from blueplane_doctor.monitoring.history_health import HistoryHealth, judged
from blueplane_doctor.text.times import iso
from tests.helpers import examined, finding, settings_for
from tests.history.conftest import client, history_server  # noqa: F401
from tests.monitoring.support import collected

READ = "queue__groups__processors__entries_read"
UNDELIVERED = "queue__groups__processors__undelivered"


def sample(ago: int, **changes: float) -> Sample:
    """A sample some minutes ago: a backlog of 10 a minute, of which nothing is acknowledged."""
    moment = int(time.time() // 60 - ago) * 60
    age = 100 - ago
    group = "queue.groups.processors."
    values = {
        "queue.entries_added": 1000.0 + 10 * age,
        "queue.queue_depth": 10.0 * age,
        "queue.dlq_size": float(age),
        "database.wal_size_mb": 4.0 + age / 10,
        f"{group}entries_read": 1000.0,
        f"{group}undelivered": 10.0 * age,
        f"{group}pending": 0.0,
        f"{group}last_delivered": 1_795_361_145_966.0,
    }
    return Sample(moment, values | {name.replace("__", "."): value for name, value in changes.items()})


def write(url: str, *samples: Sample) -> None:
    keeping = HealthMetricsStorage(url)
    for one in samples:
        keeping.write(one)
    keeping.close()


def test_an_hour_of_samples_in_both_stores(
    pipeline: Pipeline,
    history_server: tuple[str, RunningServer],  # noqa: F811
    client: redis.Redis,  # noqa: F811
) -> None:
    url = history_server[1].url
    write(url, *(sample(ago) for ago in range(20, 0, -1)))
    record = collected(HistoryHealth, pipeline, history_url=url)
    assert (record.samples, record.cause) == (20, "")
    (group,) = record.groups
    assert (group.group, group.state, group.backlog) == ("processors", "stopped", 990)
    assert [(losses.group, losses.lost) for losses in record.losses] == [("processors", 0)]
    assert record.dead_letters_last_hour == 19
    assert record.wal_growth_mb_last_hour == pytest.approx(1.9)
    assert record.backlog_per_minute == pytest.approx(10)
    assert record.minutes_to_loss == pytest.approx(901)
    assert record.newest_sample_age_ms is not None and 60_000 <= record.newest_sample_age_ms < 180_000
    courses = {one.metric: one for one in record.series}
    assert list(courses) == ["queue.queue_depth", "queue.dlq_size"]
    assert (courses["queue.queue_depth"].label, courses["queue.queue_depth"].unit) == ("Queue depth", "messages")
    points = courses["queue.queue_depth"].points
    assert len(points) in (96, 97)
    assert points[0][1] is None and points[0][0].endswith("Z")
    assert any(value is not None for _, value in points[-3:])


def test_without_a_history_one_round_trip_says_so(pipeline: Pipeline, any_server: RunningServer) -> None:
    with redis.Redis.from_url(any_server.url) as asked:
        asked.flushall()
        before = asked.info("stats")
        record = collected(HistoryHealth, pipeline, history_url=any_server.url)
        after = asked.info("stats")
        assert asked.dbsize() == 0
    assert (record.samples, record.groups, record.series) == (0, [], [])
    assert record.cause.startswith("there is no history in Redis at ")
    connections, sent = (after[n] - before[n] for n in ("total_connections_received", "total_commands_processed"))
    assert connections == 1
    assert sent - 1 <= 2, "EXISTS, and TS.QUERYINDEX where it is known, beside the INFO that asks"


def test_nobody_there_is_a_cause(pipeline: Pipeline) -> None:
    record = collected(HistoryHealth, pipeline, history_url="redis://127.0.0.1:1/0")
    assert record.samples == 0
    assert "cannot be reached" in record.cause


RIGHTS = (
    *("reset", "on", ">pw", "%R~telemetry:*", "+ping", "+info", "+xlen", "+xpending", "+xrange", "+xrevrange"),
    *("+xinfo|stream", "+xinfo|groups", "+xinfo|consumers", "+multi", "+exec"),
)
"""The least-privilege user of the README: it may read the pipeline's streams, and nothing of ours."""
NEEDS_RECORDED = ("write-p95", "write-success", "hook-success")
NEEDS_HISTORY = ("wal-growth", "loss-between-samples")


def test_a_user_without_the_rights_is_told_which(pipeline: Pipeline) -> None:
    write(pipeline.redis_url, *(sample(ago) for ago in range(12, 0, -1)))
    with redis.Redis.from_url(pipeline.redis_url) as admin:
        admin.execute_command("ACL", "SETUSER", "little", *RIGHTS)
        try:
            url = f"unix://little:pw@{pipeline.redis_url.removeprefix('unix://')}"
            before = examined(pipeline, redis_url=url)
            remedies = [granted(before, "write-p95"), granted(before, "wal-growth")]
            admin.execute_command("ACL", "SETUSER", "little", *(right for rights in remedies for right in rights))
            after = examined(pipeline, redis_url=url)
        finally:
            admin.execute_command("ACL", "DELUSER", "little")
    for check in (*NEEDS_RECORDED, *NEEDS_HISTORY):
        found = finding(before, check)
        assert found.status == "unknown", check
        assert "permission" in found.cause, check
        assert "%R~blueplane:health:*" in str(found.remedy), check
    assert finding(before, "time-to-loss").status == "green", "known from one look, without any sample"
    assert finding(after, "backlog-trend").status == "red"
    assert "nothing was recorded" in finding(after, "write-p95").cause


def granted(report: Report, check: str) -> list[str]:
    """The rights that a finding's remedy names, as ACL SETUSER takes them (those of a server without TimeSeries)."""
    remedy = finding(report, check).remedy
    assert remedy is not None
    said = remedy.text.partition("ACL SETUSER <user> ")[2].partition(", with TimeSeries")[0]
    return said.rstrip(".").replace(",", "").split()


def test_samples_of_long_ago_say_nothing_of_now(pipeline: Pipeline) -> None:
    write(pipeline.redis_url, *(sample(ago) for ago in range(40, 30, -1)))
    record = collected(HistoryHealth, pipeline)
    assert (record.samples, record.groups[0].state) == (10, "unknown")
    assert (record.backlog_per_minute, record.minutes_to_loss, record.wal_growth_mb_last_hour) == (None, None, None)


def test_two_samples_are_no_rate() -> None:
    record = judged([sample(2), sample(1)], ["processors"], time.time(), 10_000)
    assert record.samples == 2
    assert (record.backlog_per_minute, record.wal_growth_mb_last_hour, record.dead_letters_last_hour) == (None,) * 3


def test_a_backlog_at_the_limit_is_being_lost() -> None:
    record = judged([sample(ago) for ago in (3, 2, 1)], ["processors"], time.time(), 900)
    assert record.minutes_to_loss == 0


def test_a_log_that_began_anew_grew_from_there() -> None:
    sizes = {4: 900.0, 3: 0.0, 2: 4.0, 1: 6.0}
    samples = [sample(ago, database__wal_size_mb=size) for ago, size in sizes.items()]
    assert judged(samples, [], time.time(), 10_000).wal_growth_mb_last_hour == 6


def test_the_checks_judge_a_whole_run_by_it(pipeline: Pipeline) -> None:
    write(pipeline.redis_url, *(sample(ago) for ago in range(12, 0, -1)))
    report = examined(pipeline)
    assert finding(report, "backlog-trend").status == "red"
    assert finding(report, "time-to-loss").status == "green"
    assert report.metrics["history"]


def test_a_sample_neither_reads_nor_holds_the_history(pipeline: Pipeline) -> None:
    write(pipeline.redis_url, *(sample(ago) for ago in range(12, 0, -1)))
    values = Sampler(settings_for(pipeline)).examine(time.time()).values
    assert not [name for name in values if name.startswith("history.")]
    assert values["status.dead-letters"] == 0
    assert values["status.queue"] >= 0


def test_a_loss_of_the_night_stays_to_be_seen_though_the_recorder_stopped_since(
    pipeline: Pipeline,
    history_server: tuple[str, RunningServer],  # noqa: F811
    client: redis.Redis,  # noqa: F811
) -> None:
    read_on = {READ: 2_000.0, UNDELIVERED: 0.0}
    before = sample(303, **read_on, queue__entries_added=2_000.0)
    lost = sample(302, **read_on | {UNDELIVERED: 500.0}, queue__entries_added=2_900.0)
    told = sample(301, **read_on | {READ: 2_900.0}, queue__entries_added=2_900.0)
    write(history_server[1].url, before, lost, told)
    record = collected(HistoryHealth, pipeline, history_url=history_server[1].url)
    assert (record.samples, record.groups) == (0, [])
    seen = record.seen_loss
    assert (seen.at_least, seen.at_most) == (400, 400)
    assert seen.first == seen.last == iso(datetime.fromtimestamp(lost.time, UTC))


def test_room_that_shrinks_has_an_end_and_its_time() -> None:
    samples = [
        sample(ago, redis__used_memory_mb=90.0 - ago, redis__maxmemory_mb=100.0, disk_space__spool_free_mb=70_000.0)
        for ago in range(20, -1, -1)
    ]
    (name, until), *others = judged(samples, [], samples[-1].time, 10_000).room.items()
    assert (name, others) == ("memory", [])
    assert (until.minutes_left, until.mb_per_minute, until.minutes_seen, until.samples) == (10, 1, 20, 21)
    assert until.full_timestamp == iso(datetime.fromtimestamp(samples[-1].time + 600, UTC))


def test_statuses_of_the_last_day_in_both_stores(
    pipeline: Pipeline,
    history_server: tuple[str, RunningServer],  # noqa: F811
    client: redis.Redis,  # noqa: F811
) -> None:
    url = history_server[1].url
    fault = {"report": "red", "cause:server-down": "red", "check:alice": "red"}
    samples = []
    for ago in range(20, 0, -1):
        statuses = fault if ago <= 8 else {"report": "green"}
        samples.append(Sample(minute_of(time.time() - 60 * ago), {"status.report": 0}, statuses))
    write(url, *samples)
    report = examined(pipeline, history_url=url)
    told = [(change.kind, change.id, change.before, change.after) for change in report.changes]
    assert told[:2] == [("report", "", None, "green"), ("report", "", "green", "red")]
    assert ("cause", "server-down", "green", "red") in told
    assert "alice" not in report.model_dump_json()
    (cause,) = [one for one in report.causes if one.id == "server-down"]
    assert cause.since == iso(datetime.fromtimestamp(samples[12].time, UTC))
    assert cause.since_by.startswith("the history")


def test_statuses_that_cannot_be_read_take_nothing_away(pipeline: Pipeline) -> None:
    write(pipeline.redis_url, *(sample(ago) for ago in range(12, 0, -1)))
    with redis.Redis.from_url(pipeline.redis_url) as admin:
        admin.set("blueplane:health:history:statuses", "no stream")
    record = collected(HistoryHealth, pipeline)
    assert record.samples == 12
    assert (record.changes, record.open_causes) == ([], [])

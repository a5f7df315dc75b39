import pytest

from blueplane_doctor.model import Cause
from blueplane_doctor.monitoring.connections import Reach
from blueplane_doctor.monitoring.server_health import LoggedErrors
from blueplane_doctor.monitoring.stream_presence import StreamPresence
from tests.checks import builders
from tests.checks.builders import causes_of

FIRST = "2026-03-14T09:20:00.000Z"
ROWS_BEFORE = builders.database(last_successful_write_timestamp="2026-03-14T09:10:00.000Z")


def commands_of(one: Cause) -> list[str]:
    return one.next_step.commands if one.next_step else []


def test_a_healthy_pipeline_has_no_cause() -> None:
    assert causes_of() == []


def test_redis_does_not_answer_since_the_first_error_of_the_log() -> None:
    reach = Reach(address="localhost:6379", reachable=False, cause="Redis at localhost:6379: connection refused")
    errors = [LoggedErrors(kind="connection refused", count=9, lately=9, first=FIRST, last=builders.NOW)]
    server = builders.server(errors_per_minute=9.0, errors=errors)
    causes = causes_of(connections=builders.connections(redis=reach), server=server, database=ROWS_BEFORE)
    assert [(one.id, one.since, one.since_bound) for one in causes] == [("redis-unreachable", FIRST, "")]
    assert causes[0].explains[:2] == ["redis-reachable", "server-errors"]


def test_errors_of_an_outage_that_rows_have_followed_tell_nothing_of_this_one() -> None:
    reach = Reach(address="localhost:6379", reachable=False, cause="Redis at localhost:6379: connection refused")
    errors = [LoggedErrors(kind="connection refused", count=9, lately=0, first=FIRST, last=FIRST)]
    causes = causes_of(
        connections=builders.connections(redis=reach),
        server=builders.server(errors=errors),
        database=builders.database(),
    )
    newest_row = builders.database().last_successful_write_timestamp
    assert [(one.since, one.since_bound) for one in causes] == [(newest_row, "at the earliest")]


def test_a_log_that_begins_amid_the_errors_tells_a_bound() -> None:
    reach = Reach(address="localhost:6379", reachable=False, cause="Redis at localhost:6379: connection refused")
    errors = [
        LoggedErrors(kind="connection refused", count=9, lately=9, first=FIRST, last=builders.NOW, may_be_older=True)
    ]
    server = builders.server(errors=errors)
    causes = causes_of(connections=builders.connections(redis=reach), server=server, database=ROWS_BEFORE)
    assert [(one.since, one.since_bound) for one in causes] == [(FIRST, "at the latest")]


def test_redis_refuses_every_write() -> None:
    refuses = builders.redis_writes(taken=False, refusal="OOM", reason="used memory is above maxmemory")
    causes = causes_of(redis_writes=refuses)
    assert [one.id for one in causes] == ["redis-refuses-writes"]
    assert "OOM" in causes[0].summary


def test_redis_refuses_the_server_alone() -> None:
    kind = "Redis permission is missing (NOPERM)"
    for lately in (9, 0):
        errors = [LoggedErrors(kind=kind, count=9, lately=lately, first=FIRST, last=builders.NOW)]
        server = builders.server(errors_per_minute=9.0, errors=errors)
        causes = causes_of(server=server)
        assert [(one.id, one.since) for one in causes] == [("redis-refuses-the-server", FIRST)] * bool(lately)
        assert all(one.next_step and "ACL LIST" in one.next_step.text for one in causes)


def test_the_stream_is_gone_while_the_server_runs() -> None:
    causes = causes_of(presence=builders.no_stream(rows=10, last_row_age_ms=1_000))
    assert [one.id for one in causes] == ["redis-lost-its-data"]
    assert commands_of(causes[0]) == ["blueplane-doctor repair groups"]


ROW = "2026-03-14T09:11:07.000Z"
CUT_LOG = LoggedErrors(kind="NOGROUP", count=4_900, lately=4_900, first=FIRST, last=builders.NOW, may_be_older=True)


@pytest.mark.parametrize(
    "lost",
    [builders.no_stream(rows=10, last_row_age_ms=1_000), builders.presence(missing_groups=["processors"])],
    ids=["the stream", "a group"],
)
def test_the_queue_is_lost_since_the_last_row_where_the_log_is_cut(lost: StreamPresence) -> None:
    flooded = builders.server(errors=[CUT_LOG], errors_per_minute=174_000.0)
    (one,) = causes_of(presence=lost.model_copy(update={"last_row_timestamp": ROW}), server=flooded)
    assert (one.since, one.since_bound) == (ROW, "at the earliest")
    (one,) = causes_of(presence=lost, server=flooded)
    assert (one.since, one.since_bound) == (FIRST, "at the latest"), "without any row the log has to do"


def test_the_queue_is_lost_since_the_first_error_of_a_whole_log() -> None:
    server = builders.server(errors=[CUT_LOG.model_copy(update={"may_be_older": False})], errors_per_minute=9.0)
    lost = builders.no_stream(rows=10, last_row_age_ms=1_000, last_row_timestamp=ROW)
    (one,) = causes_of(presence=lost, server=server)
    assert (one.since, one.since_bound) == (FIRST, "")


def test_a_stream_that_was_made_anew_is_so_since_its_first_message_at_the_latest() -> None:
    server = builders.server(errors=[CUT_LOG], errors_per_minute=9.0)
    anew = builders.presence(rows_without_message=40, first_message_timestamp=ROW)
    (one,) = causes_of(presence=anew, server=server)
    assert (one.since, one.since_bound) == (ROW, "at the latest")


@pytest.mark.parametrize(
    ("started", "since"),
    [("2026-03-14T09:20:00.000Z", "2026-03-14T09:20:00.000Z"), ("2026-03-14T09:00:00.000Z", ROW)],
    ids=["read from an older copy at the start", "made while Redis ran"],
)
def test_an_older_copy_of_the_stream_is_there_since_the_start_that_read_it(started: str, since: str) -> None:
    """Its first message may be of long before."""
    anew = builders.presence(rows_without_message=40, first_message_timestamp=ROW, redis_started_timestamp=started)
    (one,) = causes_of(presence=anew)
    assert (one.since, one.since_bound) == (since, "at the latest")


HELD = {"written_not_acknowledged": 20, "to_acknowledge": ["1773479400000-0"], "most_deliveries": 40, "pending": 20}
"""A storm of messages of 09:10."""
APART = ("acknowledgements-lost", "retry-storm")


@pytest.mark.parametrize(
    ("started", "held", "causes"),
    [
        pytest.param("09:12:00", {}, ["redis-lost-its-data"], id="pending in the copy"),
        pytest.param("09:05:00", {}, ["retry-storm", "redis-lost-its-data"], id="came after the start"),
        pytest.param("09:12:00", {"stuck": 1}, [*APART, "redis-lost-its-data"], id="one is not written"),
    ],
)
def test_a_storm_of_what_an_older_copy_held_comes_of_the_copy(
    started: str, held: dict[str, object], causes: list[str]
) -> None:
    anew = builders.presence(rows_without_message=40, redis_started_timestamp=f"2026-03-14T{started}.000Z")
    found = causes_of(presence=anew, queue=builders.one_writer(**{**HELD, **held}))
    assert [one.id for one in found] == causes
    if len(causes) == 1:
        assert found[0].leads_to == [*APART]
        assert any(command.endswith("repair acknowledged") for command in commands_of(found[0]))
        assert "20 messages" in found[0].summary


@pytest.mark.parametrize("more", [{"wrong_type": True}, {"other_databases": [1]}], ids=["another value", "elsewhere"])
def test_no_stream_is_made_where_one_stands_elsewhere_or_another_value_here(more: dict[str, object]) -> None:
    causes = causes_of(presence=builders.no_stream(rows=10, last_row_age_ms=1_000, **more))
    assert [one.id for one in causes] == ["redis-lost-its-data"]
    assert not [command for command in commands_of(causes[0]) if "repair" in command]


def test_a_stream_that_was_made_anew_has_its_groups() -> None:
    causes = causes_of(presence=builders.presence(rows_without_message=40))
    lost = [one for one in causes if one.id == "redis-lost-its-data"]
    assert lost and "repair groups" not in " ".join(commands_of(lost[0]))


def test_redis_may_evict_the_queue() -> None:
    redis = builders.redis(may_evict_queue=True, maxmemory_mb=100.0, maxmemory_policy="allkeys-lru")
    causes = causes_of(redis=redis, queue=builders.queue(queue_depth=12))
    assert [(one.id, one.at_stake.at_risk) for one in causes] == [("redis-may-lose-the-queue", 12)]


def test_connections_that_are_used_up() -> None:
    redis = builders.redis(open_connections=49, maxclients=50)
    assert [one.id for one in causes_of(redis=redis)] == ["redis-connections-used-up"]

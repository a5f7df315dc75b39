from blueplane_doctor.monitoring.connections import Reach
from blueplane_doctor.monitoring.server_uses import Used
from tests.checks import builders
from tests.checks.builders import causes_of

OLDEST = "1773479901310-0"
ROWS_BEFORE = builders.database(last_successful_write_timestamp="2026-03-14T09:10:00.000Z")


def test_the_server_does_not_run_and_messages_wait() -> None:
    server = builders.server(pid_state="not running", http_ok=False, http_answer="nobody listens")
    queue = builders.queue(
        queue_depth=12_000, waiting_messages=12_000, consumer_lag_ms=400_000, first_unfinished_ids=[OLDEST]
    )
    causes = causes_of(server=server, queue=queue, database=ROWS_BEFORE)
    assert [one.id for one in causes] == ["server-down"]
    assert (causes[0].since, causes[0].since_bound) == ("2026-03-14T09:18:21.310Z", "at the latest")
    assert causes[0].at_stake.at_risk == 12_000
    assert {"server-alive", "queue-depth", "consumer-lag", "queue-headroom"} <= set(causes[0].explains)
    assert causes[0].leads_to == ["backlog-outgrew-stream"]


def test_a_port_that_another_program_holds_is_named() -> None:
    server = builders.server(pid_state="not running", http_ok=False, http_answer="no answer in 1 s on port 8787")
    (one,) = causes_of(server=server)
    assert one.id == "server-down"
    assert "another program holds its port (no answer in 1 s on port 8787)" in one.summary
    assert one.next_step is not None and one.next_step.text.startswith("End the program that holds the port")


def test_the_server_is_down_since_it_said_so_else_a_bound_is_told() -> None:
    down = {"pid_state": "not running", "http_ok": False, "http_answer": "nobody listens"}
    stopped = builders.server(**down, stopped_timestamp="2026-03-14T09:11:00.000Z")
    (one,) = causes_of(server=stopped, database=ROWS_BEFORE)
    assert (one.since, one.since_by, one.since_bound) == ("2026-03-14T09:11:00.000Z", "the server's log", "")
    killed = builders.server(**down, last_logged_timestamp="2026-03-14T09:12:00.000Z")
    (one,) = causes_of(server=killed, database=ROWS_BEFORE)
    assert (one.since, one.since_bound) == ("2026-03-14T09:12:00.000Z", "at the earliest")
    # What waited before its last line did not wait because of its end.
    queue = builders.queue(queue_depth=1, waiting_messages=1, oldest_waiting_age_ms=3_600_000)
    (one,) = [each for each in causes_of(server=killed, queue=queue, database=ROWS_BEFORE) if each.id == "server-down"]
    assert (one.since, one.since_bound) == ("2026-03-14T09:12:00.000Z", "at the earliest")


def test_a_server_that_was_killed_is_not_down_since_a_message_that_may_be_trimmed() -> None:
    killed = {"pid_state": "not running", "http_ok": False, "http_answer": "nobody listens"}
    logged = builders.server(**killed, last_logged_timestamp="2026-03-14T09:12:00.000Z")
    times = []
    for age_ms in (120_000, 60_000):  # the older one of these is trimmed in between
        queue = builders.queue(queue_depth=9, waiting_messages=9, oldest_waiting_age_ms=age_ms)
        causes = causes_of(server=logged, queue=queue, database=ROWS_BEFORE)
        times += [(one.since, one.since_bound) for one in causes if one.id == "server-down"]
    assert times == [("2026-03-14T09:12:00.000Z", "at the earliest")] * 2
    queue = builders.queue(queue_depth=9, waiting_messages=9, oldest_waiting_age_ms=120_000)
    no_rows = builders.database(last_successful_write_timestamp=None)
    causes = causes_of(server=builders.server(**killed), queue=queue, database=no_rows)
    (down,) = [one for one in causes if one.id == "server-down"]
    assert (down.since, down.since_bound) == ("2026-03-14T09:24:53.589Z", "at the latest"), "where nothing else tells"


def test_a_process_that_does_not_answer_hangs_only_perhaps_while_nothing_waits() -> None:
    server = builders.server(http_ok=False, http_answer="no answer within 1 s")
    causes = causes_of(server=server)
    assert [(one.id, one.certain) for one in causes] == [("server-hangs", False)]


def test_the_server_uses_another_redis() -> None:
    causes = causes_of(server_uses=builders.another_redis(6390))
    assert [(one.id, one.certain) for one in causes] == [("another-redis", True)]
    assert "Redis 127.0.0.1:6390" in causes[0].summary and "localhost:6379 is examined" in causes[0].summary


def test_that_a_configuration_names_another_redis_is_likely_alone() -> None:
    causes = causes_of(server_uses=builders.another_redis(6390, is_proof=False))
    assert [(one.id, one.certain) for one in causes] == [("another-redis", False)]


def test_a_redis_that_the_server_does_not_use_may_be_empty_or_away() -> None:
    lost = builders.no_stream(rows=4_000, last_row_age_ms=1_000)
    causes = causes_of(server_uses=builders.another_redis(6390), presence=lost)
    assert [(one.id, one.leads_to) for one in causes] == [("another-redis", ["redis-lost-its-data"])]
    away = Reach(address="localhost:6379", reachable=False, cause="Redis at localhost:6379 cannot be reached")
    causes = causes_of(server_uses=builders.another_redis(6390), connections=builders.connections(redis=away))
    assert [(one.id, one.leads_to) for one in causes] == [("another-redis", ["redis-unreachable"])]


def test_settings_that_cannot_be_used_are_a_cause_beside_the_others() -> None:
    broken = builders.server_uses(unused_config="config.yaml: streams.max_length: it is no number")
    away = Reach(address="localhost:6379", reachable=False, cause="Redis at localhost:6379 cannot be reached")
    causes = causes_of(server_uses=broken, connections=builders.connections(redis=away))
    assert [one.id for one in causes] == ["redis-unreachable", "settings-broken"]
    assert "config.yaml: streams.max_length" in causes[1].summary


def test_a_port_that_broken_settings_may_name_is_under_their_cause() -> None:
    broken = builders.server_uses(unused_config="config.yaml: line 2: not valid YAML", is_port_known=False)
    (one,) = causes_of(server_uses=broken, server=builders.server(http_ok=False, http_answer="nobody listens"))
    assert (one.id, one.explains) == ("settings-broken", ["server-settings", "server-alive"])


def test_the_server_writes_to_another_database() -> None:
    other = Used(compared="another", name="<hidden-5f0c6a52>", shown_by="its process", is_proof=True)
    chain = builders.chain({"lost": 40}, chain_break_count=40, breaks=[builders.chain_break()])
    causes = causes_of(server_uses=builders.server_uses(database=other), chain=chain)
    assert [(one.id, one.certain) for one in causes] == [("another-database", True)]
    assert causes[0].explains == ["chain-breaks", "same-pipeline"]


def test_the_only_server_is_no_second_one_where_it_writes_to_another_database() -> None:
    other = Used(compared="another", name="<hidden-5f0c6a52>", shown_by="its process", is_proof=True)
    uses = builders.server_uses(database=other)
    readers = [builders.consumer("consumer-5205", shares_group=True), builders.consumer(shares_group=True)]
    causes = causes_of(
        server_uses=uses,
        queue=builders.one_writer(consumers=readers),
        chain=builders.chain({"untraceable": 50}, written_elsewhere=50),
    )
    assert [one.id for one in causes] == ["another-database"]
    assert set(causes[0].explains) == {"chain-breaks", "same-pipeline", "second-server"}


def test_events_in_the_buffer() -> None:
    causes = causes_of(server=builders.server(buffered_events=120))
    assert [(one.id, one.at_stake.at_risk) for one in causes] == [("buffer-undrained", 120)]


def test_a_second_server_that_writes_elsewhere() -> None:
    readers = [builders.consumer(shares_group=True), builders.consumer("consumer-5205", shares_group=True)]
    chain = builders.chain({"untraceable": 118}, written_elsewhere=118)
    causes = causes_of(queue=builders.one_writer(consumers=readers), chain=chain)
    assert [(one.id, one.at_stake.at_risk) for one in causes] == [("second-server", 118)]
    assert set(causes[0].explains) == {"second-server", "chain-breaks"}


def test_a_second_server_that_ended_is_told_in_the_past_tense() -> None:
    ended = builders.consumer("consumer-5205", shares_group=True, idle_ms=120_000, reads_no_more=True)
    readers = [builders.consumer(shares_group=True), ended]
    chain = builders.chain({"untraceable": 118}, written_elsewhere=118)
    server = builders.server(pid=4711)
    (one,) = causes_of(queue=builders.one_writer(consumers=readers), chain=chain, server=server)
    assert (one.status, one.certain) == ("yellow", True)
    assert one.title == "A second server took part of the messages, and wrote them elsewhere"


def test_a_consumer_of_which_nothing_but_its_name_is_known_is_likely_a_server_alone() -> None:
    readers = [
        builders.consumer(shares_group=True, is_perhaps_a_server=True),
        builders.consumer("consumer-5205", shares_group=True, is_perhaps_a_server=True),
    ]
    (one,) = causes_of(queue=builders.one_writer(consumers=readers))
    assert (one.id, one.certain) == ("second-server", False)


def test_a_server_that_hangs_with_a_message_in_its_hands_is_no_locked_database() -> None:
    server = builders.server(http_ok=False, http_answer="no answer within 1 s")
    held = builders.one_writer(pending=1, stuck=1, longest_unacknowledged_ms=35_000, most_deliveries=1, waiting=179)
    queue = held.model_copy(update={"queue_depth": 180, "waiting_messages": 179})
    assert [one.id for one in causes_of(server=server, queue=queue)] == ["server-hangs"]

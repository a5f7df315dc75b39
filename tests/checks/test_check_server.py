"""The checks of the pipeline's server: every edge of their scales."""

import pytest
from blueplane_doctor.checks.check_server import _with

from blueplane_doctor.monitoring.server_uses import ServerUses, Used
from tests.checks.builders import another_redis, cases, run, server, server_uses

IN_A_CONTAINER = ", perhaps because the server runs in a container; HTTP: ok on port 8787"


@pytest.mark.parametrize(
    ("sentence", "pid_state", "http_ok", "status"),
    cases(
        [
            ("both", "the process runs and HTTP answers", "running", True, "green"),
            ("pid-only", "a process that does not answer", "running", False, "orange"),
            ("http-only", "an answer whose process is not the one of the file", "not running", True, "green"),
            ("http-only-stranger", "the pid was given to another program", "another program", True, "green"),
            ("http-only-no-file", "an answer, and no pid file", "no pid file", True, "green"),
            ("neither", "nobody there", "not running", False, "red"),
            ("neither-stranger", "another program has the pid", "another program", False, "red"),
            ("no-data", "no pid file and no answer", "no pid file", False, "red"),
            ("unknown-state", "a state that no monitor tells, in evidence from elsewhere", "asleep", False, "red"),
        ]
    ),
)
def test_server_alive(sentence: str, pid_state: str, http_ok: bool, status: str) -> None:
    given = server(pid_state=pid_state, http_ok=http_ok, pid=None if pid_state == "no pid file" else 48_112)
    assert run("server-alive", server=given).status == status, sentence


@pytest.mark.parametrize(
    ("pid", "pid_state", "said"),
    [
        (48_112, "running", "Process 48112 runs; HTTP: ok on port 8787"),
        (
            48_112,
            "not running",
            "Process 48112 is not running" + IN_A_CONTAINER,
        ),
        (
            48_112,
            "another program",
            "Process 48112 is another program by now" + IN_A_CONTAINER,
        ),
        (
            None,
            "no pid file",
            "There is no usable server.pid" + IN_A_CONTAINER,
        ),
    ],
)
def test_server_alive_says_both_signs(pid: int | None, pid_state: str, said: str) -> None:
    assert run("server-alive", server=server(pid=pid, pid_state=pid_state)).summary == said


@pytest.mark.parametrize("http_ok", [True, False])
@pytest.mark.parametrize("pid_state", ["running", "not running"])
def test_a_port_that_is_not_known_is_not_judged(pid_state: str, http_ok: bool) -> None:
    uses = server_uses(unused_config="config.yaml: not valid YAML", is_port_known=False)
    finding = run("server-alive", server=server(pid_state=pid_state, http_ok=http_ok), server_uses=uses)
    assert finding.status == "unknown"
    assert finding.summary.endswith("whether the server answers is not known")
    assert finding.cause == "Blueplane's own settings cannot be used, so that the server's port is not known"


def test_a_server_that_runs_is_not_to_be_started() -> None:
    for pid_state, advice in (("running", "See whether it hangs"), ("not running", "Start the Blueplane server")):
        found = run("server-alive", server=server(pid_state=pid_state, http_ok=False))
        assert found.remedy is not None
        assert found.remedy.text.startswith(advice)


@pytest.mark.parametrize(
    ("sentence", "count", "status"),
    cases(
        [
            ("none", "an empty buffer is green", 0, "green"),
            ("orange-edge", "one event that will not arrive is orange", 1, "orange"),
            ("last-orange", "99 is still orange", 99, "orange"),
            ("red-edge", "100 is the first red", 100, "red"),
            ("no-data", "a buffer that cannot be read is unknown", None, "unknown"),
        ]
    ),
)
def test_undrained_buffer(sentence: str, count: int | None, status: str) -> None:
    given = server(buffered_events=count, buffer_cause="" if count is not None else "the event buffer is damaged")
    assert run("undrained-buffer", server=given).status == status, sentence


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "No event is left in the local buffer"),
        (1, "1 event lies in the local buffer and never reached Redis"),
        (12, "12 events lie in the local buffer and never reached Redis"),
    ],
)
def test_undrained_buffer_says_how_many(count: int, said: str) -> None:
    assert run("undrained-buffer", server=server(buffered_events=count)).summary == said


def test_an_unreadable_buffer_says_why() -> None:
    found = run("undrained-buffer", server=server(buffered_events=None, buffer_cause="it is damaged"))
    assert found.cause == "it is damaged"


_SAME = Used(compared="the same", name="localhost:6379", shown_by="its process", is_proof=True)
_OTHER_REDIS = Used(compared="another", name="127.0.0.1:7001", shown_by="its process", is_proof=True)
_OTHER_DATABASE = Used(compared="another", name="<hidden-5f0c6a52>", shown_by="its log")
_NOT_KNOWN = Used(cause="the system does not show this user what process 48112 uses")


@pytest.mark.parametrize(
    ("redis", "database", "status", "observed"),
    [
        (_SAME, _SAME, "green", "the same"),
        (_SAME, _NOT_KNOWN, "green", "the same"),
        (_NOT_KNOWN, _SAME, "green", "the same"),
        (_OTHER_REDIS, _SAME, "red", "another Redis"),
        (_OTHER_REDIS, _NOT_KNOWN, "red", "another Redis"),
        (_SAME, _OTHER_DATABASE, "red", "another database"),
        (_NOT_KNOWN, _OTHER_DATABASE, "red", "another database"),
        (_OTHER_REDIS, _OTHER_DATABASE, "red", "both others"),
    ],
)
def test_same_pipeline(redis: Used, database: Used, status: str, observed: str | None) -> None:
    given = server_uses(redis=redis, database=database, redis_port=7001)
    finding = run("same-pipeline", server_uses=given)
    assert (finding.status, finding.observed) == (status, observed)
    if redis.compared == "another":
        assert finding.remedy is not None
        assert "Redis 127.0.0.1:7001" in finding.summary and "localhost:6379 is examined" in finding.summary
        assert finding.remedy.commands[0] == "blueplane-doctor --redis-url redis://127.0.0.1:7001/0"
    if database.compared == "another":
        assert "<hidden-5f0c6a52>" in finding.summary and "~/.blueplane/telemetry.db is examined" in finding.summary


def test_an_option_that_the_command_has_is_named_once() -> None:
    command = "blueplane-doctor --redis-url redis://127.0.0.1:6380/0 --database <database>"
    assert _with(command, "--redis-url", "redis://127.0.0.1:7001/0") == (
        "blueplane-doctor --database <database> --redis-url redis://127.0.0.1:7001/0"
    )
    assert _with("blueplane-doctor", "--database", "~/a.db") == "blueplane-doctor --database ~/a.db"


@pytest.mark.parametrize(("is_shown", "status"), [(True, "green"), (False, "unknown")])
def test_same_pipeline_where_nothing_tells(is_shown: bool, status: str) -> None:
    given = server_uses(redis=_NOT_KNOWN, database=_NOT_KNOWN, is_shown=is_shown)
    finding = run("same-pipeline", server_uses=given)
    assert (finding.status, finding.observed) == (status, None)


def test_same_pipeline_without_a_server_is_no_fault_of_its_own() -> None:
    finding = run("same-pipeline", server_uses=ServerUses())
    assert (finding.status, finding.observed) == ("green", None)


@pytest.mark.parametrize(
    ("problem", "status", "observed"), [("", "green", "usable"), ("config.yaml: not YAML", "orange", "not usable")]
)
def test_server_settings(problem: str, status: str, observed: str) -> None:
    finding = run("server-settings", server_uses=server_uses(unused_config=problem))
    assert (finding.status, finding.observed) == (status, observed)
    assert problem in finding.summary


def test_same_pipeline_names_the_configuration_that_the_server_goes_by() -> None:
    where = "config/ of the checkout that it was started from"
    finding = run("same-pipeline", server_uses=another_redis().model_copy(update={"configuration": where}))
    assert finding.remedy is not None
    assert finding.remedy.text.endswith(f"The server reads its settings from {where}.")

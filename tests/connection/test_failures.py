"""What goes wrong with Redis, in words that fit what it is for."""

import pytest

from blueplane_doctor.connection.base import ProtocolError, ReplyError
from blueplane_doctor.connection.failures import Endpoint, source_error, text_of, words_of
from blueplane_doctor.errors import (
    SourceNotServing,
    SourceProtocolError,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
)

HISTORY = Endpoint(
    "redis://keeper:geheim@db.example.org:7000/2",
    setting="history_url",
    purpose="which is to hold the history",
    rights="Let this user: +xadd",
)
EXAMINED = Endpoint("redis://db.example.org:7000/2")


@pytest.mark.parametrize(
    ("error", "kind", "message", "hint"),
    [
        (
            ConnectionError("closed"),
            SourceUnreachable,
            "which is to hold the history, cannot be reached",
            "--history-url",
        ),
        (TimeoutError(), SourceTimeout, "gave no answer in 0.5 s", "CLIENT UNPAUSE"),
        (ProtocolError("x"), SourceProtocolError, "does not answer as Redis does", "--history-url"),
        (ReplyError("NOPERM no permissions"), SourceRefused, "gives this user no permission", "Let this user: +xadd"),
        (ReplyError("WRONGPASS invalid"), SourceRefused, "refused the login", "--history-url redis://USER"),
        (ReplyError("LOADING dataset"), SourceNotServing, "still loading its data", "in a moment"),
        (ReplyError("OOM command not allowed"), SourceUnusable, "refused: OOM", "--history-url"),
        (
            ReplyError("ERR max number of clients reached"),
            SourceUnusable,
            "as many are open as it allows",
            "CLIENT LIST",
        ),
        (ReplyError("ERR max number of clients + cluster connections reached"), SourceUnusable, "allows", "maxclients"),
        (ReplyError("ERR something"), SourceUnusable, "refused: ERR something", ""),
    ],
)
def test_each_failure_says_where_and_what_to_try(
    error: Exception, kind: type[Exception], message: str, hint: str
) -> None:
    ours = source_error(error, HISTORY, seconds=0.5)
    assert type(ours) is kind
    assert message in ours.message
    assert hint in ours.hint
    assert "***:7000 database 2" in ours.message
    for private in ("geheim", "keeper", "example.org"):
        assert private not in ours.message + ours.hint


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("NOPERM User x has no permissions to run the 'xinfo|stream' command", "+xinfo|stream"),
        ("NOPERM No permissions to access a key", "%R~telemetry:*"),
        ("NOPERM this user has no permissions", "+xlen telemetry:dlq"),
    ],
)
def test_a_missing_permission_is_named(text: str, right: str) -> None:
    ours = source_error(ReplyError(text), EXAMINED, ("XLEN", "telemetry:dlq"))
    assert f"needs the permission {right}, which" in ours.message
    assert ours.hint == f"grant it: ACL SETUSER <user> {right}"


def test_a_key_of_the_doctor_s_own_needs_another_right() -> None:
    error = ReplyError("NOPERM No permissions to access a key")
    ours = source_error(error, EXAMINED, ("HGETALL", "blueplane:health:recorded:1"))
    assert "%R~blueplane:health:*" in ours.hint


def test_the_words_of_a_command_are_few_and_short() -> None:
    assert words_of(()) == ""
    assert words_of(("XRANGE", b"k\xff" * 100, "-", "+")) == "XRANGE " + "k\ufffd" * 40


def test_the_text_of_an_error_is_its_reason() -> None:
    assert text_of(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"
    assert text_of(TimeoutError()) == "TimeoutError"
    assert text_of(ValueError("a\x1b[31m\r\nb")) == "a [31m b"


@pytest.mark.parametrize(("setting", "option"), [("redis_url", "--redis-url"), ("history_url", "--history-url")])
def test_an_endpoint_knows_its_option(setting: str, option: str) -> None:
    assert Endpoint("redis://localhost", setting=setting).option == option


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("redis://127.0.0.1:7000/0", "--redis-url redis+cluster://127.0.0.1:7000"),
        ("redis://db.example.org:7000/2", "--redis-url redis+cluster://***:7000"),
        ("unix:///run/redis.sock", "--redis-url redis+cluster://HOST:PORT"),
        ("redis+cluster://127.0.0.1:7000", "try again"),
    ],
)
def test_a_node_that_names_another_one_says_how_to_name_the_cluster(url: str, hint: str) -> None:
    assert hint in source_error(ReplyError("MOVED 1 127.0.0.1:7001"), Endpoint(url)).hint

"""What goes wrong with Redis, in words that fit what it is for."""

import pytest

from blueplane_doctor.connection.base import Command, ProtocolError, ReplyError
from blueplane_doctor.connection.failures import Endpoint, source_error, words_of
from blueplane_doctor.connection.topology import UnusableUrl
from blueplane_doctor.errors import (
    SourceNotServing,
    SourceProtocolError,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
)
from blueplane_doctor.privacy.public_text import hidden

HISTORY = Endpoint(
    "redis://keeper:geheim@db.example.org:7000/2",
    setting="history_url",
    purpose="which is to hold the history",
    rights="Let this user: +xadd",
)
EXAMINED = Endpoint("redis://db.example.org:7000/2")
STRANGE = b"k\xff" * 100


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
        (ReplyError("ERR something"), SourceUnusable, "refused: ERR, with a text that is not shown", ""),
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
        ("NOPERM User x has no permissions to run the 'xinfo|acme' command", "+xinfo"),
        ("NOPERM No permissions to access a key", "%R~telemetry:*"),
        ("NOPERM this user has no permissions", "+xlen telemetry:dlq"),
    ],
)
def test_a_missing_permission_is_named(text: str, right: str) -> None:
    ours = source_error(ReplyError(text), EXAMINED, ("XLEN", "telemetry:dlq"))
    assert f"needs the permission {right}, which" in ours.message
    assert ours.hint == f"grant it: ACL SETUSER <user> {right}"


@pytest.mark.parametrize(
    ("text", "command", "hint"),
    [
        ("ERR unknown command 'XINFO'", ("XINFO", "STREAM", "telemetry:dlq"), "redis+sentinel://HOST:PORT/SERVICE"),
        ("ERR DB index is out of range", (), "redis://HOST:PORT/NUMBER"),
    ],
)
def test_what_answers_and_cannot_be_asked_is_told_what_to_name(text: str, command: Command, hint: str) -> None:
    ours = source_error(ReplyError(text), EXAMINED, command)
    assert "--redis-url " + hint in ours.hint


def test_protected_mode_says_how_to_get_in() -> None:
    ours = source_error(ReplyError("DENIED Redis is running in protected mode because ..."), EXAMINED)
    assert "requirepass" in ours.hint


def test_a_key_of_the_doctor_s_own_needs_another_right() -> None:
    error = ReplyError("NOPERM No permissions to access a key")
    ours = source_error(error, EXAMINED, ("HGETALL", "blueplane:health:recorded:1"))
    assert "%R~blueplane:health:*" in ours.hint


@pytest.mark.parametrize(
    ("command", "problem"),
    [(("XLEN", "telemetry:dlq"), "is not a stream"), (("HGETALL", "telemetry:dlq"), "holds another kind of value")],
)
def test_a_key_of_another_type_is_said_to_be_what_it_is_not(command: Command, problem: str) -> None:
    error = source_error(ReplyError("WRONGTYPE Operation against a key"), EXAMINED, command)
    assert f"{command[0]} telemetry:dlq was refused, because that key {problem}" in str(error)


def test_the_words_of_a_command_are_few_and_short() -> None:
    assert words_of(()) == ""
    assert words_of(("XRANGE", "telemetry:events", "-", "+")) == "XRANGE telemetry:events"
    assert words_of(("XINFO", "STREAM", "acme")) == "XINFO STREAM"
    assert words_of(("HGETALL", "blueplane:health:recorded:1:acme")) == "HGETALL blueplane:health:*"
    assert words_of(("XRANGE", STRANGE, "-", "+")) == f"XRANGE {hidden(STRANGE)}"


SECRETS = ("db1.corp.example", "hunter2", "jo-admin", "acme")
HOSTILE = (
    "MOVED 3999 db1.corp.example:6381",
    "ASK 3999 db1.corp.example:6381",
    "NOPERM User jo-admin has no permissions to run the 'xinfo|stream' command",
    "NOPERM User jo-admin has no permissions to run the 'acme' command",
    "NOPERM User jo-admin has no permissions to access the 'acme' key",
    "WRONGPASS invalid username-password pair hunter2",
    "ERR invalid password for jo-admin: hunter2",
    "ERR unknown command 'XINFO', with args beginning with: 'acme'",
    "BUSY db1.corp.example",
    "OOM acme",
    "WRONGTYPE acme",
    "hunter2",
    "\x1b]52;c;aHVudGVyMg==\x07::error::hunter2",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", [ReplyError, ConnectionError, OSError, ValueError])
def test_no_error_repeats_what_was_said(kind: type[Exception], text: str) -> None:
    ours = source_error(kind(text), EXAMINED, ("XLEN", "acme"))
    said = ours.message + ours.hint
    assert not [secret for secret in SECRETS if secret in said]
    assert "\x1b" not in said
    assert "::" not in said


@pytest.mark.parametrize(
    "url",
    [
        "redis://jo:hun/ter2@db1.corp.example:6380/0",
        "redis://jo:12/hunter2@db1.corp.example:6380/0",
        "redis://jo:12/hunter2@db1.corp.example:6380/0?x=1",
        "redis://:hun#ter2@db1.corp.example",
        "redis://[hunter2]@db1.corp.example",
        "redis+sentinel://jo:hun/ter2@db1.corp.example:1/acme",
        "redis+sentinel://db1.corp.example:hunter2/acme",
        "rediss://jo:12/hunter2@db1.corp.example:6380/0",
    ],
)
def test_a_url_that_cannot_be_read_is_not_quoted(url: str) -> None:
    """A slash in a password makes the rest of it a port, a path or a query."""
    try:
        said = Endpoint(url).address
    except UnusableUrl as error:
        said = str(error)
    assert not [secret for secret in ("hun", "ter2", "corp", "acme", "12") if secret in said]


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

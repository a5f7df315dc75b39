"""The heartbeat: asked after a sample, `/fail` where it is red, and never waited for."""

import time
from dataclasses import replace

import pytest

from blueplane_doctor.notifying.heartbeat import Heartbeat, ask, failing_url
from tests.connection.hostile import Speak, drips, says, says_without_end, speaking
from tests.notifying.receivers import web
from tests.notifying.replay import GREEN, UNKNOWN, observation, problem


def test_a_sample_is_a_beat() -> None:
    log: list[str] = []
    beating = Heartbeat(log.append)
    with web() as server:
        for sample in (GREEN, UNKNOWN, observation(problem())):
            beating.beat(f"http://{server.place}/ping/uuid?x=1", sample)
            beating.finish(20)
        requests = [(request.method, request.path) for request in server.requests]
        body = server.requests[-1].body
    assert requests == [("GET", "/ping/uuid?x=1"), ("GET", "/ping/uuid?x=1"), ("POST", "/ping/uuid/fail?x=1")]
    assert body == "poison-message: 40 messages are stuck. Nothing is lost yet."
    assert log == []


def test_a_failure_is_logged_once_without_the_url() -> None:
    log: list[str] = []
    beating = Heartbeat(log.append)
    with web() as server:
        url = f"http://{server.place}/s3cret"
        server.status = 500
        for _ in range(3):
            beating.beat(url, GREEN)
            beating.finish(20)
        server.status = 200
        for _ in range(3):
            beating.beat(url, GREEN)
            beating.finish(20)
        assert len(server.requests) == 6
    assert [line.partition(":")[0] for line in log] == [
        "the heartbeat URL could not be asked",
        "the heartbeat URL answers again",
    ]
    assert "it answered 500" in log[0]
    assert "s3cret" not in "".join(log)


def test_a_service_that_hangs_is_not_waited_for() -> None:
    beating = Heartbeat(lambda text: None)
    with web() as server:
        server.hangs.set()
        beating.beat(f"http://{server.place}/", GREEN)
        while not server.requests:
            time.sleep(0.01)
        beating.beat(f"http://{server.place}/", GREEN)
        beating.beat(f"http://{server.place}/", replace(GREEN))
        assert len(server.requests) == 1
        server.released.set()
        beating.finish(20)


def test_a_redirection_is_not_followed() -> None:
    with web() as server:
        server.status = 302
        server.location = f"http://{server.place}/elsewhere"
        assert ask(f"http://{server.place}/", "") == "it answered 302"
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/", f"http://{'a' * 70}.example/", "http://127.0.0.1:9/\u00fc", "http://127.0.0.1:9/a b"],
)
def test_nobody_there(url: str) -> None:
    assert ask(url, "") == "no connection, or no answer"


@pytest.mark.parametrize(
    ("url", "failing"),
    [
        ("https://h/p", "https://h/p/fail"),
        ("https://h/p/", "https://h/p/fail"),
        ("https://h", "https://h/fail"),
        ("https://h/p?a=b", "https://h/p/fail?a=b"),
    ],
)
def test_the_failing_url(url: str, failing: str) -> None:
    assert failing_url(url) == failing


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_an_answer_that_drips_ends_with_the_time(begin: bytes) -> None:
    """Each byte comes long before the time of a read is over."""
    with speaking(drips(begin, 0.05)) as url:
        assert ask(url.replace("redis://", "http://"), "", 0.3) == "no answer in time"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (says(b"HTTP/1.1 100 Continue\r\n\r\n"), "it answered 100"),
        (says_without_end(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "no connection, or no answer"),
        (says_without_end(b"HTTP/1.1 200 OK\r\n\r\n", b"y"), ""),
        (says(b"SSH-2.0-x\r\n\r\n"), "no connection, or no answer"),
    ],
    ids=["no last answer", "endless headers", "an endless body", "another protocol"],
)
def test_a_strange_answer(answer: Speak, reason: str) -> None:
    with speaking(answer) as url:
        assert ask(url.replace("redis://", "http://"), "body", 20) == reason


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/a b\x00\u20ac", "http://127.0.0.1:99999/", "http://a\u2028b.invalid/"]
)
def test_a_url_that_cannot_be_asked(url: str) -> None:
    assert ask(url, "") == "no connection, or no answer"

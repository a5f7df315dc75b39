"""The addresses of a name, within a time limit."""

import socket
import threading
import time
from typing import Any

import pytest

from blueplane_hook import events, names
from tests.hook.way_in import WayIn
from tests.waiting import PATIENCE_SECONDS


def test_a_name_has_addresses() -> None:
    assert ("127.0.0.1", 80) in names.addresses_of("localhost", 80, PATIENCE_SECONDS)


@pytest.mark.parametrize("name", ["a" * 70_000, "\udc80", "..", ""])
def test_what_is_no_name_is_worth_another_try(name: str) -> None:
    assert events.post((name, 1), b"{}", time.monotonic() + PATIENCE_SECONDS) == events.FAILED


def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        ended.wait(PATIENCE_SECONDS)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        with pytest.raises(TimeoutError):
            names.addresses_of("server.example", 80, 0.01)
    finally:
        ended.set()


def test_an_event_goes_to_a_name_also_where_no_thread_can_begin(server: WayIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("_thread.start_new_thread", refuse)
    # An event without anything in it is refused by a server that is there.
    address = ("localhost", int(server.url.rpartition(":")[2]))
    assert events.post(address, b"{}", time.monotonic() + PATIENCE_SECONDS) == events.REFUSED

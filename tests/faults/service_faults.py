"""Faults of `serve`: what it examines dies, hangs and returns while three hundred clients ask."""

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.stage import Stage

CLIENTS = 300

Outage = Callable[[Stage], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True)
class ServiceFault:
    """One outage; when its block ends, all is as before."""

    name: str
    happens: Outage
    is_outage: bool = True
    """Whether the verdict has to turn: with others all stays as it is."""


@contextlib.contextmanager
def _redis_dies(stage: Stage) -> Iterator[None]:
    stage.situation.client.save()
    stage.situation.redis.kill()
    try:
        yield
    finally:
        stage.situation.redis.start()


@contextlib.contextmanager
def _redis_hangs(stage: Stage) -> Iterator[None]:
    os.kill(stage.situation.redis.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(stage.situation.redis.pid, signal.SIGCONT)


@contextlib.contextmanager
def _redis_dies_and_hangs(stage: Stage) -> Iterator[None]:
    """One after the other: it comes back, and hangs at once."""
    with _redis_dies(stage):
        pass
    with _redis_hangs(stage):
        yield


@contextlib.contextmanager
def _database_goes(stage: Stage) -> Iterator[None]:
    away = stage.situation.database.with_suffix(".away")
    stage.situation.database.rename(away)
    try:
        yield
    finally:
        away.rename(stage.situation.database)


@contextlib.contextmanager
def _home_goes(stage: Stage) -> Iterator[None]:
    away = stage.home.with_suffix(".away")
    stage.home.rename(away)
    try:
        yield
    finally:
        away.rename(stage.home)


@contextlib.contextmanager
def _log_is_a_pipe(stage: Stage) -> Iterator[None]:
    log = stage.home / "server.log"
    os.mkfifo(log)
    try:
        yield
    finally:
        log.unlink()


@contextlib.contextmanager
def _settings_broken(stage: Stage) -> Iterator[None]:
    """The service goes on with those that it has."""
    file = stage.home / "config.yaml"
    whole = file.read_bytes()
    file.write_bytes(b"{[")
    try:
        yield
    finally:
        file.write_bytes(whole)


@contextlib.contextmanager
def _silent_connections(stage: Stage) -> Iterator[None]:
    """Clients that connect and say nothing."""
    port = int(stage.variables["SERVED_PORT"])
    with contextlib.ExitStack() as stack:
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        yield


SERVICE_FAULTS = {
    fault.name: fault
    for fault in (
        ServiceFault("redis-dies-and-returns", _redis_dies),
        ServiceFault("redis-hangs-and-returns", _redis_hangs),
        ServiceFault("redis-dies-returns-hangs-and-returns", _redis_dies_and_hangs),
        ServiceFault("database-goes-and-returns", _database_goes),
        ServiceFault("home-goes-and-returns", _home_goes),
        ServiceFault("log-is-a-pipe", _log_is_a_pipe, is_outage=False),
        ServiceFault("settings-broken", _settings_broken, is_outage=False),
        ServiceFault("silent-connections", _silent_connections, is_outage=False),
    )
}

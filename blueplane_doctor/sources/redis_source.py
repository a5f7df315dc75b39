"""Redis, read only: a few pipelined commands, raw replies, and errors that say what to try."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

from blueplane_doctor.connection.base import Command, ReplyError
from blueplane_doctor.connection.topology import shown_host, topology_of, without_names
from blueplane_doctor.errors import (
    SettingsError,
    SourceError,
    SourceMissing,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
)
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.wire import Nodes, Wire, open_nodes

READ_COMMANDS = frozenset(
    {
        "PING",
        "INFO",
        "CONFIG GET",
        "XLEN",
        "XPENDING",
        "XRANGE",
        "XREVRANGE",
        "XINFO STREAM",
        "XINFO GROUPS",
        "XINFO CONSUMERS",
        "HGETALL",
        "EXISTS",
        "TS.QUERYINDEX",
        "TS.RANGE",
    }
)
"""All that a run ever sends, beside AUTH, SELECT, and MULTI/EXEC around them. A user without the right to CONFIG GET
loses nothing but certainty about persistence."""

ANSWER_LIMIT_SECONDS = 2.0
"""The longest that one answer may take: a page takes under 0.05 s."""


class Conversation:
    """Questions and answers on one connection, in order."""

    def __init__(self, source: "RedisSource", wire: Wire) -> None:
        self._source, self._wire = source, wire

    def ask(self, *command: str | bytes | int) -> None:
        """Send a read command and do not wait. Raises SourceError."""
        _only_reads(command)
        self._source.refuse_when_over()
        self._source.sent += 1
        try:
            self._wire.send([command])
        except (ReplyError, OSError) as error:
            raise self._source.died_of(error) from error

    def answer(self) -> Any:
        """The answer to the oldest question without one. Raises SourceError."""
        try:
            reply = self._wire.receive()
        except (ReplyError, OSError) as error:
            raise self._source.died_of(error) from error
        return self._source.checked(reply, ("XRANGE",))


def address_of(url: str) -> str:
    """A Redis URL as messages and reports may show it: without user, password, host and query."""
    if places := topology_of(url):
        return places.shown
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return "unix socket " + (parts.path.rsplit("/", 1)[-1] or "?")
    host = shown_host(parts.hostname or "localhost")
    database = parts.path.strip("/")
    return f"{host}:{parts.port or 6379}" + (f" database {database}" if database not in ("", "0") else "")


class RedisSource:
    """One connection to the examined Redis.

    The first failure to reach it is remembered: one dead server costs one time limit, not one a reader.
    """

    def __init__(self, url: str, deadline: Deadline) -> None:
        self.url = url
        self.address = address_of(url)
        self._deadline = deadline
        self._lock = RLock()
        self._nodes: Nodes | None = None
        self._dead: SourceError | None = None
        self.sent = 0
        """Commands sent so far."""

    def ask(self, *commands: Command, together: bool = False) -> list[Any]:
        """Send read commands in one round trip; raw RESP2 replies in order, a refused one as its exception.

        `together` wraps them in MULTI/EXEC: one moment of the server, which arithmetic over several replies needs.
        Raises SourceError when the server cannot be reached or gives no answer in time.
        """
        for command in commands:
            _only_reads(command)
        replies: list[Any] = self._guarded(lambda nodes: self._exchange(nodes, commands, together))
        return replies

    def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """The replies of `ask`. Raises SourceError, also when a command is refused."""
        return [self.checked(*both) for both in zip(self.ask(*commands), commands, strict=True)]

    def ask_one(self, *command: str | bytes | int) -> Any:
        """One command's reply. Raises SourceError, also when it is refused."""
        return self.ask_all([command])[0]

    @contextmanager
    def conversation(self, key: str) -> "Iterator[Conversation]":
        """A connection of one's own, for questions on one key, sent before the last answer is worked on."""
        wire: Wire = self._guarded(lambda nodes: nodes.own_wire(key))
        try:
            yield Conversation(self, wire)
        finally:
            wire.close()

    def checked(self, reply: Any, command: Command) -> Any:
        """The reply; an error is raised as ours, which names the command and what to try."""
        if isinstance(reply, Exception):
            raise self._ours(reply, command) from reply
        return reply

    def close(self) -> None:
        """Close the connection; harmless when there is none."""
        nodes, self._nodes = self._nodes, None
        if nodes:
            nodes.close()

    def _guarded(self, use: Callable[[Nodes], Any]) -> Any:
        with self._lock:
            self.refuse_when_over()
            try:
                return use(self._connected())
            except (ReplyError, OSError) as error:
                raise self.died_of(error) from error

    def refuse_when_over(self) -> None:
        """Raises SourceError once Redis did not answer, or the run's time is up."""
        if self._dead:
            raise self._dead
        if self._deadline.passed:
            raise SourceTimeout(f"Redis at {self.address}: the run's {self._deadline.seconds:g} s were used up")

    def died_of(self, error: Exception) -> SourceError:
        """The error as ours; whoever asks from now on gets the same."""
        self._dead = self._ours(error, ())
        return self._dead

    def _connected(self) -> Nodes:
        if self._nodes is None:
            limit = max(0.05, min(ANSWER_LIMIT_SECONDS, self._deadline.remaining))
            try:
                self._nodes = open_nodes(self.url, limit)
            except ValueError as error:
                raise SettingsError(
                    f"redis_url: {_text(error)}", "for example redis://localhost:6379/0 or unix:///run/redis.sock"
                ) from error
        return self._nodes

    def _exchange(self, nodes: Nodes, commands: Sequence[Command], together: bool) -> list[Any]:
        replies: list[Any] = [None] * len(commands)
        for wire, indexes in nodes.wires(commands):
            answers = self._exchange_on(wire, [commands[index] for index in indexes], together)
            for index, answer in zip(indexes, answers, strict=True):
                replies[index] = answer
        return replies

    def _exchange_on(self, wire: Wire, commands: Sequence[Command], together: bool) -> list[Any]:
        sent = [("MULTI",), *commands, ("EXEC",)] if together else commands
        self.sent += len(sent)
        try:
            wire.send(sent)
            replies = [wire.receive() for _ in sent]
        except BaseException:
            self.close()  # what is still under way must not answer the next question
            raise
        if not together:
            return replies
        if isinstance(replies[-1], Exception):  # refused while queued: nothing was executed
            for reply, command in zip(replies, sent, strict=True):
                self.checked(reply, command)
        return list(replies[-1])

    def _ours(self, error: Exception, command: Command) -> SourceError:
        tried = " ".join(_word(word) for word in command[:2]) or "a read"
        return failure(error, self.url, f"Redis at {self.address}", tried=tried)


def failure(
    error: Exception, url: str, where: str, *, tried: str = "", option: str = "--redis-url", rights: str = ""
) -> SourceError:
    """A connection's error, or a reply that is one, as ours.

    `option` names the server; `rights` are what its user needs, where that is more than what was `tried`.
    """
    said, what = without_names(_text(error), url), f"{where}: {tried} was" if tried else where
    if "NOPERM" in said or "no permissions" in said.lower():
        if rights:
            return SourceRefused(f"{where} gives this user no permission: {said}", rights)
        return _no_permission(where, tried, said)
    if re.search("^(NOAUTH|WRONGPASS)|invalid password|called without any password", said):
        return SourceRefused(
            f"{where} refused the login: {said}",
            f"give the right user and password: {option} redis://USER:PASSWORD@HOST:PORT",
        )
    if said.startswith("LOADING"):
        return SourceUnreachable(f"{where} is still loading its data from disk", "try again in a moment")
    if isinstance(error, TimeoutError):
        return SourceTimeout(
            f"{where} accepted the connection and gave no answer in {ANSWER_LIMIT_SECONDS:g} s",
            "see whether it is busy or stopped: redis-cli --latency",
        )
    if isinstance(error, OSError):
        return SourceUnreachable(
            f"{where} cannot be reached: {said}",
            f"start it, or name the right one with {option}; blueplane-doctor settings shows which it is",
        )
    if "WRONGTYPE" in said:
        return SourceUnusable(
            f"{what} refused, because that key is not a stream",
            "find what wrote it; the pipeline's streams are named in `blueplane-doctor settings`",
        )
    if "no such key" in said.lower():
        return SourceMissing(f"{where}: {tried}: there is no such key")
    hint = f"free memory there, or name another with {option}" if said.startswith("OOM") else ""
    return SourceUnusable(f"{what} refused: {said}", hint)


def pairs(reply: Sequence[Any]) -> dict[str, Any]:
    """A reply of alternating names and values, as XINFO gives it. Raises SourceUnusable for anything else."""
    if not isinstance(reply, list):
        raise SourceUnusable("what answers there as Redis does not answer as Redis does", "see --redis-url")
    return {str(name, "utf-8", "replace"): value for name, value in zip(reply[::2], reply[1::2], strict=True)}


def _only_reads(command: Command) -> None:
    if command[0] in READ_COMMANDS:
        return
    name = _word(command[0]).upper()
    if name in ("XINFO", "CONFIG"):
        name += " " + _word(command[1]).upper()
    if name not in READ_COMMANDS:
        raise AssertionError(f"{name} is not a read command; the doctor never sends it")


def _no_permission(where: str, tried: str, said: str) -> SourceRefused:
    if found := re.search(r"run the '([^']+)' command", said):
        right = f"+{found[1]}"
    elif "key" in said:
        right = "%R~blueplane:health:*" if "blueplane:health:" in tried else "%R~telemetry:*"
    else:
        right = f"+{tried.lower()}"
    return SourceRefused(
        f"{where}: {tried} needs the permission {right}, which this user lacks: {said}",
        f"grant it: ACL SETUSER <user> {right}",
    )


def _word(value: str | bytes | int) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text[:80]


def _text(error: BaseException) -> str:
    said = isinstance(error, OSError) and error.strerror or str(error)
    return re.sub(r"[\x00-\x1f\x7f]+", " ", said)[:300] or type(error).__name__

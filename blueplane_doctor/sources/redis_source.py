"""Redis, read only: a few pipelined commands, raw replies, and errors that say what to try."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, TypeVar

from blueplane_doctor.connection.base import Command, Limits, ProtocolError
from blueplane_doctor.connection.failures import Endpoint, source_error, words_of
from blueplane_doctor.connection.redis_connection import Connection
from blueplane_doctor.errors import SourceError, SourceReplyTooLarge, SourceTimeout, SourceTooFull
from blueplane_doctor.sources import Deadline
from blueplane_doctor.sources.redis_info import parse_info
from blueplane_doctor.sources.redis_room import Room, room_of, too_full

Result = TypeVar("Result")

READ_COMMANDS = frozenset(
    {
        "PING",
        "INFO",
        "CONFIG GET",
        "PFCOUNT",
        "PTTL",
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

ANSWER_LIMIT_SECONDS = Limits().reply_seconds
_ASKED_IN_ANY_CASE = ("PING", "INFO", "CONFIG", "XLEN", "PTTL")
"""Their replies take a few kilobytes."""
_HELD_BACK_SECONDS = 0.5
"""For which a read that counts as a write may stay without an answer, while others have theirs."""
_ASKED_MEANWHILE = 3
"""Others that are asked, so that one slow answer decides nothing."""
_NO_KEY = "telemetry:blueplane-doctor:no-such-key"
_COMMANDS_WITH_SUBCOMMANDS = ("XINFO", "CONFIG")


class Conversation:
    """Questions and answers on a connection of its own, in order."""

    def __init__(self, source: "RedisSource", connection: Connection) -> None:
        self._source = source
        self._connection = connection

    def ask(self, *command: str | bytes | int) -> None:
        """Send a read command and do not wait. Raises SourceError."""
        _refuse_what_writes(command)
        self._source.sent += 1
        self._exchange(lambda connection: connection.send(command))

    def answer(self) -> Any:
        """The answer to the oldest question without one. Raises SourceError.

        After SourceReplyTooLarge there may be another, smaller question: it goes over a new connection.
        """
        reply = self._exchange(lambda connection: connection.receive())
        return self._source.checked(reply, ("XRANGE",))

    def _exchange(self, use: Callable[[Connection], Result]) -> Result:
        self._source.refuse_when_over()
        try:
            return use(self._connection)
        except SourceReplyTooLarge:
            raise
        except SourceError as error:
            self._source.remember_failure(error)
            raise


class RedisSource:
    """One connection to the examined Redis, shared by all readers.

    The first failure to reach it is remembered: a server that is down costs one time limit, not one a reader.
    """

    def __init__(self, url: str, deadline: Deadline) -> None:
        self.url = url
        self._endpoint = Endpoint(url)
        self.address = self._endpoint.address
        self._deadline = deadline
        self._lock = RLock()
        self._connection: Connection | None = None
        self._is_closed = False
        self._failure: SourceError | None = None
        self._too_full: SourceTooFull | None = None
        self._has_looked_at_room = False
        self.sent = 0
        """Commands sent so far."""

    def ask(self, *commands: Command, together: bool = False) -> list[Any]:
        """Send read commands in one round trip; raw RESP2 replies in order, a refused one as its exception.

        `together` wraps them in MULTI/EXEC: one moment of the server, which arithmetic over several replies needs.
        Raises SourceError when the server cannot be reached or gives no answer in time.
        """
        for command in commands:
            _refuse_what_writes(command)
        if any(command[0] not in _ASKED_IN_ANY_CASE for command in commands):
            self.refuse_when_too_full()
        if not together:
            self.sent += len(commands)
            return self._guarded(lambda connection: connection.ask(*commands))
        self.sent += len(commands) + 2  # MULTI and EXEC
        replies = self._guarded(lambda connection: connection.transaction(*commands))
        if replies is None:
            raise self._is_no_redis("EXEC did nothing, and no key is watched", ("EXEC",))
        return replies

    def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """The replies of `ask`. Raises SourceError, also when a command is refused."""
        replies = self.ask(*commands)
        checked = []
        for reply, command in zip(replies, commands, strict=True):
            checked.append(self.checked(reply, command))
        return checked

    def ask_one(self, *command: str | bytes | int) -> Any:
        """One command's reply. Raises SourceError, also when it is refused."""
        return self.ask_all([command])[0]

    @contextmanager
    def conversation(self) -> Iterator[Conversation]:
        """A connection of its own, for questions that are sent before the last answer is worked on."""
        self.refuse_when_over()
        self.refuse_when_too_full()
        connection = self._new_connection()
        try:
            yield Conversation(self, connection)
        finally:
            connection.close()

    def refuse_when_too_full(self) -> None:
        """Raises SourceTooFull where a few connections and messages could make the server delete the queue.

        Looked at once, before anything else is asked: each client's buffers count against the server's limit.
        """
        with self._lock:
            if not self._has_looked_at_room:
                room = self.room()
                self._has_looked_at_room = True
                if room and room.is_too_full_for_messages:
                    self._too_full = too_full(self.address, room)
        if self._too_full:
            raise self._too_full

    def room(self) -> Room | None:
        """How much memory it has left now; None where this user may not ask. Raises SourceError."""
        command = ("INFO", "memory")
        (reply,) = self.ask(command)
        if isinstance(reply, Exception):
            return None
        fields = self._parsed(reply, command)
        if "used_memory" not in fields:
            return None
        return room_of(fields)

    def info(self, *section: str) -> dict[str, str]:
        """The fields of INFO, or of one section of it. Raises SourceError."""
        command = ("INFO", *section)
        fields = self._parsed(self.ask_one(*command), command)
        if not section and "redis_version" not in fields:
            raise self._is_no_redis("INFO names no version", command)
        return fields

    def _parsed(self, reply: bytes, command: Command) -> dict[str, str]:
        try:
            return parse_info(reply)
        except ProtocolError as error:
            raise self._is_no_redis(str(error), command) from error

    def _is_no_redis(self, reason: str, command: Command) -> SourceError:
        return source_error(ProtocolError(reason), self._endpoint, command)

    def holds_writes_back(self) -> bool:
        """Whether CLIENT PAUSE … WRITE is in force; False where that cannot be told. Raises SourceError.

        PFCOUNT only reads, and is held back as writes are. That it has no answer after others which were asked later
        have theirs, is no slowness of the server or of the network.
        """
        self.refuse_when_over()
        self.refuse_when_too_full()
        limits = Limits(reply_seconds=_HELD_BACK_SECONDS, end=self._deadline.end)
        probe = Connection(self._endpoint, limits)
        try:
            probe.send(("PFCOUNT", _NO_KEY))
        except SourceError:
            return False  # it may not open another connection
        self.sent += 1
        for _ in range(_ASKED_MEANWHILE):
            self.ask(("INFO", "server"))
        try:
            probe.receive()
        except SourceTimeout:
            return True
        except SourceError:
            return False
        finally:
            probe.close()
        return False

    def checked(self, reply: Any, command: Command) -> Any:
        """The reply; an error is raised as ours, which names the command and what to try."""
        if isinstance(reply, Exception):
            raise source_error(reply, self._endpoint, command, ANSWER_LIMIT_SECONDS) from reply
        return reply

    def close(self) -> None:
        """Close the connection; harmless when there is none."""
        self._is_closed = True
        connection = self._connection
        self._connection = None
        if connection:
            connection.close()

    def refuse_when_over(self) -> None:
        """Raises SourceError once Redis did not answer, or the run's time is up."""
        if self._failure:
            raise self._failure
        if self._deadline.passed:
            raise SourceTimeout(f"Redis at {self.address}: the run's {self._deadline.seconds:g} s were used up")

    def remember_failure(self, error: SourceError) -> None:
        """Whoever asks from now on gets the same."""
        self._failure = error

    def _guarded(self, use: Callable[[Connection], Result]) -> Result:
        with self._lock:  # monitors read side by side
            self.refuse_when_over()
            connection = self._connection or self._new_connection()
            self._connection = connection
            try:
                return use(connection)
            except SourceError as error:
                if error is connection.failure:  # and not a refused command
                    self.remember_failure(error)
                raise
            finally:
                # A monitor that nobody waits for any more may ask just while the run ends.
                if self._is_closed:
                    self._connection = None
                    connection.close()

    def _new_connection(self) -> Connection:
        """One whose waiting also ends with the run."""
        seconds = min(ANSWER_LIMIT_SECONDS, self._deadline.seconds)
        limits = Limits(connect_seconds=seconds, reply_seconds=seconds, end=self._deadline.end)
        return Connection(self._endpoint, limits)


def pairs(reply: Sequence[Any]) -> dict[str, Any]:
    """A reply of alternating names and values, as XINFO gives it."""
    return {str(name, "utf-8", "replace"): value for name, value in zip(reply[::2], reply[1::2], strict=True)}


def _refuse_what_writes(command: Command) -> None:
    if command[0] in READ_COMMANDS:
        return
    name = words_of(command[:1]).upper()
    if name in _COMMANDS_WITH_SUBCOMMANDS:
        name = words_of(command).upper()
    if name not in READ_COMMANDS:
        raise AssertionError(f"{name} is not a read command; the doctor never sends it")

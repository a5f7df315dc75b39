"""Redis, read only: a few pipelined commands, raw replies, and errors that say what to try."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, NoReturn
from urllib.parse import urlsplit

from blueplane_doctor.errors import (
    SettingsError,
    SourceError,
    SourceMissing,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
)
from blueplane_doctor.redis_places import places_of
from blueplane_doctor.sources.deadline import Deadline
from blueplane_doctor.sources.redis_nodes import by_node, open_places, pool_for, settle

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
"""All that a run ever sends, beside the handshake (AUTH, SELECT) and MULTI/EXEC around them. A user without
the right to CONFIG GET loses nothing but certainty about persistence."""

ANSWER_LIMIT_SECONDS = 2.0
"""The longest that one answer may take: XRANGE of a page takes under 0.05 s, so this is a server in trouble."""

Command = tuple[str | bytes | int, ...]


class Conversation:
    """Questions and answers on one connection, in order."""

    def __init__(self, source: "RedisSource", connection: Any) -> None:
        self._source, self._connection = source, connection

    def ask(self, *command: str | bytes | int) -> None:
        """Send a read command and do not wait. Raises SourceError."""
        _only_reads(command)
        packed = self._connection.pack_command(*command)
        self._source.sent += 1
        self._source._guarded(lambda _: self._connection.send_packed_command(packed))

    def answer(self) -> Any:
        """The answer to the oldest question without one. Raises SourceError."""
        reply = self._source._guarded(lambda _: _reply(self._connection))
        if isinstance(reply, Exception):
            self._source.fail(reply, ("XRANGE",))
        return reply


def address_of(url: str) -> str:
    """A Redis URL without user, password and query: what messages and reports may show."""
    places = places_of(url)
    if places:
        return places.shown
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return "unix socket " + (parts.path.rsplit("/", 1)[-1] or "?")
    host = parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    database = parts.path.strip("/")
    return f"{host}:{parts.port or 6379}" + (f" database {database}" if database not in ("", "0") else "")


class RedisSource:
    """One connection to the examined Redis.

    The first failure to reach it is remembered, so that one dead server costs one time limit, not one a reader.
    """

    def __init__(self, url: str, deadline: Deadline) -> None:
        self.url = url
        self.address = address_of(url)
        self._deadline = deadline
        self._lock = RLock()
        self._client: Any = None
        self._dead: SourceError | None = None
        self.sent = 0
        """Commands sent so far."""

    def ask(self, *commands: Command, together: bool = False) -> list[Any]:
        """Send read commands in one round trip; raw RESP2 replies in order, a refused one as its exception.

        `together` wraps them in MULTI/EXEC: one moment of the server, which arithmetic over several replies
        needs. Raises SourceError when the server cannot be reached or gives no answer in time.
        """
        replies: list[Any] = self._guarded(lambda client: self._exchange(client, commands, together))
        return replies

    def ask_one(self, *command: str | bytes | int) -> Any:
        """One command's reply. Raises SourceError, also when the command itself is refused."""
        (reply,) = self.ask(command)
        if isinstance(reply, Exception):
            self.fail(reply, command)
        return reply

    @contextmanager
    def conversation(self, key: str) -> "Iterator[Conversation]":
        """A connection of one's own, for questions on one key that are sent before the last answer is worked on."""
        pool = self._guarded(lambda client: pool_for(client, key))
        connection = self._guarded(lambda client: pool.get_connection())
        try:
            yield Conversation(self, connection)
        finally:
            connection.disconnect()  # an answer may still be under way
            pool.release(connection)

    def fail(self, error: Exception, command: Sequence[str | bytes | int]) -> NoReturn:
        """Raise ours for a reply that is an error, naming the command and what to try."""
        raise self._ours(error, command) from error

    def close(self) -> None:
        """Give the connection back; harmless when there is none."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _guarded(self, use: Callable[[Any], Any]) -> Any:
        import redis.exceptions as redis_errors

        with self._lock:
            if self._dead:
                raise self._dead
            if self._deadline.passed:
                raise SourceTimeout(f"Redis at {self.address}: the run's {self._deadline.seconds:g} s were used up")
            try:
                return use(self._connected())
            except redis_errors.ResponseError as error:
                ours = self._ours(error, ())
                if isinstance(error, redis_errors.AuthenticationError | redis_errors.BusyLoadingError):
                    self._dead = ours
                raise ours from error
            except (redis_errors.RedisError, OSError) as error:
                self._dead = self._ours(error, ())
                raise self._dead from error

    def _connected(self) -> Any:
        if self._client is None:
            self._client = _open(self.url, min(ANSWER_LIMIT_SECONDS, self._deadline.remaining))
        return self._client

    def _exchange(self, client: Any, commands: Sequence[Command], together: bool) -> list[Any]:
        """Raw replies over one connection; the client's own conversions cost more than the reading."""
        for command in commands:
            _only_reads(command)
        replies: list[Any] = [None] * len(commands)
        for pool, indexes in by_node(client, commands):
            answers = self._exchange_on(pool, [commands[index] for index in indexes], together)
            for index, answer in zip(indexes, answers, strict=True):
                replies[index] = answer
        return replies

    def _exchange_on(self, pool: Any, commands: Sequence[Command], together: bool) -> list[Any]:
        sent = [("MULTI",), *commands, ("EXEC",)] if together else commands
        self.sent += len(sent)
        connection = pool.get_connection()
        try:
            connection.send_packed_command(connection.pack_commands(sent))
            replies = [_reply(connection) for _ in sent]
        except BaseException:
            connection.disconnect()  # what is still under way must not answer somebody else's question
            raise
        finally:
            pool.release(connection)
        if not together:
            return replies
        if isinstance(replies[-1], Exception):  # refused while queued: nothing was executed
            refused = [(r, c) for r, c in zip(replies[:-1], sent[:-1], strict=True) if isinstance(r, Exception)]
            self.fail(*(refused or [(replies[-1], ("EXEC",))])[0])
        return list(replies[-1])

    def _ours(self, error: Exception, command: Sequence[str | bytes | int]) -> SourceError:
        import redis.exceptions as redis_errors

        said = _text(error)
        tried = " ".join(_word(word) for word in command[:2]) or "a read"
        where = f"Redis at {self.address}"
        if isinstance(error, redis_errors.NoPermissionError) or "NOPERM" in said or "no permissions" in said.lower():
            return _no_permission(where, tried, said, command)
        if isinstance(error, redis_errors.AuthenticationError) or "NOAUTH" in said or "WRONGPASS" in said:
            return SourceRefused(
                f"{where} refused the login: {said}",
                "give the right user and password: --redis-url redis://USER:PASSWORD@HOST:PORT",
            )
        if isinstance(error, redis_errors.BusyLoadingError):
            return SourceUnreachable(f"{where} is still loading its data from disk", "try again in a moment")
        if isinstance(error, redis_errors.TimeoutError | TimeoutError):
            return SourceTimeout(
                f"{where} accepted the connection and gave no answer in {ANSWER_LIMIT_SECONDS:g} s",
                "see whether it is busy or stopped: redis-cli --latency",
            )
        if isinstance(error, redis_errors.ConnectionError | OSError):
            return SourceUnreachable(
                f"{where} cannot be reached: {said}", "start it, or name the right one with --redis-url"
            )
        if "WRONGTYPE" in said:
            return SourceUnusable(
                f"{where}: {tried} was refused, because that key is not a stream",
                "find what wrote it; the pipeline's streams are named in `blueplane-doctor settings`",
            )
        if "no such key" in said.lower():
            return SourceMissing(f"{where}: {tried}: there is no such key")
        return SourceUnusable(f"{where}: {tried} was refused: {said}")


def _open(url: str, limit: float) -> Any:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_timeout": max(0.05, limit),
        "socket_connect_timeout": max(0.05, limit),
        "retry": Retry(NoBackoff(), 0),  # by default a refused connection takes seconds to be reported
        "protocol": 2,  # every server speaks it, and HELLO needs no permission then
        "decode_responses": False,  # fields may hold any bytes
        "client_name": None,
        "driver_info": None,  # CLIENT SETINFO is a command that the least-privilege user has no need of
    }
    if url.startswith("rediss"):
        options["redis_connect_func"] = settle
    try:
        places = places_of(url)
        return open_places(places, options) if places else redis.Redis.from_url(url, **options)
    except redis.ConnectionError:
        raise
    except (ValueError, redis.RedisError) as error:
        raise SettingsError(
            f"redis_url: {_text(error)}", "for example redis://localhost:6379/0 or unix:///run/redis.sock"
        ) from error


def _reply(connection: Any) -> Any:
    import redis.exceptions as redis_errors

    try:
        return connection.read_response(disable_decoding=True)
    except redis_errors.ConnectionError:
        raise
    except redis_errors.ResponseError as error:
        return error


def pairs(reply: Sequence[Any]) -> dict[str, Any]:
    """A RESP2 reply of alternating names and values, as XINFO gives it. Raises SourceUnusable for anything else."""
    if not isinstance(reply, list):
        raise SourceUnusable("what answers there as Redis does not answer as Redis does", "see --redis-url")
    return {str(name, "utf-8", "replace"): value for name, value in zip(reply[::2], reply[1::2], strict=True)}


def _only_reads(command: Sequence[str | bytes | int]) -> None:
    name = _word(command[0]).upper()
    if name in ("XINFO", "CONFIG"):
        name += " " + _word(command[1]).upper()
    if name not in READ_COMMANDS:
        raise AssertionError(f"{name} is not a read command; the doctor never sends it")


def _no_permission(where: str, tried: str, said: str, command: Sequence[str | bytes | int]) -> SourceRefused:
    found = re.search(r"run the '([^']+)' command", said)
    right = f"+{found.group(1)}" if found else "%R~telemetry:*" if "key" in said else f"+{tried.lower()}"
    return SourceRefused(
        f"{where}: {tried} needs the permission {right}, which this user lacks: {said}",
        f"grant it: ACL SETUSER <user> {right}",
    )


def _word(value: str | bytes | int) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text[:80]


def _text(error: BaseException) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", str(error))[:300] or type(error).__name__

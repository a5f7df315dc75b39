"""What goes wrong with Redis, as errors of ours that say what to try."""

import re
from typing import NamedTuple

from blueplane_doctor.connection.base import Command, NoConnection, ProtocolError, ReplyError, ReplyTooLarge
from blueplane_doctor.connection.topology import CLUSTER, address_of, topology_of
from blueplane_doctor.errors import (
    SourceElsewhere,
    SourceError,
    SourceMissing,
    SourceNotServing,
    SourceProtocolError,
    SourceRefused,
    SourceReplyTooLarge,
    SourceTimeout,
    SourceUnreachable,
    SourceUnusable,
    SourceWrongType,
)
from blueplane_doctor.privacy.error_phrases import error_text, redis_code, redis_text
from blueplane_doctor.privacy.known_names import STREAMS
from blueplane_doctor.privacy.public_text import hidden

_NOT_SERVING = {
    "LOADING": ("is still loading its data from disk", "try again in a moment"),
    # Its own words recommend SHUTDOWN NOSAVE, which would lose the queue: they are not repeated.
    "BUSY": (
        "runs a script that does not end, and answers BUSY to every command",
        "end it: SCRIPT KILL, or FUNCTION KILL for a function; Redis refuses both once something was written",
    ),
    "MASTERDOWN": (
        "is a replica that lost its master, and answers MASTERDOWN because it may not serve old data",
        "bring its master back, or name the present master with {option}",
    ),
    "CLUSTERDOWN": (
        "belongs to a cluster that is down, and answers CLUSTERDOWN",
        "see what is missing with CLUSTER INFO and CLUSTER NODES",
    ),
}
"""What a server answers to every command while it serves none: what that means, and what to try."""
_ELSEWHERE = {
    "MOVED": "another node of its cluster holds what was asked for (MOVED)",
    "ASK": "the slot of what was asked for is being moved to another node (ASK)",
    "TRYAGAIN": "the slots of what was asked for are being moved to another node (TRYAGAIN)",
    "CROSSSLOT": "what was asked for at once lies on several nodes of its cluster (CROSSSLOT)",
}

OWN_KEYS = "blueplane:health:"
"""What the doctor's own keys begin with; what follows may be the name of a table."""
_COMMANDS = frozenset(
    {
        *("acl", "auth", "client", "cluster", "config", "del", "discard", "eval", "exec", "expire", "get", "hello"),
        *("hgetall", "hincrby", "hset", "info", "multi", "ping", "pttl", "scan", "select", "sentinel", "set", "ts.add"),
        *("ts.alter", "ts.create", "ts.info", "ts.madd", "ts.mrange", "ts.queryindex", "ts.range", "type", "unlink"),
        *("xack", "xadd", "xclaim", "xdel", "xgroup", "xinfo", "xlen", "xpending", "xrange", "xread", "xreadgroup"),
        *("xrevrange", "xtrim"),
    }
)
"""Commands that a refusal may name."""
_SUBCOMMANDS = frozenset({"STREAM", "GROUPS", "CONSUMERS", "GET", "LIST", "SLOTS", "CREATE", "GET-MASTER-ADDR-BY-NAME"})


class Endpoint(NamedTuple):
    """A Redis, and how messages speak of it."""

    url: str
    setting: str = "redis_url"
    """The setting that names it."""
    purpose: str = ""
    """What it is for, where it is not the examined one: `which is to hold the history`."""
    rights: str = ""
    """What its user needs, where that is more than the command that was refused."""

    @property
    def address(self) -> str:
        """Where it is, without user, password and host. Raises ValueError for a URL that cannot be read."""
        return address_of(self.url)

    @property
    def name(self) -> str:
        """The subject of a sentence about it."""
        if self.purpose:
            return f"Redis at {self.address}, {self.purpose},"
        return f"Redis at {self.address}"

    @property
    def option(self) -> str:
        """The option of the command line that names it."""
        return "--" + self.setting.replace("_", "-")

    @property
    def cluster_hint(self) -> str:
        """What to try where a node says that another one holds the key."""
        topology = topology_of(self.url)
        if topology and topology.kind == CLUSTER:
            return "the cluster is moving its slots: try again when it has ended"
        node = "HOST:PORT"
        if not self.url.startswith("unix:"):
            node = self.address.partition(" ")[0]
        return f"name the cluster instead of one of its nodes: {self.option} redis+cluster://{node}"


def source_error(error: Exception, endpoint: Endpoint, command: Command = (), seconds: float = 2.0) -> SourceError:
    """A connection's error, or a reply that is one, as ours.

    `command` is what was asked for, empty when the connection itself failed; `seconds` what a reply may take.
    """
    where = endpoint.name
    if isinstance(error, ReplyError):
        return _refusal(str(error), endpoint, command)
    if isinstance(error, ProtocolError):
        kind = SourceProtocolError
        if isinstance(error, ReplyTooLarge):
            kind = SourceReplyTooLarge
        return kind(
            f"what answers at {endpoint.address} does not answer as Redis does: {_protocol_error(error)}",
            f"see whether {endpoint.option} names a Redis; blueplane-doctor settings shows which it is",
        )
    if isinstance(error, TimeoutError):
        return SourceTimeout(
            f"{where} accepted the connection and gave no answer in {seconds:g} s",
            "see whether it is busy, stopped or paused (CLIENT PAUSE ends with CLIENT UNPAUSE)",
        )
    if isinstance(error, OSError):
        problem = str(error) if isinstance(error, NoConnection) else error_text(error)
        return SourceUnreachable(
            f"{where} cannot be reached: {problem}",
            f"start it, or name the right one with {endpoint.option}; blueplane-doctor settings shows which it is",
        )
    return SourceUnusable(f"{where}: {error_text(error)}")


def _protocol_error(error: ProtocolError) -> str:
    text = str(error)
    if text.startswith("Protocol error"):  # hiredis' own, which quotes a byte
        return "its bytes are no reply"
    return text


def _refusal(text: str, endpoint: Endpoint, command: Command) -> SourceError:
    """An error that Redis answered, as ours; its text may quote names, hosts and passwords, and is not repeated."""
    where = endpoint.name
    code = redis_code(text)
    if code == "NOPERM" or "no permissions" in text.lower():
        return _no_permission(endpoint, command, text)
    if re.search("^(NOAUTH|WRONGPASS)|invalid password|called without any password", text):
        return SourceRefused(
            f"{where} refused the login: {redis_text(text)}",
            f"give the right user and password: {endpoint.option} redis://USER:PASSWORD@HOST:PORT",
        )
    if code in _NOT_SERVING:
        state, hint = _NOT_SERVING[code]
        return SourceNotServing(f"{where} {state}", hint.format(option=endpoint.option), code, state)
    if code in _ELSEWHERE:
        return SourceElsewhere(f"{where}: {_ELSEWHERE[code]}", endpoint.cluster_hint, code)
    return _refused_command(endpoint, command, text)


def _refused_command(endpoint: Endpoint, command: Command, text: str) -> SourceError:
    tried = words_of(command)
    attempt = f"{endpoint.name}: {tried} was" if tried else endpoint.name
    if "WRONGTYPE" in text:
        problem = "holds another kind of value"
        if tried.startswith("X"):
            problem = "is not a stream"
        return SourceWrongType(
            f"{attempt} refused, because that key {problem}",
            "find what wrote it; the pipeline's streams are named by blueplane-doctor settings",
        )
    if "no such key" in text.lower():
        return SourceMissing(f"{endpoint.name}: {tried}: there is no such key")
    if "max number of clients" in text:
        return SourceUnusable(
            f"{endpoint.name} refuses new connections: as many are open as it allows (max number of clients reached)",
            "see who holds them (CLIENT LIST), end what leaves them open, or raise maxclients",
        )
    hint = ""
    if "unknown command" in text:
        hint = (
            "see what answers there: Redis before 5.0 has no streams, a command may have been renamed in redis.conf "
            f"(rename-command), and a Sentinel is named as {endpoint.option} redis+sentinel://HOST:PORT/SERVICE"
        )
    if "DB index is out of range" in text:
        hint = f"name a database that it has (CONFIG GET databases): {endpoint.option} redis://HOST:PORT/NUMBER"
    if text.startswith("DENIED"):
        hint = (
            "it answers this host only once it is set up for that: give its default user a password (requirepass), or "
            "reach it over a loopback address or its socket"
        )
    if text.startswith("OOM"):
        hint = f"free memory there, or name another with {endpoint.option}"
    return SourceUnusable(f"{attempt} refused: {redis_text(text)}", hint)


def _no_permission(endpoint: Endpoint, command: Command, text: str) -> SourceRefused:
    if endpoint.rights:
        return SourceRefused(f"{endpoint.name} gives this user no permission (NOPERM)", endpoint.rights)
    tried = words_of(command) or "a command"
    named = re.search(r"run the '([a-z.]{1,30})(?:\|([a-z-]{1,30}))?' command", text)
    if named and named[1] in _COMMANDS:
        right = f"+{named[1]}"
        if named[2] and named[2].upper() in _SUBCOMMANDS:
            right += f"|{named[2]}"
    elif "key" in text:
        right = "%R~blueplane:health:*" if "blueplane:health:" in tried else "%R~telemetry:*"
    else:
        right = f"+{tried.lower()}"
    return SourceRefused(
        f"{endpoint.name}: {tried} needs the permission {right}, which this user lacks (NOPERM)",
        f"grant it: ACL SETUSER <user> {right}",
    )


def words_of(command: Command) -> str:
    """The beginning of a command, for messages: its name, and its key or subcommand where that is no private name."""
    words = [str(word) for word in command[:1]]
    for word in command[1:2]:
        words.append(_key_or_subcommand(word))
    return " ".join(words)


def _key_or_subcommand(value: str | bytes | int) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if text.upper() in _SUBCOMMANDS or text in STREAMS:
        return text
    if text.startswith(OWN_KEYS):
        return f"{OWN_KEYS}*"
    return hidden(value if isinstance(value, bytes) else text)

"""Faults of Redis: it is not there, does not answer, answers something else, refuses, and changes in mid run."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import hiredis

from tests.connection.changing_proxy import Behaviour, ChangingProxy
from tests.connection.hostile import Speak, drips, says, says_without_end, speaking
from tests.connection.strange_replies import ERRORS
from tests.faults.registry import OF_REDIS, READING, WHOLE, Apply, Fault, add
from tests.faults.stage import Stage
from tests.truth.redis_process import NOBODY
from tests.truth.situations import SITUATIONS

_BLINDS = OF_REDIS | {"redis", "dead-letters"}
_SHORT = ("examine", "trace", "dlq", "record", "history", "repair")


def _at(url: str) -> Apply:
    """The doctor is given this URL."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        stage.redis_url = url
        yield

    return apply


def _speaks(speak: Speak) -> Apply:
    """The doctor meets a server that speaks so."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        with speaking(speak) as url:
            stage.redis_url = url
            yield

    return apply


def _answers(reply: bytes) -> Speak:
    """To each command this reply."""

    def speak(connection: socket.socket) -> None:
        # The first request was read before: whatever it held, one reply more does no harm, for the client reads
        # only as many as it asked for and then closes.
        connection.sendall(reply * 8)
        while data := connection.recv(1 << 16):
            reader = hiredis.Reader()
            reader.feed(data)
            while reader.gets() is not False:
                connection.sendall(reply)

    return speak


def _closes(connection: socket.socket) -> None:
    connection.close()


@contextlib.contextmanager
def _silent(stage: Stage) -> Iterator[None]:
    """The connection is made, and nobody ever takes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stage.redis_url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        yield


def _proxied(target: str, behaviour: Behaviour) -> Apply:
    """The replies to one command are changed."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        with ChangingProxy(str(stage.socket)) as proxy:
            proxy.target = target
            proxy.behaviour = behaviour
            stage.redis_url = proxy.url
            yield

    return apply


def in_mid_run(happens: Callable[[Stage], object], target: str = "XRANGE") -> Apply:
    """Just before the reply to the first of these commands is passed on, this happens, once."""

    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        once = threading.Lock()

        def change(reply: bytes) -> bytes:
            if once.acquire(blocking=False):
                happens(stage)
            return reply

        with ChangingProxy(str(stage.socket)) as proxy:
            proxy.target = target
            proxy.behaviour = Behaviour(change)
            stage.redis_url = proxy.url
            yield

    return apply


UNREACHABLE: dict[str, tuple[Apply, tuple[str, ...]]] = {
    "refused": (_at(f"redis://127.0.0.1:{NOBODY}/0"), ("cannot be reached",)),
    "no-such-host": (_at("redis://no-such-host.invalid:6379/0"), ("cannot be reached",)),
    "no-such-socket": (_at("unix:///nowhere/redis.sock"), ("cannot be reached",)),
    "hangs": (_silent, ("no answer",)),
    "drips": (_speaks(drips(b"$100000\r\n", 0.2)), ("no answer", "does not answer as Redis")),
    "closes-at-once": (_speaks(_closes), ("cannot be reached", "closed")),
    "http": (_speaks(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")), ("does not answer as Redis",)),
    "binary": (_speaks(says(bytes(range(256)))), ("does not answer as Redis",)),
    "endless-bulk": (_speaks(says_without_end(b"$99999999999\r\n", b"x")), ("does not answer as Redis",)),
    "endless-array": (_speaks(says_without_end(b"*4000000000\r\n", b":1\r\n")), ("does not answer as Redis",)),
}
for _name, (_apply, _words) in UNREACHABLE.items():
    add(Fault(f"redis-{_name}", "Redis", _apply, WHOLE, _words, _BLINDS))

# Each class of errors as the only answer to everything.
for _text in ERRORS[:-2]:
    _code = _text.partition(" ")[0]
    add(
        Fault(
            f"redis-says-{_code.lower()}",
            "Redis",
            _speaks(_answers(b"-" + _text.encode() + b"\r\n")),
            _SHORT,
            (),
            _BLINDS | {"disk"},
        )
    )

MID_REPLY = {
    "half-then-silence": Behaviour(lambda raw: raw[: len(raw) // 2]),
    "half-then-closed": Behaviour(lambda raw: raw[: len(raw) // 2], and_close=True),
    "drip": Behaviour(drip_seconds=0.2),
    "nil": Behaviour(lambda _: b"$-1\r\n"),
    "of-another-type": Behaviour(lambda _: b":5\r\n"),
    "nested": Behaviour(lambda _: b"*1\r\n" * 2_000 + b":1\r\n"),
    "twice": Behaviour(lambda raw: raw + raw),
}
for _target in ("XINFO STREAM", "XRANGE"):
    for _name, _behaviour in MID_REPLY.items():
        _fault_name = f"reply-{_name}-to-{_target.lower().replace(' ', '-')}"
        add(
            Fault(
                _fault_name,
                "Redis",
                _proxied(_target, _behaviour),
                ("examine", "trace", "dlq", "record", "repair"),
                (),
                _BLINDS,
            )
        )

RIGHTS = (
    "+ping",
    "+info",
    "+xlen",
    "+xpending",
    "+xrange",
    "+xrevrange",
    "+xinfo|stream",
    "+xinfo|groups",
    "+xinfo|consumers",
    "+multi",
    "+exec",
    "%R~telemetry:*",
)


def _without_right(missing: str) -> Apply:
    @contextlib.contextmanager
    def apply(stage: Stage) -> Iterator[None]:
        given = [right for right in RIGHTS if right != missing]
        # A user needs some key rule: without the one in question, that of keys which nobody has.
        given.append("%R~nothing:*")
        stage.situation.client.execute_command("ACL", "SETUSER", "doctor", "on", ">reading", "-@all", *given)
        stage.redis_url = f"redis://doctor:reading@127.0.0.1:{stage.situation.redis.port}/0"
        yield

    return apply


_NOT_NEEDED = ("+ping", "+multi", "+exec", "+xrevrange", "+info")
"""Without these the doctor finds another way, or says less; it need not complain."""
for _right in RIGHTS:
    add(
        Fault(
            f"without-{_right.strip('+%').replace('|', '-').partition('~')[0].lower()}",
            "Redis",
            _without_right(_right),
            ("examine", "trace", "dlq", "record", "probe", "repair"),
            () if _right in _NOT_NEEDED else (_right, "permission"),
            _BLINDS,
        )
    )


def _config(**settings: object) -> Callable[[Stage], None]:
    def happens(stage: Stage) -> None:
        for name, value in settings.items():
            stage.situation.client.config_set(name.replace("_", "-"), value)

    return happens


def _busy(stage: Stage) -> None:
    """Two seconds and more in which Redis serves nobody."""
    port = stage.situation.redis.port
    connection = stage.situation.hold(socket.create_connection(("127.0.0.1", port)))
    connection.sendall(b"DEBUG SLEEP 4\r\n")


def _destroy_groups(stage: Stage) -> None:
    for group in ("processors", "claude_processors"):
        stage.situation.client.xgroup_destroy("telemetry:message_queue", group)


def _of_another_type(stage: Stage) -> None:
    stage.situation.client.delete("telemetry:message_queue")
    stage.situation.client.set("telemetry:message_queue", "text")


def _kill_connections(stage: Stage) -> None:
    stage.situation.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


MID_RUN: dict[str, Callable[[Stage], object]] = {
    "flushall": lambda stage: stage.situation.client.flushall(),
    "stream-deleted": lambda stage: stage.situation.client.delete("telemetry:message_queue"),
    "stream-trimmed": lambda stage: stage.situation.trim(1),
    "stream-of-another-type": _of_another_type,
    "groups-destroyed": _destroy_groups,
    "killed": lambda stage: stage.situation.redis.kill(),
    "restarted": lambda stage: stage.situation.redis.restart(),
    "failover": lambda stage: stage.situation.client.replicaof("127.0.0.1", NOBODY),
    "debug-sleep": _busy,
    "paused": lambda stage: stage.situation.client.execute_command("CLIENT", "PAUSE", 4_000, "ALL"),
    "memory-full": _config(maxmemory_policy="noeviction", maxmemory="1mb"),
    "connections-killed": _kill_connections,
    "new-password": _config(requirepass="another"),
    "no-more-clients": _config(maxclients=1),
}
_OF_A_RUN = ("examine", "trace", "dlq", "watch", "record", "support", "repair")
for _name, _happens in MID_RUN.items():
    add(
        Fault(
            f"in-mid-run-{_name}",
            "Redis",
            in_mid_run(_happens),
            _OF_A_RUN,
            (),
            _BLINDS | {"disk"},
            changes=True,
        )
    )


def _at_its_own_port(stage: Stage) -> contextlib.AbstractContextManager[None]:
    stage.redis_url = stage.situation.truth.facts.get("redis_url") or stage.redis_url
    return contextlib.nullcontext()


OF_THE_TRUTH = {
    "refuses-oom-noeviction": "memory",
    "refuses-misconf": "MISCONF",
    "refuses-readonly-master-gone": "replica",
    "refuses-noreplicas": "replica",
    "refuses-busy-script": "script",
    "refuses-client-pause": "",
    "reading-must-not-evict": "evict",
}
"""Situations of tests/truth, and a word of their cause."""
for _name, _word in OF_THE_TRUTH.items():
    _entry = SITUATIONS[_name]
    add(
        Fault(
            _name,
            "Redis",
            _at_its_own_port,
            READING,
            (_word,),
            _BLINDS,
            prepare=(lambda situation, entry=_entry: entry.build(situation, **entry.arguments)),
            options=dict(_entry.options),
        )
    )

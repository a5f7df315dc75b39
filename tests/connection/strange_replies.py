"""Replies that no Redis gives, for ChangingProxy: of another type, with one value of another type, strange INFO."""

from collections.abc import Iterator
from typing import Any

import hiredis

from tests.connection.changing_proxy import Behaviour, Change, Raw, decoded, encoded

ERRORS = (
    "ERR unknown",
    "NOPERM this user has no permissions",
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF Redis is configured to save RDB snapshots",
    "READONLY You can't write against a read only replica.",
    "NOREPLICAS Not enough good replicas to write.",
    "MASTERDOWN Link with MASTER is down",
    "CLUSTERDOWN The cluster is down",
    "MOVED 1234 10.0.0.7:6379",
    "ASK 1234 10.0.0.7:6379",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CROSSSLOT Keys in request don't hash to the same slot",
    "EXECABORT Transaction discarded because of previous errors.",
    "NOGROUP No such key or consumer group",
    "NOSCRIPT No matching script.",
    "UNKILLABLE",
    "",
    "\x1b]52;c;AAAA\x07 \udcff".encode("utf-8", "replace").decode(),
)
WRONG: dict[str, Raw] = {
    "nil": b"$-1\r\n",
    "nil array": b"*-1\r\n",
    "zero": b":0\r\n",
    "integer": b":5\r\n",
    "negative": b":-5\r\n",
    "largest": b":9223372036854775807\r\n",
    "ok": b"+OK\r\n",
    "queued": b"+QUEUED\r\n",
    "empty bulk": b"$0\r\n\r\n",
    "bulk": b"$5\r\nhello\r\n",
    "not UTF-8": b"$4\r\n\xff\xfe\x00\x80\r\n",
    "empty array": b"*0\r\n",
    "array of nil": b"*1\r\n$-1\r\n",
    "array of integers": b"*2\r\n:1\r\n:2\r\n",
    "array of texts": b"*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    "odd array": b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
    "nested arrays": b"*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    "pairs": b"*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$1\r\nx\r\n$-1\r\n",
    "deep": b"*1\r\n" * 2_000 + b":1\r\n",
    "map": b"%1\r\n$1\r\na\r\n$1\r\nb\r\n",
    "map of a map": b"*1\r\n%1\r\n%1\r\n+a\r\n+b\r\n+c\r\n",
    "set": b"~2\r\n+a\r\n+b\r\n",
    "null": b"_\r\n",
    "true": b"#t\r\n",
    "double": b",1.5\r\n",
    "infinity": b",inf\r\n",
    "big number": b"(" + b"9" * 400 + b"\r\n",
    "verbatim": b"=8\r\ntxt:text\r\n",
    "push": b">1\r\n+a\r\n",
    "error inside": b"*2\r\n-ERR inside\r\n:1\r\n",
    "garbage": b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
    "binary": bytes(range(256)),
    "integer of 400 digits": b":" + b"9" * 400 + b"\r\n",
    "length that is none": b"$abc\r\nx\r\n",
    "negative length": b"$-7\r\n",
    "array of 4e9": b"*4000000000\r\n",
    "bulk of 4e9": b"$4000000000\r\n",
}
WRONG |= {f"error {text.partition(' ')[0]!r}": b"-" + text.encode() + b"\r\n" for text in ERRORS}


def replies_of_another_type() -> dict[str, Behaviour]:
    """The whole reply is another one."""
    return {name: Behaviour(_always(raw)) for name, raw in WRONG.items()}


def broken_off() -> dict[str, Behaviour]:
    """The reply does not end, or the connection does."""
    return {
        "half, then silence": Behaviour(lambda raw: raw[: len(raw) // 2]),
        "half, then closed": Behaviour(lambda raw: raw[: len(raw) // 2], and_close=True),
        "nothing, then closed": Behaviour(lambda raw: b"", and_close=True),
        "whole, then closed": Behaviour(and_close=True),
        "drip": Behaviour(drip_seconds=0.2),
        "endless bulk": Behaviour(lambda raw: b"$99999999999\r\n", endless=b"x" * 65_536),
        "endless line": Behaviour(lambda raw: b"+", endless=b"x" * 65_536),
        "endless array": Behaviour(lambda raw: b"*2147483647\r\n", endless=b":1\r\n" * 10_000),
        "twice": Behaviour(lambda raw: raw + raw),
    }


def _always(raw: Raw) -> Change:
    return lambda _: raw


ELSE: dict[str, Any] = {
    "nil": None,
    "integer": 7,
    "negative": -7,
    "largest": 2**63 - 1,
    "text": b"abc",
    "empty": b"",
    "not UTF-8": b"\xff\xfe",
    "400 digits": b"9" * 400,
    "ID of 400 digits": b"9" * 400 + b"-1",
    "array": [b"a", [1, None]],
    "map": {b"a": b"b"},
    "error": hiredis.ReplyError("ERR inside"),
    "true": True,
}


def with_one_other_value(reply: Raw) -> Iterator[tuple[str, Raw]]:
    """The reply with each of its values in turn replaced by each of ELSE; of lists the first two members."""
    value = decoded(reply)
    for path in _places(value, ()):
        for name, other in ELSE.items():
            yield f"{'.'.join(map(str, path))} {name}", encoded(_replaced(value, path, other))


def _places(value: Any, path: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    if not isinstance(value, list):
        return
    is_fields = len(value) > 2 and isinstance(value[0], bytes)
    members = range(len(value)) if is_fields else range(min(len(value), 3))
    for place in members:
        yield (*path, place)
        yield from _places(value[place], (*path, place))


def _replaced(value: Any, path: tuple[int, ...], other: Any) -> Any:
    if not path:
        return other
    changed = list(value)
    changed[path[0]] = _replaced(changed[path[0]], path[1:], other)
    return changed


INFO_FIELDS = (
    "redis_version",
    "valkey_version",
    "server_time_usec",
    "process_id",
    "tcp_port",
    "executable",
    "config_file",
    "uptime_in_seconds",
    "used_memory",
    "used_memory_dataset",
    "maxmemory",
    "maxmemory_policy",
    "mem_not_counted_for_evict",
    "loading",
    "loading_start_time",
    "loading_eta_seconds",
    "rdb_changes_since_last_save",
    "rdb_last_save_time",
    "rdb_last_bgsave_status",
    "rdb_saves",
    "aof_enabled",
    "aof_last_write_status",
    "instantaneous_ops_per_sec",
    "total_commands_processed",
    "role",
    "master_link_status",
    "min_slaves_good_slaves",
    "master_link_down_since_seconds",
    "paused_timeout_milliseconds",
    "errorstat_OOM",
    "db0",
)
INFO_VALUES = {
    "missing": None,
    "empty": b"",
    "negative": b"-5",
    "minus": b"--5",
    "400 digits": b"9" * 400,
    "5000 digits": b"9" * 5000,
    "text": b"lots",
    "not UTF-8": b"\xff\xfe",
    "superscript": "²".encode(),
    "other digits": "٣".encode(),
    "fraction": b"1.5",
    "infinity": b"inf",
    "not a number": b"nan",
    "exponent": b"1e400",
    "largest": b"9223372036854775807",
    "beyond": b"18446744073709551616",
}


def strange_info() -> dict[str, Behaviour]:
    """INFO with one field changed, doubled, and as a whole strange."""
    behaviours = {}
    for field in INFO_FIELDS:
        for name, value in INFO_VALUES.items():
            behaviours[f"{field} {name}"] = Behaviour(_with_field(field.encode(), value))
        behaviours[f"{field} twice"] = Behaviour(_with_line(field.encode() + b":77"))
    behaviours["no fields"] = Behaviour(lambda raw: encoded(b"# Server\r\n"))
    behaviours["no colons"] = Behaviour(lambda raw: encoded(decoded(raw).replace(b":", b" ")))
    behaviours["a million lines"] = Behaviour(_with_line(b"x:1\r\n" * 1_000_000))
    return behaviours


def _with_field(field: bytes, value: bytes | None) -> Change:
    def change(raw: Raw) -> Raw:
        text = decoded(raw)
        if not isinstance(text, bytes):
            return raw
        lines = [line for line in text.split(b"\r\n") if not line.startswith(field + b":")]
        if value is not None:
            lines.insert(1, field + b":" + value)
        return encoded(b"\r\n".join(lines))

    return change


def _with_line(line: bytes) -> Change:
    def change(raw: Raw) -> Raw:
        text = decoded(raw)
        return encoded(text + line + b"\r\n") if isinstance(text, bytes) else raw

    return change

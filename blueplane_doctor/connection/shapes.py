"""The form that a command's reply has: anything else does not come from Redis, and must not surprise who asked.

Each value that somebody works with is looked at here, so that nobody else has to expect another type.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from blueplane_doctor.connection.base import Command, ProtocolError, ReplyError
from blueplane_doctor.text.patterns import pattern

Shape = Callable[[Any], bool]

_ID = pattern(rb"[0-9]{1,20}-[0-9]{1,20}")
_IDS = pattern(rb"(?:[0-9]{1,20}-[0-9]{1,20},)*")
_NUMBER = pattern(rb"[-+]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?(?:e[-+]?[0-9]{1,4})?|inf|nan)", re.IGNORECASE)


def _is_integer(reply: Any) -> bool:
    return type(reply) is int


def _is_integer_or_nothing(reply: Any) -> bool:
    return reply is None or type(reply) is int


def _is_count(reply: Any) -> bool:
    return type(reply) is int and reply >= 0


def _is_text(reply: Any) -> bool:
    return type(reply) is bytes


def _is_pong(reply: Any) -> bool:
    # One with a channel subscribed would answer with a list; this connection subscribes to none.
    return type(reply) is bytes and reply == b"PONG"


def _is_text_or_nothing(reply: Any) -> bool:
    return reply is None or type(reply) is bytes


def _is_list_of_texts(reply: Any) -> bool:
    return type(reply) is list and set(map(type, reply)) <= {bytes}


def _is_single_or_nothing(reply: Any) -> bool:
    return reply is None or type(reply) in (int, bytes)


def _is_texts_in_pairs(reply: Any) -> bool:
    return _is_list_of_texts(reply) and len(reply) % 2 == 0


def _is_id(value: Any) -> bool:
    return type(value) is bytes and _ID.fullmatch(value) is not None


def _is_id_or_nothing(value: Any) -> bool:
    return value is None or _is_id(value)


def _is_entries(reply: Any) -> bool:
    # Pages hold hundreds of entries, so that no line of Python is run for each.
    if not _is_list_of_pairs(reply):
        return False
    ids = list(map(itemgetter(0), reply))
    fields = list(map(itemgetter(1), reply))
    if not _is_list_of_texts(ids) or not _IDS.fullmatch(b",".join(ids) + b"," * bool(ids)):
        return False
    if not set(map(type, fields)) <= {list} or any(length % 2 for length in set(map(len, fields))):
        return False
    return _are_texts(fields)


def _are_texts(lists: list[list[Any]]) -> bool:
    """Whether these lists hold nothing but bytes: to join them looks at each, in a fifth of the time of its type."""
    try:
        for parts in lists:
            b"".join(parts)
    except TypeError:
        return False
    return True


def _is_entry_or_nothing(value: Any) -> bool:
    return value is None or _is_entries([value])


def _is_list_of_pairs(reply: Any) -> bool:
    return type(reply) is list and set(map(type, reply)) <= {list} and set(map(len, reply)) <= {2}


def _is_points(reply: Any) -> bool:
    return _is_list_of_pairs(reply) and all(_is_integer(moment) and _is_number(value) for moment, value in reply)


def _is_number(value: Any) -> bool:
    return type(value) is bytes and _NUMBER.fullmatch(value) is not None


def _is_summary(reply: Any) -> bool:
    """XPENDING without a range: how many, the first, the last, and how many of each consumer."""
    return type(reply) is list and len(reply) == 4 and _is_count(reply[0]) and all(map(_is_id_or_nothing, reply[1:3]))


def _is_pending_entries(reply: Any) -> bool:
    """XPENDING with a range: ID, consumer, idle time and deliveries of each entry."""
    return type(reply) is list and all(map(_is_pending_entry, reply))


def _is_pending_entry(row: Any) -> bool:
    if type(row) is not list or len(row) != 4:
        return False
    identity, consumer, idle_ms, deliveries = row
    return _is_id(identity) and _is_text(consumer) and _is_count(idle_ms) and _is_count(deliveries)


def _record(required: Mapping[bytes, Shape], optional: Mapping[bytes, Shape] | None = None) -> Shape:
    """Names and values alternate. A value that is optional may be missing; others are not looked at."""
    known = {**required, **(optional or {})}

    def is_record(reply: Any) -> bool:
        if type(reply) is not list or len(reply) % 2 or not _is_list_of_texts(reply[::2]):
            return False
        values = dict(zip(reply[::2], reply[1::2], strict=True))
        if not required.keys() <= values.keys():
            return False
        return all(shape(values[name]) for name, shape in known.items() if name in values)

    return is_record


def _list_of(shape: Shape) -> Shape:
    return lambda reply: type(reply) is list and all(map(shape, reply))


def _list_of_length(length: int) -> Shape:
    return lambda reply: type(reply) is list and len(reply) == length


_STREAM = _record(
    {
        b"length": _is_count,
        b"last-generated-id": _is_id,
        b"first-entry": _is_entry_or_nothing,
    },
    {b"entries-added": _is_count},
)
_GROUP = _record(
    {b"name": _is_text, b"consumers": _is_count, b"pending": _is_count, b"last-delivered-id": _is_id},
    {b"entries-read": _is_integer_or_nothing, b"lag": _is_integer_or_nothing},
)
_CONSUMER = _record({b"name": _is_text, b"pending": _is_count, b"idle": _is_count})

_SHAPES: dict[str, Shape] = {
    "PING": _is_pong,
    "INFO": _is_text,
    "CONFIG": _is_texts_in_pairs,
    "XLEN": _is_count,
    "XRANGE": _is_entries,
    "XREVRANGE": _is_entries,
    "XINFO STREAM": _STREAM,
    "XINFO GROUPS": _list_of(_GROUP),
    "XINFO CONSUMERS": _list_of(_CONSUMER),
    "HGETALL": _is_texts_in_pairs,
    "HGET": _is_text_or_nothing,
    "EXISTS": _is_count,
    "PFCOUNT": _is_count,
    "PTTL": _is_integer,
    "TS.QUERYINDEX": _is_list_of_texts,
    "TS.RANGE": _is_points,
    "EVAL": _is_single_or_nothing,
    "XADD": _is_id,
    "XDEL": _is_count,
    "XGROUP CREATE": _is_text,
    "XGROUP DESTROY": _is_count,
    "HSET": _is_count,
    "HINCRBY": _is_integer,
    "EXPIRE": _is_count,
    "DEL": _is_count,
    "WATCH": _is_text,
    "MULTI": _is_text,
}
_WORDS_OF_A_SAMPLE = 3
"""Of TS.MADD: key, time and value, behind the command's name."""
_WITH_SUBCOMMAND = ("XINFO", "XGROUP")


def checked_shape(reply: Any, command: Command) -> Any:
    """The reply, when it is an error or has the form of that command's. Raises ProtocolError."""
    name = str(command[0]).upper()
    if name in _WITH_SUBCOMMAND:
        name = f"{name} {str(command[1]).upper()}"
    shape = _SHAPES.get(name)
    if name == "TS.MADD":
        samples = len(command) // _WORDS_OF_A_SAMPLE
        shape = _list_of_length(samples)
    if name == "XPENDING":
        shape = _is_summary if len(command) == 3 else _is_pending_entries
    if shape is None or isinstance(reply, ReplyError) or shape(reply):
        return reply
    raise ProtocolError(f"the reply to {name} has another form than Redis gives it")


def checked_transaction(reply: Any, commands: Sequence[Command]) -> Any:
    """The reply to EXEC: None, an error, or one reply for each command. Raises ProtocolError."""
    if reply is None or isinstance(reply, ReplyError):
        return reply
    if type(reply) is not list or len(reply) != len(commands):
        raise ProtocolError("the reply to EXEC has another form than Redis gives it")
    for each, command in zip(reply, commands, strict=True):
        checked_shape(each, command)
    return reply

"""The form that a command's reply has: anything else does not come from Redis, and must not surprise who asked."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from blueplane_doctor.connection.base import Command, ProtocolError, ReplyError

Shape = Callable[[Any], bool]


def _is_integer(reply: Any) -> bool:
    return type(reply) is int


def _is_text(reply: Any) -> bool:
    return type(reply) is bytes


def _is_text_or_nothing(reply: Any) -> bool:
    return reply is None or type(reply) is bytes


def _is_list(reply: Any) -> bool:
    return type(reply) is list


def _is_list_of_texts(reply: Any) -> bool:
    return type(reply) is list and all(type(text) is bytes for text in reply)


def _is_names_and_values(reply: Any) -> bool:
    return type(reply) is list and len(reply) % 2 == 0 and _is_list_of_texts(reply[::2])


def _is_list_of_names_and_values(reply: Any) -> bool:
    return type(reply) is list and all(map(_is_names_and_values, reply))


def _is_list_of_pairs(reply: Any) -> bool:
    # Pages hold hundreds of entries, so that no line of Python is run for each.
    return type(reply) is list and set(map(type, reply)) <= {list} and set(map(len, reply)) <= {2}


def _is_entries(reply: Any) -> bool:
    return _is_list_of_pairs(reply) and set(map(type, map(itemgetter(0), reply))) <= {bytes}


_SHAPES: dict[str, Shape] = {
    "PING": _is_text,
    "INFO": _is_text,
    "CONFIG": _is_names_and_values,
    "XLEN": _is_integer,
    "XPENDING": _is_list,
    "XRANGE": _is_entries,
    "XREVRANGE": _is_entries,
    "XINFO STREAM": _is_names_and_values,
    "XINFO GROUPS": _is_list_of_names_and_values,
    "XINFO CONSUMERS": _is_list_of_names_and_values,
    "HGETALL": _is_names_and_values,
    "HGET": _is_text_or_nothing,
    "EXISTS": _is_integer,
    "PFCOUNT": _is_integer,
    "TS.QUERYINDEX": _is_list_of_texts,
    "TS.RANGE": _is_list_of_pairs,
    "TS.MADD": _is_list,
    "XADD": _is_text,
    "XDEL": _is_integer,
    "HSET": _is_integer,
    "HINCRBY": _is_integer,
    "EXPIRE": _is_integer,
    "DEL": _is_integer,
    "WATCH": _is_text,
    "MULTI": _is_text,
}


def checked_shape(reply: Any, command: Command) -> Any:
    """The reply, when it is an error or has the form of that command's. Raises ProtocolError."""
    name = str(command[0]).upper()
    if name == "XINFO":
        name = f"XINFO {str(command[1]).upper()}"
    shape = _SHAPES.get(name)
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

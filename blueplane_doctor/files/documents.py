"""JSON and YAML that others may have written, read within limits of depth and of numbers.

Every error is a DocumentError: no file may end the program with a RecursionError, or become gigabytes.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from blueplane_doctor.errors import DocumentError
from blueplane_doctor.process.light_imports import yaml
from blueplane_doctor.text.patterns import pattern
from blueplane_doctor.text.plain_numbers import is_in_bounds

MOST_DEPTH = 50
"""Values within values; a report has nine."""
_TOO_DEEP = f"values are nested more than {MOST_DEPTH} deep"
_TOO_LARGE = "it holds a number larger than 2^64"
_HALF_OF_A_PAIR = pattern("[\ud800-\udfff]")
_ESCAPED_SURROGATE = pattern(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")
JSON_STRING = pattern(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A text in JSON; one that does not end goes to the end, or many of them would be looked through again and again."""
_LEVELS = bytes.maketrans(b"{}", b"[]")
_OTHER_THAN_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_MOST_COLONS = 20
"""In a number of YAML written in sixties (1:30:00): Python takes seconds to add up thousands of them."""
_SIXTIES = pattern(r"[-+]?[0-9_:.]+")


def json_value(content: str | bytes) -> Any:
    """The value that JSON text holds. Raises DocumentError."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        if depth_of_json(text) > MOST_DEPTH:
            raise _beyond(_TOO_DEEP)
        value = json.loads(text, parse_int=_whole, parse_float=_real, parse_constant=_not_a_number)
    except UnicodeDecodeError:
        raise DocumentError("not JSON: it is no text") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _beyond(_TOO_DEEP) from None
    if _ESCAPED_SURROGATE.search(text):
        refuse_broken_text(value)
    return value


def depth_of_json(text: str) -> int:
    """How deeply arrays and objects are nested, found without building any of them; no less for what is no JSON."""
    brackets = JSON_STRING.sub("", text).encode("ascii", "replace").translate(_LEVELS, _OTHER_THAN_BRACKETS)
    # Each round takes away the innermost level, in a few calls: a file may hold millions of brackets.
    depth = 0
    while depth <= MOST_DEPTH:
        rest = brackets.replace(b"[]", b"")
        if len(rest) == len(brackets):
            break
        brackets = rest
        depth += 1
    return depth + brackets.count(b"[")


def yaml_value(text: str) -> Any:
    """The value that YAML text holds; no aliases. Raises DocumentError."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _refuse_yaml(text, loader)
        value = yaml.load(text, loader)
    except yaml.YAMLError as error:
        line = _line_at(getattr(error, "problem_mark", None))
        problem = getattr(error, "problem", None) or "no text"
        if "nesting" in problem:  # libyaml has a limit of its own, and some releases meet it before ours
            raise _beyond(_TOO_DEEP, line) from None
        raise DocumentError(f"not valid YAML: {problem}", line=line) from None
    except (ValueError, OverflowError, RecursionError, LookupError, AttributeError):
        # The library expects that a value has the form of its tag (`!!int x`). The text of the error may quote the
        # value, which may be a password.
        raise DocumentError("not valid YAML: a value that looks like a date or a number is none") from None
    _refuse_values(value)
    return value


def _line_at(mark: Any) -> int:
    """The line that a mark of the library stands for, from 1; 0 for no mark."""
    if mark is None:
        return 0
    return int(mark.line) + 1


def _refuse_yaml(text: str, loader: Any) -> None:
    """Look at the events, from which nothing is built yet. Raises DocumentError."""
    depth = 0
    for event in yaml.parse(text, loader):
        line = _line_at(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            # A few hundred bytes of aliases to aliases stand for gigabytes.
            raise _beyond("anchors and aliases (& and *) are not read: write the value out", line)
        if isinstance(event, yaml.ScalarEvent):
            if event.value.count(":") > _MOST_COLONS and _SIXTIES.fullmatch(event.value):
                raise _beyond(_TOO_LARGE, line)
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_DEPTH:
            raise _beyond(_TOO_DEEP, line)


def _refuse_values(value: Any) -> None:
    """Raise DocumentError for a number that is too large, or none, and for text that cannot be written out again."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            _refuse_values(name)
            _refuse_values(part)
    elif isinstance(value, list | set | tuple):
        for part in value:
            _refuse_values(part)
    elif isinstance(value, str):
        refuse_broken_text(value)
    elif isinstance(value, int):
        _checked(value)  # .inf and .nan are left to the settings, which can name what they stand for


def is_broken(text: str) -> bool:
    """Whether it holds half of a surrogate pair, which stands for a byte that is no text: no encoding can write it."""
    return _HALF_OF_A_PAIR.search(text) is not None


def refuse_broken_text(value: Any) -> None:
    """Raise DocumentError for a value with text that no encoding can write."""
    if isinstance(value, str):
        if is_broken(value):
            raise _beyond("it holds half of a surrogate pair, which is no text")
    elif isinstance(value, Mapping):
        for name, part in value.items():
            refuse_broken_text(name)
            refuse_broken_text(part)
    elif isinstance(value, list):
        for part in value:
            refuse_broken_text(part)


def _whole(digits: str) -> int:
    if len(digits) > 21:  # before Python takes its time to convert it
        raise _beyond(_TOO_LARGE)
    return int(_checked(int(digits)))


def _real(digits: str) -> float:
    return _checked(float(digits))


def _not_a_number(name: str) -> float:
    raise _beyond(f"{name} is not a number")


def _checked(number: float) -> float:
    if isinstance(number, float) and math.isnan(number):
        raise _beyond("NaN is not a number")
    if not is_in_bounds(number):
        raise _beyond(_TOO_LARGE)
    return number


def _beyond(limit: str, line: int = 0) -> DocumentError:
    return DocumentError(f"not usable: {limit}", line=line, limit=limit)

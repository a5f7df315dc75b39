"""What is wrong in a file of checks or monitors: the line, and the mistake in one sentence.

Only texts that name nothing but code are shown: Python's own words, with identifiers between quotes. Any other may
quote what was read, or a path, and is left out.
"""

import re
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from blueplane_doctor.errors import SettingsError, did_you_mean
from blueplane_doctor.model import Finding, Remedy
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import InvalidRecord, Problem
from blueplane_doctor.scales import UngradableValue
from blueplane_doctor.text.characters import plain
from blueplane_doctor.text.patterns import pattern

_ABOUT_CODE = (ImportError, NameError, AttributeError, TypeError, SettingsError)
"""Errors whose text may name code alone, as long as no check has run yet."""
_WORDS = frozenset(
    {
        *("None", "a", "abstract", "an", "and", "are", "argument", "arguments", "assignment", "at"),
        *("attribute", "be", "before", "but", "by", "call", "callable", "can", "cannot", "class"),
        *("concatenate", "defined", "did", "does", "entry", "expected", "file", "for", "free", "from", "given"),
        *("got", "green", "has", "have", "import", "imported", "initialized", "instance", "instances", "int"),
        *("invalid", "is", "it", "item", "iterable", "keyword", "keyword-only", "level", "levels", "local"),
        *("may", "mean", "method", "missing", "module", "multiple", "must", "name", "named", "no", "not"),
        *("number", "object", "objects", "of", "on", "only", "operand", "operands", "or", "orange"),
        *("parameter", "point", "positional", "positional-only", "python", "names", "red", "referenced", "required"),
        *("scale", "str", "string", "subscriptable", "supported", "takes", "than", "that", "the", "there"),
        *("to", "too", "tuple", "type", "types", "undefined", "unexpected", "unhashable", "unit", "unpack"),
        *("unsupported", "value", "values", "variable", "was", "were", "where", "which", "with", "without"),
        *("yellow", "you"),
    }
)
"""Words of Python's texts on code, and of ours."""
_IDENTIFIER = pattern(r"'[A-Za-z_][\w.]{0,60}'|\b[A-Za-z_][\w.]{0,60}\(\)|did you mean \w{1,60}|\bScale\.\w{1,30}")
_PATH_OF_MODULE = pattern(r" \((?:unknown location|[^()]*)\)\Z")
_FROZEN = pattern(r"immutable type: '(\w{1,60})'\Z")
_MADE_BY_CHECKS: dict[str, type[Record]] = {"Finding": Finding, "Remedy": Remedy}


def mistake_at_import(error: BaseException, file: Path | None) -> str:
    """`line 3: NameError: name 'chekc' is not defined`, for what a file raised when it was loaded.

    The line is left out where the error did not arise in this file; `file` is None for a module of a package.
    """
    if isinstance(error, SyntaxError):
        return _at(error.lineno, _syntax_text(error.msg))
    text = _known_mistake(error)
    if not text:
        text = type(error).__name__
        if isinstance(error, _ABOUT_CODE):
            text += _text_on_code(error)
    return _at(_line_in(error, file), text)


def _text_on_code(error: BaseException) -> str:
    """What is to stand behind the class of the error; empty where the text may hold more than code."""
    text = str(error)
    if isinstance(error, SettingsError):
        return f": {plain(text, 300)}"  # of a scale that cannot be used: our own words
    text = _PATH_OF_MODULE.sub("", text[:1_000])
    rest = re.findall(r"[^\s:;,.?!()=+*/-]+", _IDENTIFIER.sub(" ", text).replace("'", " "))
    if all(word.lower() in _WORDS or word.isdigit() for word in rest):
        return f": {plain(text, 300)}"
    return ""


def _syntax_text(text: str) -> str:
    if "/" in text or "\\" in text or "encoding" in text:
        return "the file is not text in UTF-8"
    return plain(text, 300)


def mistake_at_run(error: BaseException, file: Path | None = None) -> str:
    """`check_house.py line 7: Remedy has no field 'command', …`, for what a function of this file raised.

    Without `file`, or where the error has nothing to do with it, the place is where the error arose.
    """
    text = _known_mistake(error) or type(error).__name__
    line = _line_in(error, file)
    if file is not None and line is not None:
        return f"{file.name} line {line}: {text}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name} line {last.lineno}: {text}"


def mistaken_parameter(function: Callable[..., object], needs: Iterable[str], known: Iterable[str]) -> str:
    """The sentence for the first parameter of a check that names no health record; empty when all do."""
    names = sorted(known)
    for need in needs:
        if need not in names:
            place = f"{Path(function.__code__.co_filename).name} line {function.__code__.co_firstlineno}"
            hint = did_you_mean(need, names, f"there are {', '.join(names)}")
            return f"{place}: there is no health record named '{need}', {hint}"
    return ""


def mistaken_name(function: Callable[..., object], field: str, names: Iterable[str], known: Iterable[str]) -> str:
    """The sentence for the first name in a field of a decorator that names nothing; empty when all do."""
    there_are = sorted(known)
    for name in names:
        if name not in there_are:
            place = f"{Path(function.__code__.co_filename).name} line {function.__code__.co_firstlineno}"
            hint = did_you_mean(name, there_are, "see: blueplane-doctor checks")
            return f"{place}: {field} names '{plain(str(name), 60)}', which is not there, {hint}"
    return ""


def _known_mistake(error: BaseException) -> str:
    """The sentence for a mistake in the use of our records; empty for any other error."""
    if isinstance(error, InvalidRecord):
        return _wrong_field(error)
    if isinstance(error, UngradableValue):
        return f"Scale.grade: {error}"
    if isinstance(error, AttributeError) and isinstance(error.obj, Record):
        record = type(error.obj)
        return _no_field(record.__name__, str(error.name), record)
    frozen = isinstance(error, AttributeError) and _FROZEN.match(str(error))
    if frozen:
        return f"{frozen[1]} cannot be changed, model_copy(update=…) gives another one"
    return ""


def _wrong_field(error: InvalidRecord) -> str:
    """The first problem of a record that could not be made; never the value, which may be private."""
    if error.kind is Problem.UNKNOWN:
        record = _MADE_BY_CHECKS.get(error.record) if len(error.where) == 1 else None
        return _no_field(error.record, error.place, record)
    if error.kind is Problem.MISSING:
        return f"{error.record} needs the field '{error.place}'"
    where = f"{error.record}.{error.place}".removesuffix(".")  # empty where it concerns several fields
    return f"{where}: {error.message}"


def _no_field(record_name: str, field: str, record: type[Record] | None) -> str:
    hint = did_you_mean(field, record.model_fields, "") if record else ""
    return f"{record_name} has no field '{field}'" + (f", {hint}" if hint else "")


def _line_in(error: BaseException, file: Path | None) -> int | None:
    """The line of this file in which the error arose, or from which it was called."""
    if file is None:
        return None
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename) == file.absolute():
            return frame.lineno
    return None


def _at(line: int | None, text: str) -> str:
    return f"line {line}: {text}" if line else text

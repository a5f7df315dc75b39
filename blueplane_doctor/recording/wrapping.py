"""Measuring one method: what its call means is decided once, when it is wrapped; a call then costs little."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Protocol

from blueplane_doctor.recording.recorder import Recorder
from blueplane_doctor.text import word


class Spec(Protocol):
    """The fields of a `targets.Target`, without the model: a measured process need not load pydantic."""

    records: str
    name: str
    argument: str
    fails: str
    good: list[str]
    sessions: str
    captures: bool


Finish = Callable[[Any, tuple[Any, ...], dict[str, Any], Any, bool, float], None]
"""Records a call: instance, arguments, what it returned, whether it neither raised nor fell back, seconds."""

NAMES = 1000
"""Different pairs of platform and hook whose name is kept; further ones are made anew each time."""

_fallen_back: ContextVar[list[bool] | None] = ContextVar("blueplane_doctor_fallen_back", default=None)


class Unsuitable(Exception):
    """The method is there, but not as expected."""


def wrapper_for(spec: Spec, function: Any, recorder: Recorder) -> Callable[..., Any]:
    """The wrapt wrapper that measures `function`. Raises Unsuitable when it lacks the parameter that is needed."""
    finish = _finish(spec, function, recorder)
    falls_back = spec.fails == "falls-back"
    if inspect.iscoroutinefunction(function):
        return _asynchronous(finish, recorder, falls_back)
    return _synchronous(finish, recorder, falls_back)


def fallback_wrapper(wrapped: Any, instance: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The wrapt wrapper of a fallback: notes that it was called."""
    noted = _fallen_back.get()
    if noted is not None:
        noted.append(True)
    return wrapped(*arguments, **named)


def _synchronous(finish: Finish, recorder: Recorder, falls_back: bool) -> Callable[..., Any]:
    def measured(wrapped: Any, instance: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        noted: list[bool] = []
        token = _fallen_back.set(noted) if falls_back else None
        began = perf_counter()
        try:
            result = wrapped(*arguments, **named)
        except Exception:
            _safely(finish, recorder, instance, arguments, named, None, False, perf_counter() - began)
            raise
        finally:
            if token:
                _fallen_back.reset(token)
        _safely(finish, recorder, instance, arguments, named, result, not noted, perf_counter() - began)
        return result

    return measured


def _asynchronous(finish: Finish, recorder: Recorder, falls_back: bool) -> Callable[..., Any]:
    async def measured(wrapped: Any, instance: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        noted: list[bool] = []
        token = _fallen_back.set(noted) if falls_back else None
        began = perf_counter()
        try:
            result = await wrapped(*arguments, **named)
        except Exception:  # a cancelled call has neither succeeded nor failed
            _safely(finish, recorder, instance, arguments, named, None, False, perf_counter() - began)
            raise
        finally:
            if token:
                _fallen_back.reset(token)
        _safely(finish, recorder, instance, arguments, named, result, not noted, perf_counter() - began)
        return result

    return measured


def _safely(finish: Finish, recorder: Recorder, *call: Any) -> None:
    try:
        finish(*call)
    except Exception:  # what the server passes along may be anything; measuring it must not show
        recorder.drop(1)


def _finish(spec: Spec, function: Any, recorder: Recorder) -> Finish:
    if spec.records == "write":
        return _write(spec, function, recorder)
    return _hook(spec, function, recorder) if spec.records == "hook" else _monitor(spec, function, recorder)


def _write(spec: Spec, function: Any, recorder: Recorder) -> Finish:
    batch_of = _argument(function, spec.argument)
    write, table, failed = recorder.write, spec.name, _failed(spec)

    def finish(
        instance: Any, arguments: tuple[Any, ...], named: dict[str, Any], result: Any, ok: bool, took: float
    ) -> None:
        rows = len(batch_of(arguments, named))
        if rows:  # an empty batch is not written
            write(table, rows, took, ok and not failed(result))

    return finish


def _hook(spec: Spec, function: Any, recorder: Recorder) -> Finish:
    event_of = _argument(function, spec.argument) if spec.argument else None
    platform_of = _argument(function, "platform", "")
    hook, failed = recorder.hook, _failed(spec)
    names: dict[tuple[str | None, str | None], str] = {}  # only words: an event's fields may hold private text

    def name_of(platform: str | None, kind: str | None) -> str:
        name = names.get((platform, kind))
        if name is None:
            name = f"{word(platform)}/{word(kind)}" if platform else word(kind)
            if len(names) < NAMES:
                names[(platform, kind)] = name
        return name

    def finish(
        instance: Any, arguments: tuple[Any, ...], named: dict[str, Any], result: Any, ok: bool, took: float
    ) -> None:
        name = spec.name
        if not name and event_of:
            event = event_of(arguments, named)
            kind = event.get("hook_type") if isinstance(event, dict) else None
            name = name_of(_text(platform_of(arguments, named)), _text(kind))
        hook(name, ok and not failed(result))

    return finish


def _text(value: Any) -> str | None:
    return str.__str__(value) if isinstance(value, str) else None


def _monitor(spec: Spec, function: Any, recorder: Recorder) -> Finish:
    state_of = _argument(function, spec.argument) if spec.fails == "state" else None
    monitor, name, failed, good = recorder.monitor, spec.name, _failed(spec), frozenset(spec.good)
    captures = spec.captures

    def finish(
        instance: Any, arguments: tuple[Any, ...], named: dict[str, Any], result: Any, ok: bool, took: float
    ) -> None:
        ok = ok and not failed(result) and (state_of is None or state_of(arguments, named) in good)
        sessions = len(getattr(instance, spec.sessions)) if spec.sessions else None
        monitor(name, sessions, int(ok) if captures else None, ok)

    return finish


def _failed(spec: Spec) -> Callable[[Any], bool]:
    """Whether a call that returned this has failed."""
    if spec.fails == "returns-zero":
        return lambda result: result == 0
    if spec.fails == "returns-false":
        return lambda result: not result
    return lambda result: False


_REQUIRED = object()


def _argument(function: Any, name: str, default: Any = _REQUIRED) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Finds the value of a parameter in a call. Raises Unsuitable when the function has no such parameter."""
    parameters = [parameter for parameter in inspect.signature(function).parameters if parameter not in ("self", "cls")]
    if name not in parameters:
        if default is _REQUIRED:
            raise Unsuitable(f"it has no parameter {name}")
        return lambda arguments, named: default
    place = parameters.index(name)
    return lambda arguments, named: arguments[place] if len(arguments) > place else named.get(name, default)

"""Measuring one method: what its call means is decided once, when it is wrapped; a call then costs little."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from time import perf_counter
from types import ModuleType
from typing import Any, Protocol

from wrapt import resolve_path, wrap_function_wrapper

from blueplane_doctor.privacy.public_text import event_type, platform
from blueplane_doctor.recording.recorder import Recorder


class Spec(Protocol):
    """The fields of a `pipeline.Target`, without the model: a measured process need not load the records."""

    records: str
    name: str
    argument: str
    fails: str
    good: list[str]
    sessions: str
    captures: bool


Arguments = tuple[Any, ...]
Named = dict[str, Any]
Record = Callable[[Any, Arguments, Named, bool, float], None]
"""Records a call: instance, arguments, whether it succeeded, seconds."""
_FAILED: dict[str, Callable[[Any], bool]] = {
    "returns-zero": lambda result: result == 0,
    "returns-false": lambda result: not result,
}

_REQUIRED = object()
# A list, for the fallback may run in a copy of the context: what it sets there is not seen here, what it adds is.
_fallen_back: ContextVar[list[bool] | None] = ContextVar("blueplane_doctor_fallen_back", default=None)


class Unsuitable(Exception):
    """The method is there, but not as expected."""


def wrap(target: Any, module: ModuleType, recorder: Recorder) -> None:
    """Measure a target in its module. Raises Unsuitable, and AttributeError where the module has no such method."""
    owner, name, _ = resolve_path(module, target.path)
    wrapper = wrapper_for(target, getattr(owner, name), recorder)
    if target.fallback:
        wrap_function_wrapper(owner, target.fallback, fallback_wrapper)
    wrap_function_wrapper(owner, name, wrapper)


def wrapper_for(spec: Spec, function: Any, recorder: Recorder) -> Callable[..., Any]:
    """The wrapt wrapper that measures `function`. Raises Unsuitable when it lacks the parameter that is needed."""
    record = {"write": _write, "hook": _hook, "monitor": _monitor}[spec.records](spec, function, recorder)
    failed = _FAILED.get(spec.fails, lambda result: False)

    def finish(instance: Any, arguments: Arguments, named: Named, result: Any, ok: bool, took: float) -> None:
        try:
            record(instance, arguments, named, ok and not failed(result), took)
        except Exception:  # what the server passes along may be anything; measuring it must not show
            recorder.drop(1)

    measured = _asynchronous if inspect.iscoroutinefunction(function) else _synchronous
    return measured(finish, spec.fails == "falls-back")


def fallback_wrapper(wrapped: Any, instance: Any, arguments: Arguments, named: Named) -> Any:
    """The wrapt wrapper of a fallback: notes that it was called."""
    noted = _fallen_back.get()
    if noted is not None:
        noted.append(True)
    return wrapped(*arguments, **named)


def _synchronous(finish: Callable[..., None], falls_back: bool) -> Callable[..., Any]:
    def measured(wrapped: Any, instance: Any, arguments: Arguments, named: Named) -> Any:
        noted: list[bool] = []
        token = None
        if falls_back:
            token = _fallen_back.set(noted)
        began = perf_counter()
        try:
            result = wrapped(*arguments, **named)
        except Exception:
            finish(instance, arguments, named, None, False, perf_counter() - began)
            raise
        finally:
            if token:
                _fallen_back.reset(token)
        finish(instance, arguments, named, result, not noted, perf_counter() - began)
        return result

    return measured


def _asynchronous(finish: Callable[..., None], falls_back: bool) -> Callable[..., Any]:
    async def measured(wrapped: Any, instance: Any, arguments: Arguments, named: Named) -> Any:
        noted: list[bool] = []
        token = None
        if falls_back:
            token = _fallen_back.set(noted)
        began = perf_counter()
        try:
            result = await wrapped(*arguments, **named)
        except Exception:  # a cancelled call has neither succeeded nor failed
            finish(instance, arguments, named, None, False, perf_counter() - began)
            raise
        finally:
            if token:
                _fallen_back.reset(token)
        finish(instance, arguments, named, result, not noted, perf_counter() - began)
        return result

    return measured


def _write(spec: Spec, function: Any, recorder: Recorder) -> Record:
    batch_of = _argument(function, spec.argument)
    write = recorder.write
    table = spec.name

    def record(instance: Any, arguments: Arguments, named: Named, ok: bool, took: float) -> None:
        rows = len(batch_of(arguments, named))
        if rows:  # an empty batch is not written
            write(table, rows, took, ok)

    return record


def _hook(spec: Spec, function: Any, recorder: Recorder) -> Record:
    if spec.name:

        def record_as_named(instance: Any, arguments: Arguments, named: Named, ok: bool, took: float) -> None:
            recorder.hook(spec.name, ok)

        return record_as_named

    event_of = _argument(function, spec.argument)
    platform_of = _argument(function, "platform", "")

    def record(instance: Any, arguments: Arguments, named: Named, ok: bool, took: float) -> None:
        event = event_of(arguments, named)
        kind = None
        if isinstance(event, dict):
            kind = _text(event.get("hook_type"))
        recorder.hook(_hook_name(_text(platform_of(arguments, named)), kind), ok)

    return record


@lru_cache(1000)
def _hook_name(of_platform: str | None, kind: str | None) -> str:
    """Only words: an event's fields may hold private text."""
    if not of_platform:
        return event_type(kind)
    return f"{platform(of_platform)}/{event_type(kind)}"


def _text(value: Any) -> str | None:
    """A plain text; None for anything else."""
    if not isinstance(value, str):
        return None
    return str.__str__(value)  # a subclass may have a `__str__` of its own, or compare and hash strangely


def _monitor(spec: Spec, function: Any, recorder: Recorder) -> Record:
    state_of = None
    if spec.fails == "state":
        state_of = _argument(function, spec.argument)
    good = frozenset(spec.good)

    def record(instance: Any, arguments: Arguments, named: Named, ok: bool, took: float) -> None:
        if state_of:
            ok = ok and state_of(arguments, named) in good
        sessions = None
        if spec.sessions:
            sessions = len(getattr(instance, spec.sessions))
        captured = None
        if spec.captures:
            captured = int(ok)
        recorder.monitor(spec.name, sessions, captured, ok)

    return record


def _argument(function: Any, name: str, default: Any = _REQUIRED) -> Callable[[Arguments, Named], Any]:
    """What reads one argument of a call, given by place or by name."""
    parameters = [parameter for parameter in inspect.signature(function).parameters if parameter not in ("self", "cls")]
    if name in parameters:
        place = parameters.index(name)

        def argument(arguments: Arguments, named: Named) -> Any:
            if len(arguments) > place:
                return arguments[place]
            return named.get(name, default)

        return argument
    if default is _REQUIRED:
        raise Unsuitable(f"it has no parameter {name}")
    return lambda arguments, named: default

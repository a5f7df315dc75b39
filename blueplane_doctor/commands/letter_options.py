"""The options that say which dead letters are meant, of `dlq list`, `dlq stats` and `repair`."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from blueplane_doctor.lookup.dead_letters import DeadLetterFilter, letter_filter


def _chosen(
    *,
    newer: Annotated[
        str | None, typer.Option("--newer-than", help="Only what is newer: 90s, 30m, 6h, 2d.", metavar="AGE")
    ] = None,
    older: Annotated[
        str | None, typer.Option("--older-than", help="Only what is older: 90s, 30m, 6h, 2d.", metavar="AGE")
    ] = None,
    group: Annotated[str, typer.Option("--group", help="Only of this consumer group.", metavar="GROUP")] = "",
    error: Annotated[
        str, typer.Option("--error", help="Only errors whose text or fingerprint holds this.", metavar="TEXT")
    ] = "",
    event_type: Annotated[str, typer.Option("--event-type", help="Only of this event type.", metavar="TYPE")] = "",
    platform: Annotated[str, typer.Option("--platform", help="Only of this platform.", metavar="NAME")] = "",
) -> DeadLetterFilter:
    """The filter that these options make. Raises UsageError."""
    return letter_filter(newer, older, group, error, event_type, platform)


_OPTIONS = inspect.signature(_chosen).parameters


def choosing_letters(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """Let a command take these options in the place of its parameter `chosen`, which is given the filter."""
    declared = inspect.signature(function, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for parameter in declared.parameters.values():
        if parameter.name == "chosen":
            parameters += _OPTIONS.values()
        else:
            parameters.append(parameter)

    @wraps(function)
    def run(*given: Any, **values: Any) -> int | None:
        options = {}
        for name in _OPTIONS:
            options[name] = values.pop(name)
        return function(*given, chosen=_chosen(**options), **values)

    run.__signature__ = declared.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run

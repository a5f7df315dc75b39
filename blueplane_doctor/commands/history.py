"""`history`: recorded metrics as sparklines, JSON or CSV. Imports as little as it can: it is to start at once."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blueplane_doctor.commands.base import Invocation, command, complain, invocation, show
from blueplane_doctor.errors import ExitCode, UsageError, did_you_mean
from blueplane_doctor.times import seconds_in

if TYPE_CHECKING:
    from blueplane_doctor.history.health_storage import HealthMetricsStorage

_START = "start it with `blueplane-doctor record`, or let cron run `blueplane-doctor record --once` every minute"
_PREFIX = "BLUEPLANE_DOCTOR_"
_PLAIN = {_PREFIX + name for name in ("HOME", "REDIS_URL", "HISTORY_URL", "SETTINGS", "FORMAT", "VERBOSE", "QUIET")}
"""Variables that are understood here; any other may be a misspelt one, which `settings.load` tells."""

Source = Mapping[str, Any] | None
"""Names and values; None for what only `settings.load` understands."""


class Shape(StrEnum):
    """Formats of the output."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@command("history", "Show how recorded metrics went.")
def history(
    context: typer.Context,
    metrics: Annotated[
        list[str] | None, typer.Argument(metavar="METRIC…", help="For example queue.queue_depth; globs too.")
    ] = None,
    since: Annotated[str, typer.Option("--since", help="How far back, at most 7d.", metavar="SPAN")] = "24h",
    step: Annotated[
        str | None,
        typer.Option("--step", help="Time that one value stands for; default: what fits.", metavar="SPAN"),
    ] = None,
    shape: Annotated[Shape, typer.Option("--format", "-f", help="Format on stdout.")] = Shape.TABLE,
    list_metrics: Annotated[bool, typer.Option("--list", help="List what is recorded and end.")] = False,
) -> int:
    import gc

    from blueplane_doctor.history.health_storage import HealthMetricsStorage

    gc.disable()  # a week is ten thousand replies, kept to the end of a short process: looking for garbage is wasted
    if not metrics and not list_metrics:
        raise UsageError("history: name at least one metric", "see: blueplane-doctor history --list")
    span, width = _span(since, step)
    with closing(HealthMetricsStorage(history_url(invocation(context)))) as storage:
        known = storage.metrics()
        if not known:
            complain(f"there is no history in Redis at {storage.link.address}", _START)
            return ExitCode.NOT_JUDGED
        if list_metrics:
            show("".join(f"{name}\n" for name in known))
            return ExitCode.OK
        return _show(storage, _meant(metrics or [], known), span, width, shape)


def _show(storage: "HealthMetricsStorage", metrics: list[str], span: int, step: int, shape: Shape) -> int:
    from blueplane_doctor.history import shapes

    until = time.time()
    read = storage.read_many(metrics, until - span, until, step)
    show({Shape.TABLE: shapes.table, Shape.JSON: shapes.as_json, Shape.CSV: shapes.as_csv}[shape](read, step))
    if all(value is None for points in read.values() for _, value in points):
        complain("nothing was recorded in this time", f"a longer --since; if nobody records, {_START}")
        return ExitCode.NOT_JUDGED
    return ExitCode.OK


def _span(since: str, step: str | None) -> tuple[int, int]:
    """Seconds to look back, and of a step."""
    from blueplane_doctor.history.samples import MINUTE, RETENTION

    span = int(seconds_in(since, "--since"))
    if not MINUTE <= span <= RETENTION:
        raise UsageError(f"--since {since}: the history holds minutes, of seven days", "from 1m to 7d")
    if step is None:
        return span, max(1, -(-span // MINUTE // 60)) * MINUTE
    width = seconds_in(step, "--step")
    if not width or width % MINUTE:
        raise UsageError(f"--step {step}: the history keeps whole minutes", "for example 1m, 5m, 1h")
    return span, int(width)


def _meant(words: list[str], known: list[str]) -> list[str]:
    """The metrics that these names and globs mean, each once, in the order given."""
    from fnmatch import fnmatchcase

    meant: dict[str, None] = {}
    for word in words:
        found = [name for name in known if fnmatchcase(name, word)]
        if not found:
            meant_by = next((name for name in known if name.endswith("." + word)), word)
            hint = did_you_mean(meant_by, known, "see: blueplane-doctor history --list", 0.5)
            raise UsageError(f"history: {word!r} is not recorded", hint)
        meant |= dict.fromkeys(found)
    return list(meant)


def history_url(given: Invocation) -> str:
    """The URL of the Redis that holds the history. Raises SettingsError.

    A short way through the same sources in the same order as `settings.load`; what is not plain here is left to it.
    """
    if found := _short_way(given):
        return found
    return given.load().settings.history_redis_url


def _short_way(given: Invocation) -> str | None:
    """None where it takes more than looking up two names."""
    examined = None
    for source in _sources(given):
        if source is None:
            return None
        if url := source.get("history_url"):
            return str(url)
        examined = examined or source.get("redis_url")
    return examined or _of_blueplane(given.home)


def _sources(given: Invocation) -> Iterator[Source]:
    """Flags, environment, the doctor's own file."""
    yield _plain(given.flags)
    variables = {name for name in os.environ if name.upper().startswith(_PREFIX)}
    names = ("redis_url", "history_url")
    environment = {name: os.environ[_PREFIX + name.upper()] for name in names if _PREFIX + name.upper() in variables}
    yield None if variables - _PLAIN else _plain(environment)
    if given.settings_file and not given.settings_file.is_file():
        yield None
    content = _read(given.settings_file or given.home / "doctor.yaml")
    yield None if content is None or "home" in content else _plain(content)


def _plain(source: Mapping[str, Any]) -> Source:
    values = [source[name] for name in ("redis_url", "history_url") if name in source]
    return source if all(isinstance(value, str) and value for value in values) else None


def _read(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        return None
    import yaml

    try:
        content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
    except yaml.YAMLError:
        return None
    return content if isinstance(content, dict) else None


def _of_blueplane(home: Path) -> str | None:
    """The address in Blueplane's config.yaml, when it is given there in full."""
    try:
        connection = (_read(home / "config.yaml") or {})["redis"]["connection"]
        host, port = connection["host"], connection["port"]
    except (KeyError, TypeError):
        return None
    return None if ":" in str(host) else f"redis://{host}:{port}/{connection.get('db', 0)}"

"""Measuring a server that knows nothing of it: wraps the targets as soon as their modules are imported.

Runs in the server's process and every Python process below it, so it imports little, says what is missing in one line
on stderr, and raises nothing.
"""

import atexit
import json
import os
import sys
from collections.abc import Sequence
from functools import cached_property, partial
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blueplane_doctor.pipeline import Target
    from blueplane_doctor.recording.recorder import Recorder

VARIABLE = "BLUEPLANE_INSTRUMENT"
"""What the launcher passes down, as JSON: `targets`, and `redis_url`, or `redis_url_file` where that has a login."""
WARNER_VARIABLE = "BLUEPLANE_INSTRUMENT_WARNER"
"""Process id of the first process that imported a target or wrote a warning; those below it write none."""
HINT = 'pip install "blueplane-doctor[instrument]"'

_active: "Instrumentation | None" = None


def instrument(redis_url: str | None = None, targets: "Sequence[Target] | None" = None) -> "Recorder | None":
    """Measure this process, from here on: call it before the server's modules are imported, or right after.

    Without `redis_url` the doctor's settings say where to record, and which targets there are beside the built-in
    ones; `targets` replaces those. A second call changes nothing. Returns the recorder; None, with a line on
    stderr, when this is not possible. Never raises.
    """
    try:
        if _active is None:
            _activate(*_configured(redis_url, targets))
        if _active is None:
            return None
        return _active.recorder
    except Exception as error:
        _warn(f"nothing is measured: {getattr(error, 'message', None) or error}")
        return None


def instrument_from_environment() -> None:
    """What a process under `blueplane-doctor instrument` does when it starts. Never raises."""
    try:
        given = json.loads(os.environ[VARIABLE])
        if _active is None:
            _activate(given.get("redis_url") or _url_in(given["redis_url_file"]), given["targets"])
    except Exception as error:
        _warn(f"nothing is measured: {type(error).__name__}")


def _url_in(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _warn(text: str) -> None:
    """Write one line on stderr, unless a process above this one has written: its children would repeat it."""
    process = str(os.getpid())
    if os.environ.setdefault(WARNER_VARIABLE, process) == process:
        try:
            sys.stderr.write(f"blueplane-doctor: {text}\n")
        except Exception:  # closed, or replaced by something of the host's own
            return


class Instrumentation:
    """The targets of one process, each wrapped when its module is imported, or now if it is.

    It is among the finders of modules until one of a target is imported, and only then loads wrapt, which takes longer
    than Python to start.
    """

    def __init__(self, redis_url: str, targets: Sequence[Any]) -> None:
        self._redis_url = redis_url
        self._targets = targets
        modules: set[str] = set()
        for target in targets:
            modules.update(target.modules)
        self._modules = frozenset(modules)
        self._imported: set[str] = set()
        self._process = os.getpid()
        if self._modules.isdisjoint(sys.modules):
            sys.meta_path.insert(0, self)
        else:
            self._register()

    @cached_property
    def recorder(self) -> "Recorder":
        """Made when it is first needed: most processes below a server hold no target."""
        from blueplane_doctor.recording.recorder import Recorder  # with threading and sockets

        return Recorder(self._redis_url)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Hands the import of a target over to wrapt, as if that had been there from the beginning."""
        if name not in self._modules:
            return None
        try:
            sys.meta_path.remove(self)
        except ValueError:  # another thread has just done so
            return None
        try:
            self._register()
        except Exception as error:
            _warn(f"nothing is measured: {type(error).__name__}")
        return find_spec(name)

    def _register(self) -> None:
        from wrapt import register_post_import_hook  # only here: see the class

        for target in self._targets:
            for module in target.modules:
                register_post_import_hook(partial(self._on_import, target), module)
        atexit.register(self._warn_of_never_imported)

    def _on_import(self, target: Any, module: ModuleType) -> None:
        """Called by the import system; what is raised here would fail the server's import."""
        try:
            os.environ.setdefault(WARNER_VARIABLE, str(os.getpid()))
            self._imported.add(target.where)
            from blueplane_doctor.recording.wrapping import wrap  # with wrapt, as above

            wrap(target, module, self.recorder)
        except Exception as error:
            if not target.optional:
                _warn(f"not measured: {module.__name__}:{target.path}: {error or type(error).__name__}")

    def _warn_of_never_imported(self) -> None:
        """At exit: a module may be imported as late as that."""
        if self._imported and os.getpid() == self._process:
            for target in self._targets:
                if target.where not in self._imported and not target.optional:
                    _warn(f"not measured: {target.where}: no such module was imported")


def _activate(redis_url: str, targets: Sequence[dict[str, Any]]) -> None:
    global _active
    if not is_installed("wrapt"):
        _warn(f"nothing is measured: the package wrapt is not installed for {sys.executable}\n  try: {HINT}")
        return
    _active = Instrumentation(redis_url, [SimpleNamespace(**target) for target in targets])


def is_installed(package: str) -> bool:
    """Whether it could be imported, without doing so."""
    try:
        return find_spec(package) is not None
    except ImportError:
        return False


def _configured(redis_url: str | None, targets: "Sequence[Target] | None") -> tuple[str, list[dict[str, Any]]]:
    """The URL and targets given, or else those of the settings. Raises SettingsError."""
    # A measured process is handed both, and must not load the settings.
    from blueplane_doctor.settings.values import load

    if redis_url is None or targets is None:
        settings = load().settings
        redis_url = redis_url or settings.redis_url
        if targets is None:
            targets = settings.measured_targets
    return redis_url, dumped(targets)


def dumped(targets: "Sequence[Target]") -> list[dict[str, Any]]:
    """Targets as plain values, with what is computed of them: no records in the measured process."""
    values = []
    for target in targets:
        fields = target.model_dump()
        values.append({**fields, "modules": target.modules, "path": target.path})
    return values

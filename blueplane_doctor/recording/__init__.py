"""Measuring writes, hooks and monitors where they happen: inside the pipeline's own processes.

`Recorder` is for code that measures itself; `instrument()` makes a Blueplane server measured that knows nothing of
it, as does the command `blueplane-doctor instrument -- python …`; `reading.read_recorded` gives back what was recorded.
This package runs inside foreign processes: it imports the standard library at first, everything else when needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blueplane_doctor.recording.instrumentation import instrument
    from blueplane_doctor.recording.recorder import Recorder

__all__ = ["Recorder", "instrument"]

_HOMES = {"Recorder": "recorder", "instrument": "instrumentation"}


def __getattr__(name: str) -> Any:
    """Load the public names on first use: every Python process below an instrumented server passes here."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

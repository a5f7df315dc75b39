"""blueplane-doctor tells the truth about a Blueplane telemetry pipeline.

What an author of checks needs is exported here: `check`, `Scale`, `Finding`, `Remedy`, `Status`, `unknown`; an author
of causes needs `cause`, `Cause`, `Findings`, `Remedy`, `Stake`; an author of monitors needs `Record` as well, and
`Monitor` of `blueplane_doctor.monitoring`.
As a library, `blueplane_doctor.judging.diagnose.diagnose(settings)` returns a `Report`.
"""

import sys as _sys

_PROGRAMS = ("blueplane-doctor", "blueplane")
_program = _sys.argv[0] if _sys.argv else ""
if _program.rpartition("/")[2] in _PROGRAMS or (_program == "-m" and __name__ in _sys.orig_argv):
    # Only where this is the program, and before anything else is imported: Ctrl-C must not print a traceback of that.
    if _program == "-m" and _sys.path[0] != __file__.rpartition("/blueplane_doctor/")[0] and not _sys.flags.safe_path:
        # Python looks for modules in the folder that one stands in first: a `json.py` of somebody else would run there.
        del _sys.path[0]
    from blueplane_doctor.process.interruption import begin as _begin

    _begin(is_program=True)

from importlib import import_module as _import_module
from pathlib import Path as _Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HERE = _Path(__file__).resolve().parent
if not (_HERE / "checks" / "__init__.py").is_file() and (_HERE.parent / "checks" / "__init__.py").is_file():
    __path__.append(str(_HERE.parent))  # a checkout: checks/ and templates/ lie beside this package

if TYPE_CHECKING:
    from blueplane_doctor.causeapi import Findings, cause
    from blueplane_doctor.checkapi import check, not_set_up, unknown
    from blueplane_doctor.model import Cause, Finding, Remedy, Report, Stake, Status
    from blueplane_doctor.records.base import Record
    from blueplane_doctor.scales import Scale

__all__ = [
    "Cause",
    "Finding",
    "Findings",
    "Record",
    "Remedy",
    "Report",
    "Scale",
    "Stake",
    "Status",
    "__version__",
    "cause",
    "check",
    "not_set_up",
    "unknown",
]

_HOMES = {
    "Findings": "causeapi",
    "cause": "causeapi",
    "Scale": "scales",
    "check": "checkapi",
    "not_set_up": "checkapi",
    "unknown": "checkapi",
    "Cause": "model",
    "Finding": "model",
    "Record": "records.base",
    "Remedy": "model",
    "Report": "model",
    "Stake": "model",
    "Status": "model",
}


def __getattr__(name: str) -> Any:
    """Load the public names on first use, so that `--version` does not pay for them (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module(f"{__name__}.{_HOMES[name]}"), name)

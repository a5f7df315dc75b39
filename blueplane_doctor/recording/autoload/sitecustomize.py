"""Imported by Python at start-up under `blueplane-doctor instrument`, before anything of the program's.

It may be run by any Python, with or without the doctor installed, so it asks for little. Another `sitecustomize` that
this one hides is run first, as if this one were not there.
"""

import _signal  # type: ignore[import-not-found]

# Until the program itself begins, Ctrl-C ends it as it would end any other: Python would print a traceback of this.
_before = _signal.getsignal(2)
if callable(_before):
    _signal.signal(2, _signal.SIG_DFL)

import importlib.machinery
import importlib.util
import os
import sys


def _run_hidden() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    others = [folder for folder in sys.path if os.path.abspath(folder) != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _instrument() -> None:
    try:
        from blueplane_doctor.recording.instrumentation import instrument_from_environment
    except Exception as error:
        if "BLUEPLANE_INSTRUMENT_WARNER" not in os.environ:
            os.environ["BLUEPLANE_INSTRUMENT_WARNER"] = str(os.getpid())
            sys.stderr.write(
                f"blueplane-doctor: nothing is measured: it cannot be loaded by {sys.executable} ({error})\n"
                f'  try: {sys.executable} -m pip install "blueplane-doctor[instrument]"\n'
            )
        return
    instrument_from_environment()


if "BLUEPLANE_INSTRUMENT" in os.environ:
    try:
        _run_hidden()
    finally:
        _instrument()
if callable(_before) and _signal.getsignal(2) == _signal.SIG_DFL:  # otherwise somebody has set another
    _signal.signal(2, _before)

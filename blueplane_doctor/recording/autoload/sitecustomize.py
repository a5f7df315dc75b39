"""Imported by Python at start-up under `blueplane-doctor instrument`, before anything of the program's.

It may be run by any Python, with or without the doctor installed, so it asks for little. Another `sitecustomize` that
this one hides is run first, as if this one were not there.
"""

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

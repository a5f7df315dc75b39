"""Starting a command so that every Python process in it measures itself: by the environment, then exec.

A folder with a `sitecustomize` module is put first on PYTHONPATH; Python imports that module at start-up. The command
keeps this process's id, so that signals and pid files mean what they meant.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from blueplane_doctor.errors import SettingsError, UsageError
from blueplane_doctor.pipeline import Target
from blueplane_doctor.recording.delivery import NO_CLUSTER, is_cluster
from blueplane_doctor.recording.instrumentation import HINT, VARIABLE, WARNER_VARIABLE, dumped, is_installed

AUTOLOAD = Path(__file__).parent / "autoload"


def check_url(redis_url: str) -> None:
    """Raises SettingsError where nothing could be recorded."""
    if is_cluster(redis_url):
        raise SettingsError(f"redis_url: {NO_CLUSTER}", "--redis-url of one node")


def environment_for(redis_url: str, targets: Sequence[Target], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a command measures itself and its children."""
    folders = environment.get("PYTHONPATH", "").split(os.pathsep)
    others = [folder for folder in folders if folder not in ("", str(AUTOLOAD))]
    measured = dict(environment)
    measured.pop(WARNER_VARIABLE, None)
    measured[VARIABLE] = json.dumps({"redis_url": redis_url, "targets": dumped(targets)})
    measured["PYTHONPATH"] = os.pathsep.join([str(AUTOLOAD), *others])
    return measured


def launch(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become the command. Raises UsageError when it cannot be run, or nothing could be measured."""
    if not is_installed("wrapt"):
        raise UsageError("instrument needs the package wrapt, which is not installed", HINT)
    try:
        os.execvpe(command[0], list(command), dict(environment))
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {error.strerror or error}") from error

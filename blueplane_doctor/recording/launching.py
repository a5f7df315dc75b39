"""Starting a command so that every Python process in it measures itself: by the environment, then exec.

A folder with a `sitecustomize` module is put first on PYTHONPATH; Python imports that module at start-up. The command
keeps this process's id, so that signals and pid files mean what they meant.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from blueplane_doctor.errors import SettingsError, UsageError
from blueplane_doctor.files.ownership import stranger_of
from blueplane_doctor.pipeline import Target
from blueplane_doctor.recording.delivery import NO_CLUSTER, is_cluster
from blueplane_doctor.recording.instrumentation import HINT, VARIABLE, WARNER_VARIABLE, dumped, is_installed

_URL_FILE = "doctor-instrument-redis-url"
"""Beginning of the name of a file in Blueplane's home."""
_URL_VARIABLES = ("BLUEPLANE_DOCTOR_REDIS_URL", "BLUEPLANE_DOCTOR_HISTORY_REDIS_URL")
"""The doctor's own variables, by which a password may have been given to it. What it measures does not read them."""
_PLACE = re.compile(r"[a-z+]+://(?:[^@/?]*@)?((?:\[[0-9a-fA-F:.]+\]|[\w.-]*)(?::\d+)?(?:/[^@?]*)?)(?:\?.*)?")
"""A URL without its login and parameters; anything stranger has no place that is known to be none of its secrets."""
AUTOLOAD = Path(__file__).parent / "autoload"


def check_url(redis_url: str) -> None:
    """Raises SettingsError where nothing could be recorded."""
    if is_cluster(redis_url):
        raise SettingsError(f"redis_url: {NO_CLUSTER}", "--redis-url of one node")


def environment_for(
    redis_url: str, targets: Sequence[Target], environment: Mapping[str, str], home: Path
) -> dict[str, str]:
    """The environment in which a command measures itself and its children.

    It is passed on to every process below, and others may print it. So a URL that may hold a password is not in it, but
    in a file of `home` that only this user may read. Raises UsageError when that cannot be written.
    """
    folders = environment.get("PYTHONPATH", "").split(os.pathsep)
    others = [folder for folder in folders if folder not in ("", str(AUTOLOAD))]
    measured = dict(environment)
    measured.pop(WARNER_VARIABLE, None)
    given: dict[str, object] = {"targets": dumped(targets)}
    if _may_hold_a_password(redis_url):
        given["redis_url_file"] = str(_written_url(redis_url, home))
    else:
        given["redis_url"] = redis_url
    measured[VARIABLE] = json.dumps(given)
    for name in _URL_VARIABLES:
        if _may_hold_a_password(measured.get(name, "")):
            del measured[name]
    measured["PYTHONPATH"] = os.pathsep.join([str(AUTOLOAD), *others])
    return measured


def _may_hold_a_password(url: str) -> bool:
    """Whether a URL has a login or parameters. A user name alone counts: it may be a password in the wrong place."""
    return "@" in url or "?" in url


def _written_url(redis_url: str, home: Path) -> Path:
    """The file that holds the URL; one for each place, so that processes started later get a changed password."""
    match = _PLACE.fullmatch(redis_url)
    # Nothing of the login goes into a file's name, as a digest either: passwords can be guessed by it.
    place = match[1] if match else ""
    path = home / f"{_URL_FILE}-{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}"
    stranger = stranger_of(path)
    if stranger and not stranger.cause:  # what cannot be looked at is refused below, by its own name
        raise UsageError(f"{path}: others decide what stands there, and so where is recorded", stranger.told())
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=home)  # mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(redis_url)
        os.replace(temporary, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}", "name another --home") from error
    return path


def launch(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become the command. Raises UsageError when it cannot be run, or nothing could be measured."""
    if not is_installed("wrapt"):
        raise UsageError("instrument needs the package wrapt, which is not installed", HINT)
    if not command[0]:
        raise UsageError("the name of the command is empty", "blueplane-doctor instrument -- COMMAND")
    try:
        os.execvpe(command[0], list(command), dict(environment))
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {error.strerror or error}") from error

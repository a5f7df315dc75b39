"""Where this installation's own programs are, as commands that work without a shell's PATH."""

import shlex
import shutil
import sys
from pathlib import Path

from blueplane_doctor.installing.files import StepError

DOCTOR = "blueplane-doctor"
HOOK = "blueplane-hook"


def program(name: str) -> str:
    """The program's absolute path: beside this interpreter, beside the running program, or on the PATH.

    Raises StepError.
    """
    beside = [Path(sys.executable).parent, Path(sys.argv[0]).absolute().parent]
    for folder in beside:
        if (folder / name).is_file():
            return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise StepError(
            f"the program {name} is not installed beside {sys.executable}",
            "install the wheel: see docs/INSTALLATION.md",
        )
    return str(Path(found).absolute())


def shell_line(*words: str) -> str:
    """One command line for a shell, quoted where needed."""
    return shlex.join(words)


def is_ours(command: object) -> bool:
    """Whether a command line runs the hook of this project, of whichever installation."""
    if not isinstance(command, str):
        return False
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return bool(words) and Path(words[0]).name == HOOK

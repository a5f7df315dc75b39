"""Runs first inside the zipapp: the right Python, and a cache to unpack into that nobody else can write to.

shiv unpacks once for each build, into `$SHIV_ROOT`; here that is `$XDG_CACHE_HOME/blueplane-doctor` or
`~/.cache/blueplane-doctor` unless the variable is set. What lies there is run, so it must be this user's alone.
"""

import os
import sys

PYTHON = "{python}"  # this and the next are filled in by packaging/build.py
BUILD = "{build}"


def main():
    """Check, unpack if need be, and run."""
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if running != PYTHON:
        sys.exit(f"blueplane-doctor: this zipapp was built for Python {PYTHON}, and this is {running}")
    root = private_cache()
    unpacked = os.path.join(root, f"{os.path.basename(os.path.realpath(sys.argv[0]))}_{BUILD}", "site-packages")
    if os.path.isdir(unpacked) and "SHIV_FORCE_EXTRACT" not in os.environ:
        sys.path[0] = unpacked  # in the archive's place: shiv's own start would read all of the archive again
        from blueplane_doctor.__main__ import main as command_line

        sys.exit(command_line())
    from _bootstrap import bootstrap

    bootstrap()


def private_cache():
    """The folder for unpacked zipapps, made if need be; ends the program when others may write to it."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    root = os.environ.setdefault("SHIV_ROOT", os.path.join(caches, "blueplane-doctor"))
    os.makedirs(root, mode=0o700, exist_ok=True)
    state = os.stat(root)
    if state.st_uid != os.getuid() or state.st_mode & 0o022:
        sys.exit(f"blueplane-doctor: {root} must belong to you, and nobody else may write to it: code is run from it")
    return root

"""Running a command that cannot reach any network."""

import functools
import shutil
import subprocess
import sys

_WAYS = (("unshare", "--net"), ("unshare", "--map-root-user", "--net"))
"""A network namespace without any device, as root and as anybody else who is allowed to."""
_MACOS = ("sandbox-exec", "-p", "(version 1)(allow default)(deny network-outbound (remote ip))")


@functools.cache
def offline() -> tuple[str, ...]:
    """What to write before a command. Without a way to cut the network off, the tests fail: nothing would be shown."""
    for way in (_MACOS,) if sys.platform == "darwin" else _WAYS:
        if shutil.which(way[0]) and subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    raise AssertionError("there is no way here to run a program without network (unshare of util-linux)")

"""Inputs that the hook does not understand: kept whole, each in a private file `hook-spool-….kept` of the home."""

import os

from blueplane_hook.files import names_of, write_own
from blueplane_hook.spool import OWN_PREFIX

SUFFIX = ".kept"
ROOM = 256 * 1024 * 1024
"""Bytes of all of them together."""
MOST_FILES = 1_000


def keep_whole(home: str, content: bytes) -> bool:
    """Whether it was kept: there was room, and the disk took it. It needs no lock, for no other process writes it."""
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        sizes = kept_sizes(home)
        if len(sizes) >= MOST_FILES or sum(sizes) + len(content) > ROOM or not leaves_room(home, content):
            return False
        write_own(home, OWN_PREFIX, SUFFIX, content)
    except OSError:
        return False
    return True


def leaves_room(home: str, content: bytes) -> bool:
    """Whether as much as this takes stays free on the disk, where that can be told."""
    if not hasattr(os, "statvfs"):
        return True
    disk = os.statvfs(home)
    return disk.f_bavail * disk.f_frsize >= 2 * len(content)


def kept_sizes(home: str) -> list[int]:
    """Bytes of each of them."""
    sizes = []
    for name in names_of(home, OWN_PREFIX, SUFFIX):
        try:
            sizes.append(os.lstat(os.path.join(home, name)).st_size)
        except OSError:  # removed meanwhile
            continue
    return sizes

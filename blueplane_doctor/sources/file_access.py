"""Whether a user may write a file, as its permissions and its file system tell. Nothing is written to find out."""

import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.files.ownership import ACCESS_LIST
from blueplane_doctor.process.light_imports import psutil

_MAY_PASS_PERMISSIONS = 1 << 1
"""CAP_DAC_OVERRIDE: what lets root write everywhere. A container may take it away."""


class User(NamedTuple):
    """Who wants to write."""

    uid: int
    gids: frozenset[int]
    passes_permissions: bool
    """Whether permissions do not bind them, as with root."""


def user_of_process(pid: int) -> User | None:
    """The user that a process runs as; None where the system does not tell."""
    try:
        process = psutil.Process(pid)
        uid = process.uids().effective
        gid = process.gids().effective
    except psutil.Error:
        return None
    status = _proc_status(pid)
    further = []
    for word in status.get("Groups", "").split():
        if word.isdigit():
            further.append(int(word))
    groups = {gid, *further}
    passes = uid == 0
    if "CapEff" in status:
        passes = bool(int(status["CapEff"], 16) & _MAY_PASS_PERMISSIONS)
    return User(uid, frozenset(groups), passes)


def _proc_status(pid: int) -> dict[str, str]:
    """Of Linux; empty elsewhere."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict(re.findall(r"^(Groups|CapEff):\s*(.*)$", text, re.MULTILINE))


def is_mounted_read_only(path: Path) -> bool:
    """Whether its file system takes no writes, whoever asks. Raises OSError."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def may_write(user: User, path: Path) -> bool | None:
    """Whether the user may write that file, or make files in that folder; None where its mode is not all.

    Raises OSError where that cannot be looked up.
    """
    if user.passes_permissions:
        return True
    state = path.stat()
    if _has_access_list(path):
        return None
    wanted = stat.S_IWOTH
    if stat.S_ISDIR(state.st_mode):
        wanted |= stat.S_IXOTH
    # The owner's bits alone count for the owner, and the group's for the group, even where others may do more.
    if state.st_uid == user.uid:
        wanted <<= 6
    elif state.st_gid in user.gids:
        wanted <<= 3
    return state.st_mode & wanted == wanted


def _has_access_list(path: Path) -> bool:
    if not hasattr(os, "listxattr"):
        return False
    try:
        return ACCESS_LIST in os.listxattr(path)
    except OSError:
        return False  # a file system without them

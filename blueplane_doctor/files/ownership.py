"""Whose a path is: the one gate before code is run from it, a journal is followed, or settings are believed.

A path is as safe as the weakest thing on the way to it: who may write to a folder above a file may put another file in
its place. So every folder, link and file that is crossed counts.

A group of which nobody else is a member is no other user: many systems give each user such a group, and umask 002.
"""

import os
import shlex
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

if sys.platform != "win32":
    import grp
    import pwd

ROOT = 0
_MOST_LINKS = 40
"""As many as Linux follows on the way to one file."""
ACCESS_LIST = "system.posix_acl_access"
"""Name of the attribute in which Linux keeps a file's access control list."""
_ACCESS_ENTRY = struct.Struct("<HHI")
"""One entry of it: kind, rights, user or group; see include/uapi/linux/posix_acl_xattr.h."""
_ACCESS_HEADER_BYTES = 4
_NAMED_USER = 2
_NAMED_GROUP = 8
_MAY_WRITE = 2
MOST_FILES = 100_000
"""Of one folder that is looked through."""


def crossed(path: Path) -> Iterator[Path]:
    """Everything on the way to a path: folders and links, the path itself last, whether it exists or not.

    Raises OSError for a circle of links and where a folder may not be looked into.
    """
    whole = path.absolute()
    place = Path(whole.anchor)
    rest = list(reversed(whole.parts[1:]))
    links = 0
    yield place
    while rest:
        part = rest.pop()
        if part == "..":
            place = place.parent
            continue
        step = place / part
        yield step
        if not step.is_symlink():
            place = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError("a circle of symbolic links")
        target = PurePath(os.readlink(step))
        if target.is_absolute():
            place = Path(target.anchor)
            rest += reversed(target.parts[1:])
        else:
            rest += reversed(target.parts)


class Stranger(NamedTuple):
    """Where somebody else may decide what is at a path."""

    path: Path
    """The folder, link or file on the way to it."""
    owner: int | None = None
    """The other user that it belongs to; None where others may write to what is ours."""
    cause: str = ""
    """Why it could not be looked at."""

    def told(self, name: str = "") -> str:
        """What is wrong and what to do, in one sentence. `name`: the path as it may be shown there."""
        shown = name or str(self.path)
        if self.cause:
            return f"{shown} cannot be looked at: {self.cause}"
        if self.owner is None:
            quoted = name or shlex.quote(shown)
            return f"other users may write to {shown}; see what is in it, then: chmod go-w {quoted}"
        return f"{shown} belongs to another user (uid {self.owner}); run this as that user"


def stranger_of(path: Path, *, is_code: bool = False) -> Stranger | None:
    """Who else may decide what is there; None where only this user and root may.

    `is_code`: what is there would run, so its group may not write to it, whoever is in that group. A path that does not
    exist yet counts by the folders above it.
    """
    if os.name == "nt":
        return None  # neither owners nor modes
    try:
        steps = list(crossed(path))
        for step in steps[:-1]:
            stranger = _stranger_at(step, is_above=True)
            if stranger:
                return stranger
        return _stranger_at(steps[-1], is_strict=is_code)
    except (OSError, ValueError) as error:
        return Stranger(path, cause=getattr(error, "strerror", None) or str(error))


def stranger_in(folder: Path) -> Stranger | None:
    """As `stranger_of`, for a folder of code with all that is in it: code runs other code that lies beside it."""
    stranger = stranger_of(folder)
    if stranger or os.name == "nt":
        return stranger
    count = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            count += 1
            if count > MOST_FILES:
                return Stranger(folder, cause=f"it holds more than {MOST_FILES:,} files")
            entry = Path(place, name)
            # What a link leads to may lie in a folder of somebody else.
            stranger = stranger_of(entry) if entry.is_symlink() else _stranger_at(entry)
            if stranger:
                return stranger
    return None


def _stranger_at(step: Path, *, is_above: bool = False, is_strict: bool = False) -> Stranger | None:
    try:
        state = os.lstat(step)
    except FileNotFoundError:
        return None  # whoever may make it may write to the folder above, which counts
    if state.st_uid not in (ROOT, os.geteuid()):
        return Stranger(step, owner=state.st_uid)
    if stat.S_ISLNK(state.st_mode):
        return None  # a link has no mode of its own: its owner, and the folder that it lies in, count
    # In a folder like /tmp only the owner of a file may replace it.
    is_sticky = is_above and bool(state.st_mode & stat.S_ISVTX)
    if _others_may_write(step, state, is_strict=is_strict) and not is_sticky:
        return Stranger(step)
    return None


def _others_may_write(step: Path, state: os.stat_result, *, is_strict: bool = False) -> bool:
    """Whether somebody but the owner may; `is_strict`: a group counts even if nobody else is in it."""
    if state.st_mode & stat.S_IWOTH:
        return True
    # Where others are named in an access control list, this bit says what the list may grant at most.
    if not state.st_mode & stat.S_IWGRP:
        return False
    if is_strict or _names_others(step):
        return True
    return not _is_alone_in_group(state.st_uid, state.st_gid)


def _names_others(step: Path) -> bool:
    """Whether an access control list lets another user or group write there, as far as Linux shows such lists."""
    if not hasattr(os, "getxattr"):
        return False
    try:
        granted = os.getxattr(step, ACCESS_LIST)
    except OSError:
        return False  # it has none
    harmless = (ROOT, os.geteuid())
    for kind, rights, identity in _ACCESS_ENTRY.iter_unpack(granted[_ACCESS_HEADER_BYTES:]):
        is_other_user = kind == _NAMED_USER and identity not in harmless
        if rights & _MAY_WRITE and (is_other_user or kind == _NAMED_GROUP):
            return True
    return False


def _is_alone_in_group(uid: int, gid: int) -> bool:
    """Whether the group has no members but this user and root, as far as this machine knows its users."""
    try:
        harmless = {pwd.getpwuid(uid).pw_name, pwd.getpwuid(ROOT).pw_name}
        members = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        return False
    for user in pwd.getpwall():
        if user.pw_gid == gid:
            members.add(user.pw_name)
    return members <= harmless

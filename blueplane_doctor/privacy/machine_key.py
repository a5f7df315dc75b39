"""Fingerprints of private text, which nobody can find the text by: they need a key that stays on this machine.

A bare hash can be guessed: whoever has a list of likely texts hashes them all and compares. A run that examines writes
nothing, so it takes the key that `record` makes, in a file that its owner alone can read; where there is
none, one derived from the machine's ID, which never leaves the machine itself.
"""

import os
import stat
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes

from blueplane_doctor.text.characters import Public

KEY_BYTES = 32
# Short enough to be read out, long enough: of 1,000 names, two share one in one report of 8,600.
_FINGERPRINT_BYTES = 4
_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
"""Where a machine's ID lies; to be hashed with a key before it is used:
https://www.freedesktop.org/software/systemd/man/latest/machine-id.html"""
_MACHINE_ID_CHARACTERS = 32
_PURPOSE = b"blueplane-doctor"
_STATE_FOLDER = "~/.local/state"
"""Where programs keep such things by default: https://specifications.freedesktop.org/basedir-spec/latest/"""


def fingerprint(text: bytes) -> Public:
    """Eight characters that are the same for the same text on this machine, and tell nothing about it."""
    digest = blake2b(text, key=_key_of(key_file()), digest_size=_FINGERPRINT_BYTES)
    return Public(digest.hexdigest())


def key_file() -> Path | None:
    """Where the key is kept; None where this user has no home."""
    folder = state_folder()
    return folder / "key" if folder else None


def state_folder() -> Path | None:
    """Where the doctor keeps what is its own, apart from what it examines; None where this user has no home."""
    folder = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(folder):
        folder = os.path.expanduser(_STATE_FOLDER)
    if not os.path.isabs(folder):
        return None
    return Path(folder, "blueplane-doctor")


def make_key() -> None:
    """Make the key where there is none, for what may write; where that is not possible nothing happens."""
    file = key_file()
    if file is None or not (file.parents[1].is_dir() or Path(os.path.expanduser("~")).is_dir()):
        return  # a home that is not there is not made
    with suppress(OSError):
        if _read(file) is None:
            _made(file)
            _key_of.cache_clear()


@cache
def _key_of(file: Path | None) -> bytes:
    """The key in this file, else one of this machine; where neither can be used, a key for this process alone."""
    try:
        kept = _read(file) if file is not None else None
    except OSError:
        return token_bytes(KEY_BYTES)  # somebody else may know what lies there, or have put it there
    return kept or _of_the_machine() or token_bytes(KEY_BYTES)


def _of_the_machine() -> bytes | None:
    """A key derived from the machine's ID; None where it has none."""
    for path in _MACHINE_IDS:
        with suppress(OSError):
            with open(path, "rb") as opened:
                identity = opened.read(_MACHINE_ID_CHARACTERS)
            if len(identity) == _MACHINE_ID_CHARACTERS:
                return blake2b(_PURPOSE, key=identity, digest_size=KEY_BYTES).digest()
    return None


def _read(file: Path) -> bytes | None:
    """The key; None where there is no file. Raises OSError for one that others may have written or read."""
    try:
        handle = os.open(file, os.O_RDONLY | _flag("O_NOFOLLOW") | _flag("O_NONBLOCK"))
    except FileNotFoundError:
        return None
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode) or not _is_private(state):
            raise PermissionError(f"{file} is not a private file of this user")
        key = os.read(handle, KEY_BYTES)
    finally:
        os.close(handle)
    if len(key) != KEY_BYTES:
        raise OSError(f"{file} does not hold a key")
    return key


def _is_private(state: os.stat_result) -> bool:
    if not hasattr(os, "getuid"):  # Windows: the folder of a user is their own
        return True
    return state.st_uid == os.getuid() and not state.st_mode & 0o077


def _made(file: Path) -> bytes:
    """A new key, which lies in the file when this returns. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = token_bytes(KEY_BYTES)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{token_bytes(4).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(key)
        # Linked, not renamed: where two processes make a key at once, the first one's stays, and both use it.
        os.link(draft, file)
    except FileExistsError:
        return _read(file) or key
    finally:
        draft.unlink(missing_ok=True)
    return key


def _flag(name: str) -> int:
    """A flag of `open` that Windows does not have."""
    return getattr(os, name, 0)

"""Files changed whole or not at all: new content is written beside the real file, synced, then put in its place."""

import contextlib
import difflib
import hashlib
import os
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from blueplane_doctor.errors import DoctorError, ExitCode, FileMissing, FileUnreadable
from blueplane_doctor.files.documents import JSON_STRING
from blueplane_doctor.files.reading import SETTINGS_BYTES, read_bytes
from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.privacy.known_names import HOOK_TYPES
from blueplane_hook.files import opened


class StepError(DoctorError):
    """A step cannot do or undo what it should; what is there stays as it is."""

    exit_code = ExitCode.FINDINGS


_HEADER_LINES = 2
_SIGNS = (" ", "-", "+")
_OF_HOOKS = frozenset(f'"{name}"' for name in (*HOOK_TYPES, "hooks", "version", "command", "type", "matcher"))
"""Texts in JSON that every file of hooks holds."""
NEW_SUFFIX = ".blueplane-new"
"""Ends the name of a temporary file; the same each time, so that a run recognises what a killed one left."""


def read(path: Path) -> bytes | None:
    """The file's bytes; None when there is none. Raises StepError."""
    try:
        return read_bytes(path, SETTINGS_BYTES)
    except FileMissing:
        return None
    except FileUnreadable as error:
        raise StepError(
            f"{path} cannot be read: {error.reason}; it is left as it is",
            f"see what is there: ls -ld {shlex.quote(str(path))}",
        ) from error


def digest(content: bytes | None) -> str | None:
    """A name for these bytes; None for a file that is not there."""
    if content is None:
        return None
    return hashlib.sha256(content).hexdigest()


def write(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put these bytes in the file's place at once, keeping its mode, else 0644 less the umask. Raises StepError.

    The folder must be there. A file of another user is refused: a replaced one would be ours.
    """
    target = real_file(path)
    with explained(path, "written"):
        refuse_foreign(target)
        if mode is None:
            mode = mode_of(target)
        temporary = _temporary_of(target)
        try:
            # Synced before the rename: after a power cut the name must not lead to a file whose bytes are missing.
            _write_synced(temporary, content, mode)
            os.replace(temporary, target)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync_folder(target.parent)


def remove(path: Path) -> None:
    """Remove the file; harmless when it is gone. Raises StepError."""
    with explained(path, "removed"):
        real_file(path).unlink(missing_ok=True)
    sweep(path)


def sweep(path: Path) -> None:
    """Remove what a run left that was killed while it wrote this file. Raises StepError."""
    temporary = _temporary_of(real_file(path))
    with explained(temporary, "removed"):
        if temporary.exists():  # on a read-only disk to unlink nothing is an error, too
            temporary.unlink()


def refuse_foreign(target: Path) -> None:
    """Raise StepError for a file of another user, what is no regular file, and what cannot be looked at."""
    with explained(target, "looked at"):
        try:
            state = target.stat()
        except FileNotFoundError:
            return
    owner = state.st_uid
    if not stat.S_ISREG(state.st_mode):
        # Root would put a file in the place of a device that a link leads to.
        raise StepError(f"{target} is no regular file; it is left as it is", "see what is there: ls -ld")
    if owner != os.geteuid():
        raise StepError(
            f"{target} belongs to another user (uid {owner}); it is left as it is", "run this as the user that owns it"
        )


def mode_of(target: Path) -> int:
    """The file's permissions; the usual ones, as far as the umask lets, for a new file."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        umask = os.umask(0o077)  # it can only be read by setting it
        os.umask(umask)
        return 0o644 & ~umask


@contextlib.contextmanager
def explained(path: Path, verb: str) -> Iterator[None]:
    """Turn the system's refusal into a StepError."""
    try:
        yield
    except OSError as error:
        raise StepError(
            f"{path} cannot be {verb}: {error.strerror or error}; it is left as it is",
            "see who may write there, and whether the disk is full or read-only: ls -ld, df",
        ) from error


def unified_diff(path: Path, before: bytes | None, after: bytes | None) -> str:
    """The change as `diff -u` shows it."""
    lines = difflib.unified_diff(_lines(before), _lines(after), _shown_name(path, before), _shown_name(path, after))
    text = ""
    for line in lines:
        text += line
        if not line.endswith("\n"):
            text += "\n\\ No newline at end of file\n"
    return text


def public_diff(diff: str, kept: bytes | None) -> str:
    """The same for whoever reads it: `…` for lines and texts that are in `kept` too, which others wrote."""
    foreign = (kept or b"").decode("utf-8", "replace")
    foreign_lines = {line.strip() for line in foreign.splitlines()}
    foreign_strings = set(JSON_STRING.findall(foreign)) - _OF_HOOKS

    def shown_string(match: re.Match[str]) -> str:
        return '"…"' if match[0] in foreign_strings else match[0]

    shown = []
    for number, line in enumerate(diff.splitlines()):
        sign = line[:1]
        text = line[1:].strip()
        if number < _HEADER_LINES or sign not in _SIGNS:
            shown.append(line)
        elif text in foreign_lines:
            is_punctuation = not any(map(str.isalnum, text))
            shown.append(line if is_punctuation else f"{sign}…")
        else:
            shown.append(JSON_STRING.sub(shown_string, line))
    return "".join(f"{line}\n" for line in shown)


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode("utf-8", "replace").splitlines(keepends=True)


def _shown_name(path: Path, content: bytes | None) -> str:
    if content is None:
        return "/dev/null"
    return str(path)


def _temporary_of(target: Path) -> Path:
    return target.with_name(f".{target.name}{NEW_SUFFIX}")


def _write_synced(path: Path, content: bytes, mode: int) -> None:
    handle = opened(str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(handle, mode)
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Let the names of new files survive a power cut; not every system lets a folder be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def missing_folders(path: Path) -> list[Path]:
    """This folder and those above it that do not exist, outermost first."""
    missing = []
    for folder in (*reversed(path.parents), path):
        if not os.path.exists(folder):
            missing.append(folder)
    return missing


def remove_folder(path: Path) -> None:
    """Remove a folder that is empty; any other stays."""
    with contextlib.suppress(OSError):
        path.rmdir()

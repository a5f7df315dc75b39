"""Files changed whole or not at all: a temporary one beside the real file, synced, then put in its place."""

import contextlib
import difflib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from blueplane_doctor.errors import DoctorError, ExitCode


class StepError(DoctorError):
    """A step cannot do or undo what it should; what it found is left as it was."""

    exit_code = ExitCode.FINDINGS


NEW_SUFFIX = ".blueplane-new"
"""Ends the name of a temporary file, always the same for one file, so that one left by a killed run is found."""
DEFAULT_MODE = 0o644


def real_file(path: Path) -> Path:
    """Where a symbolic link leads: replacing the link itself would take the file out of its owner's hands."""
    return Path(os.path.realpath(path))


def read(path: Path) -> bytes | None:
    """The file's bytes; None when there is none. Raises StepError."""
    with explained(path, "read"):
        try:
            return real_file(path).read_bytes()
        except FileNotFoundError:
            return None


def digest(content: bytes | None) -> str | None:
    """A name for these bytes; None for a file that is not there."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def write(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put these bytes in the file's place at once, keeping its mode. Raises StepError.

    The folder must be there. A file of another user is refused: a replaced one would be ours.
    """
    target = real_file(path)
    with explained(path, "written"):
        refuse_foreign(target)
        temporary = temporary_of(target)
        try:
            _write_synced(temporary, content, _mode_of(target) if mode is None else mode)
            os.replace(temporary, target)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(target.parent)


def remove(path: Path) -> None:
    """Remove the file; harmless when it is gone. Raises StepError."""
    target = real_file(path)
    with explained(path, "removed"):
        target.unlink(missing_ok=True)
        temporary_of(target).unlink(missing_ok=True)


def temporary_of(target: Path) -> Path:
    """Where the new content of a file stands before it is put in place."""
    return target.with_name(f".{target.name}{NEW_SUFFIX}")


def refuse_foreign(target: Path) -> None:
    """Raise StepError for a file of another user."""
    try:
        owner = target.stat().st_uid
    except FileNotFoundError:
        return
    if owner != os.geteuid():
        raise StepError(
            f"{target} belongs to another user (uid {owner}); it is left as it is", "run this as the user that owns it"
        )


@contextlib.contextmanager
def explained(path: Path, verb: str) -> Iterator[None]:
    """Turn the system's refusal into a sentence."""
    try:
        yield
    except OSError as error:
        raise StepError(
            f"{path} cannot be {verb}: {error.strerror or error}; it is left as it is",
            "see who may write there, and whether the disk is full or read-only: ls -ld, df",
        ) from error


def unified_diff(path: Path, before: bytes | None, after: bytes | None) -> str:
    """The change as `diff -u` shows it."""
    old, new = ((content or b"").decode("utf-8", "replace").splitlines(keepends=True) for content in (before, after))
    names = ("/dev/null" if before is None else str(path), "/dev/null" if after is None else str(path))
    lines = difflib.unified_diff(old, new, *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _mode_of(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return DEFAULT_MODE


def _write_synced(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), mode)
    try:
        os.fchmod(handle, mode)
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Every error that the doctor raises on purpose, and the exit codes.

    DoctorError
    ├── UsageError            the command line asks for what is not there
    ├── SettingsError         a settings file, variable or flag cannot be used
    │   └── ConfigUnusable        Blueplane's own file of settings, or one value in it
    ├── DocumentError         a text is not the JSON or YAML that it should be, or more of it than is read
    ├── NoChecksError         the selection leaves no check to run
    ├── RepairRefused         a repair would lose or double something, or cannot be proven safe
    └── SourceError           something that was to be read did not answer
        ├── SourceUnreachable     nobody answers there
        │   └── SourceNotServing      it answers, and serves no command now: it loads, a script runs, its master is gone
        ├── SourceRefused         it answers, and refuses: a password, a permission
        ├── SourceTimeout         it accepts, and does not answer in time
        ├── SourceTooFull         reading it could make it delete what it holds
        └── SourceUnusable        it answers with something that is not what was expected
            ├── SourceElsewhere       another node of a cluster holds what was asked for
            ├── SourceDamaged         the file is damaged
            ├── SourceInterrupted     a crash left it in the middle of a write, which the next writer undoes
            ├── SourceMissing         it answers, and what was asked for does not exist
            ├── SourceWrongType       the key is there, and holds something else: it is of another program
            ├── SourceProtocolError   what answers is not what should answer there
            │   └── SourceReplyTooLarge   or it is, and its reply is larger than is read
            └── FileUnreadable        a file is of another kind, too large, not text, or may not be read
                └── FileMissing           there is no such file

A message says what was tried, on what, what came back; `hint` says what to try.
"""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process ends with. Part of the interface: never renumbered."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    NOT_JUDGED = 3
    INTERNAL = 4
    NO_CHECKS = 5
    INTERRUPTED = 130


EXIT_CODE_MEANINGS = {
    ExitCode.OK: "nothing at or above --fail-on (default: orange)",
    ExitCode.FINDINGS: "findings at or above --fail-on",
    ExitCode.USAGE: "usage or settings error; nothing was examined",
    ExitCode.NOT_JUDGED: (
        "something vital could not be judged, or a check broke (--strict: any unknown or skipped), nothing worse found"
    ),
    ExitCode.INTERNAL: "internal error in the doctor itself",
    ExitCode.NO_CHECKS: "no check was selected",
    ExitCode.INTERRUPTED: "interrupted",
}


class DoctorError(Exception):
    """Base of all of the doctor's own errors; `exit_code` is what the CLI ends with."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DoctorError):
    """The command line asks for what is not there."""

    exit_code = ExitCode.USAGE


class SettingsError(DoctorError):
    """A settings file, variable or flag cannot be used."""

    exit_code = ExitCode.USAGE


class ConfigUnusable(SettingsError):
    """Blueplane's own file of settings, or one value in it; an examination can do without."""

    def __init__(self, message: str, hint: str = "", reason: str = "", name: str = "") -> None:
        """`reason`: why, without the file's path; `name`: of the doctor's setting, empty for the whole file."""
        super().__init__(message, hint)
        self.reason = reason
        self.name = name


class DocumentError(DoctorError):
    """A text is not the JSON or YAML that it should be, or more of it than is read.

    The message goes on where a file was named: `not JSON: ...`.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, hint: str = "", *, line: int = 0, limit: str = "") -> None:
        super().__init__(message, hint)
        self.line = line
        """Where, from 1; 0 where that is not known."""
        self.limit = limit
        """For a text that is well-formed and still not read: why."""


class NoChecksError(DoctorError):
    """The selection leaves no check to run."""

    exit_code = ExitCode.NO_CHECKS


class RepairRefused(DoctorError):
    """A repair would lose or double something, or cannot be proven safe: nothing is changed."""

    exit_code = ExitCode.FINDINGS


class SourceError(DoctorError):
    """Something that was to be read (Redis, the database, a file) did not answer."""

    exit_code = ExitCode.NOT_JUDGED


class SourceUnreachable(SourceError):
    """Nobody answers there."""


class SourceNotServing(SourceUnreachable):
    """It answers, and serves no command now.

    `code` is the first word of its answer, such as `LOADING`; `state` is what that means.
    """

    def __init__(self, message: str, hint: str = "", code: str = "", state: str = "") -> None:
        super().__init__(message, hint)
        self.code = code
        self.state = state


class SourceRefused(SourceError):
    """It answers, and refuses: a password, a permission."""


class SourceTimeout(SourceError):
    """It accepts, and does not answer in time."""


class SourceTooFull(SourceError):
    """Reading it could make it delete what it holds: its memory is nearly full, and it may evict any key."""


class SourceUnusable(SourceError):
    """It answers with something that is not what was expected."""


class SourceElsewhere(SourceUnusable):
    """Another node of a cluster holds what was asked for; `code` is the first word of the answer, such as `MOVED`."""

    def __init__(self, message: str, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class SourceDamaged(SourceUnusable):
    """The file is damaged."""


class SourceInterrupted(SourceUnusable):
    """A crash left it in the middle of a write, which the next writer undoes."""


class SourceWrongType(SourceUnusable):
    """The key is there, and holds something else."""


class SourceMissing(SourceUnusable):
    """It answers, and what was asked for does not exist."""


class SourceProtocolError(SourceUnusable):
    """What answers is not what should answer there: its bytes are no reply, or one without end."""


class SourceReplyTooLarge(SourceProtocolError):
    """Its reply is larger than is read."""


class FileUnreadable(SourceUnusable):
    """A file is of another kind, too large, not text, or may not be read.

    The message names its path; `reason` is the rest of the sentence, where the path is private or named otherwise.
    """

    def __init__(self, message: str, hint: str = "", reason: str = "") -> None:
        super().__init__(message, hint)
        self.reason = reason


class FileMissing(FileUnreadable):
    """There is no such file."""


def did_you_mean(word: str, names: Iterable[str], otherwise: str, cutoff: float = 0.6) -> str:
    """The hint for a word that means nothing: the name that is like it (1: the same), or something else to try."""
    from difflib import get_close_matches  # a millisecond, and only after a mistake

    close = get_close_matches(word, list(names), 1, cutoff)
    return f"did you mean {close[0]}?" if close else otherwise

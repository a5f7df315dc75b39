"""Why a message was not delivered: in words of our own, whatever a service or a library said."""

import os

from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.patterns import pattern

NOT_INSTALLED = Public('its library is missing: pip install "blueplane-doctor[notify]"')
TOO_LATE = Public("it did not end in time")
BROKE = Public("its library broke")
FOREIGN = Public("other users decide what its program does, so it is not run")
NOT_SHOWN = Public("for a reason that is not shown")
_OF_THE_LIBRARY = {
    "unreachable": Public("it could not be reached, or did not answer in time"),
    "redirected": Public("it answers with a redirection, which is not followed"),
    "unknown": Public("apprise does not know this URL"),
    "refused": Public("it was not accepted"),
}
"""What the process of apprise answers, and what that means."""
_CODE = pattern(r"[1-5]\d\d")
_ANSWERED = "the service answered "
_ENDED = "it ended with exit code "
_NOT_STARTED = "it cannot be started: "
_NUMBER = pattern(r"-?\d{1,3}")
_MOST_ERRORS = 200
"""Numbers of errors of a system; Linux has 133."""


def of_library(answer: str) -> Public:
    """The reason that the process of apprise gave: a word, or the code that the service answered."""
    if _CODE.fullmatch(answer):
        return Public(f"{_ANSWERED}{answer}")
    return _OF_THE_LIBRARY.get(answer, BROKE)


def of_exit_code(code: int) -> Public:
    """A command ended with this code."""
    return Public(f"{_ENDED}{code}")


def of_error(error: OSError) -> Public:
    """A command could not be started."""
    return Public(f"{_NOT_STARTED}{os.strerror(error.errno or 0)}")


def known(text: str) -> Public:
    """A reason that was read from a file: as it is where it is one of ours."""
    if text in ("", NOT_INSTALLED, TOO_LATE, BROKE, FOREIGN, NOT_SHOWN, *_OF_THE_LIBRARY.values()):
        return Public(text)
    if _CODE.fullmatch(text.removeprefix(_ANSWERED)) or _NUMBER.fullmatch(text.removeprefix(_ENDED)):
        return Public(text)
    errors = [os.strerror(number) for number in range(_MOST_ERRORS)]
    if text.removeprefix(_NOT_STARTED) in errors:
        return Public(text)
    return NOT_SHOWN

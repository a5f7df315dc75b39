"""New settings while the service runs: it notices that their files have changed, and examines by the new ones."""

from collections.abc import Callable, Iterable
from pathlib import Path

from blueplane_doctor.errors import DoctorError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.settings.values import Settings

_UNCHANGED = "what the command line of serve says, as its own address and port, holds until it is restarted"

_State = tuple[tuple[int, int, int] | None, ...]


class SettingsReloader:
    """Asked again and again, it gives a doctor whenever the settings in force are no longer the same."""

    def __init__(
        self, settings: Settings, load: Callable[[], Settings], files: Iterable[Path], say: Callable[[str], None]
    ) -> None:
        """`load` gives the settings now; `files` are those that it reads, whether they exist or not."""
        self._settings = settings
        self._load = load
        self._files = tuple(files)
        self._say = say
        self._seen = self._state()

    def __call__(self) -> Doctor | None:
        """A doctor for new settings; None where none of the files has changed, or nothing that matters in them.

        Settings that cannot be used are reported once, and those in force stay.
        """
        state = self._state()
        if state == self._seen:
            return None
        self._seen = state
        try:
            settings = self._load()
            if _are_same(self._settings, settings):
                return None
            doctor = Doctor(settings)
        except DoctorError as error:
            self._say(f"blueplane-doctor: the changed settings cannot be used, the old ones stay: {error.message}")
            return None
        names = ", ".join(_changed(self._settings, settings))
        self._settings = settings
        self._say(f"blueplane-doctor: examining by new settings ({names}); {_UNCHANGED}")
        return doctor

    def _state(self) -> _State:
        return tuple(_state_of(path) for path in self._files)


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns  # editors replace the file, or write into it


def _are_same(before: Settings, after: Settings) -> bool:
    """Whether both say the same, wherever it was set."""
    return not _changed(before, after) and before.unused_config == after.unused_config


def _changed(before: Settings, after: Settings) -> list[str]:
    """Names of the settings that differ; never their values, which may hold a password."""
    changed = []
    for name in Settings.model_fields:
        if getattr(before, name) != getattr(after, name):
            changed.append(name)
    return changed

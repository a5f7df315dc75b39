"""What a command was called with, and how it ends: its exit code, and errors in one sentence on stderr."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, ParamSpec

from blueplane_doctor.errors import DoctorError, ExitCode, UsageError
from blueplane_doctor.process.interruption import Interruptible
from blueplane_doctor.process.threads import NO_THREADS
from blueplane_doctor.settings.options import ENV_PREFIX, Options
from blueplane_doctor.text.console import complain, give_up_stdout, say

if TYPE_CHECKING:
    from blueplane_doctor.settings.values import Loaded

_Parameters = ParamSpec("_Parameters")


class Invocation(NamedTuple):
    """What a command was called with: its shared options, wherever they stood."""

    options: Options = Options()
    format: str = ""
    """One of the formats that the command has declared, the first where none was asked for; empty: it has none."""

    @property
    def home(self) -> Path:
        """Blueplane's home by flags and environment, for who can do without all settings. Raises SettingsError."""
        from blueplane_doctor.settings.files import home_folder

        return home_folder(self.options.home or os.environ.get(f"{ENV_PREFIX}HOME") or "~/.blueplane")

    def load(self, *, for_examination: bool = False) -> "Loaded":
        """The settings in force, with the waivers of --waivers. Raises SettingsError.

        `for_examination`: Blueplane's own file may be broken; a check tells it.
        """
        # Imported here: `--help` of a command, and an error in its options, do without the settings.
        from blueplane_doctor.settings.values import load
        from blueplane_doctor.settings.waivers import read_waivers

        loaded = load(self.options.settings_flags(), file=self.options.settings, for_examination=for_examination)
        if not self.options.waivers:
            return loaded
        waivers = [*loaded.settings.waivers, *read_waivers(self.options.waivers)]
        settings = loaded.settings.model_copy(update={"waivers": waivers})
        return loaded._replace(settings=settings)

    def one_output(self) -> Path | None:
        """The file of --output, for a command that writes a single one. Raises UsageError."""
        outputs = self.options.output or []
        if len(outputs) > 1:
            raise UsageError(f"--output {outputs[1]}: this command writes one file", "name --output once")
        return outputs[0] if outputs else None


def exit_code_of(
    function: Callable[_Parameters, int | None], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> int:
    """Run a command; gives its exit code, and says errors in one sentence on stderr."""
    try:
        with Interruptible():
            code = function(*args, **kwargs) or ExitCode.OK
    except DoctorError as error:
        complain(error.message, error.hint)
        code = error.exit_code
    except KeyboardInterrupt:
        complain("interrupted")
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        give_up_stdout()  # the reader went away, as `| head` does
        code = ExitCode.OK
    except Exception as error:
        code = _code_of_defect(error)
    return int(code)


def _code_of_defect(error: Exception) -> ExitCode:
    """Say on stderr what nobody expected; its text could quote what was examined."""
    shortage = _shortage(error)
    if shortage:
        complain(shortage, "see: ulimit -a")
        return ExitCode.NOT_JUDGED
    complain(f"internal error: {type(error).__name__}. This is a defect of the doctor; please report:")
    for frame in traceback.extract_tb(error.__traceback__)[-6:]:
        say(f"  {Path(frame.filename).name} line {frame.lineno} in {frame.name}")
    return ExitCode.INTERNAL


def _shortage(error: Exception) -> str:
    """What the machine has too little of; empty where the error is another one."""
    if isinstance(error, MemoryError):
        return "the system gives no more memory"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return NO_THREADS
    return ""

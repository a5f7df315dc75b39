"""`python -m blueplane_doctor`, the `blueplane-doctor` command, and the commands of `blueplane`."""

import gc
import io
import sys

from blueplane_doctor.characters import PlainStream


def guard_the_streams() -> None:
    """Let stdout and stderr replace what their encoding cannot hold, and stderr hold no commands.

    Output in cp1252 must not end in an error, and neither a terminal nor a CI runner obey a name that is quoted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None without a console, another class under a test
            stream.reconfigure(errors="replace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = PlainStream(sys.stderr)


def main() -> None:
    """Tell the truth about a Blueplane telemetry pipeline."""
    # A short life with many imports: collecting garbage at every 700 objects is for nothing.
    gc.set_threshold(50_000, 20, 50)
    guard_the_streams()
    from blueplane_doctor.cli import app

    app()


def install() -> None:
    """Install hooks, services and what is missing of Redis and database, step by step."""
    guard_the_streams()
    from blueplane_doctor.cli import run_command

    run_command("install", sys.argv[1:])


def uninstall() -> None:
    """Undo what install did; what others changed or use since stays."""
    guard_the_streams()
    from blueplane_doctor.cli import run_command

    run_command("uninstall", sys.argv[1:])


if __name__ == "__main__":
    main()

"""What the stand-alone executable starts with: the command line, or one of its own files as a program."""

import runpy
import sys

INTERPRETER = ["-I", "-S"]
"""How the demo starts its helpers: `sys.executable -I -S FILE`. Here sys.executable is this program."""


def main() -> None:
    """Run the command line, unless called as if this were Python."""
    if sys.argv[1:3] == INTERPRETER:
        sys.argv = sys.argv[3:]
        runpy.run_path(sys.argv[0], run_name="__main__")
        return
    from blueplane_doctor.__main__ import main as command_line

    command_line()


if __name__ == "__main__":
    main()

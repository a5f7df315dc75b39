"""`blueplane COMMAND …`: hands over to whichever Blueplane package registered that command.

A package joins with an entry point in the group `blueplane.commands`: a function without arguments that
reads `sys.argv`.
"""

import sys
from importlib.metadata import EntryPoint, entry_points

from blueplane_doctor.errors import ExitCode, did_you_mean


def main() -> None:
    """Run `sys.argv[1]` with the rest of the arguments."""
    commands = {entry.name: entry for entry in entry_points(group="blueplane.commands")}
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        sys.stdout.write(_help(commands))
        return
    if name not in commands:
        hint = did_you_mean(name, commands, f"commands: {', '.join(sorted(commands))}")
        sys.stderr.write(f"blueplane: there is no command {name!r}\n  try: {hint}\n")
        raise SystemExit(int(ExitCode.USAGE))
    sys.argv = [f"blueplane {name}", *sys.argv[2:]]
    commands[name].load()()


def _help(commands: dict[str, EntryPoint]) -> str:
    lines = [
        f"  {name:<12} {entry.value.partition(':')[0].partition('.')[0]}" for name, entry in sorted(commands.items())
    ]
    return "\n".join(["usage: blueplane COMMAND [ARGUMENT ...]", "", "commands:", *lines]) + "\n"

"""`blueplane COMMAND …`: hands over to whichever Blueplane package registered that command.

A package joins with an entry point in the group `blueplane.commands`: a function without arguments that reads
`sys.argv`. The first line of its docstring is the command's help.
"""

import sys
from collections.abc import Mapping
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


def _help(commands: Mapping[str, EntryPoint]) -> str:
    lines = ["usage: blueplane COMMAND [ARGUMENT ...]", "", "commands:"]
    for name, entry in sorted(commands.items()):
        lines.append(f"  {name:<12} {_summary(entry)}".rstrip())
    return "\n".join(lines) + "\n"


def _summary(entry: EntryPoint) -> str:
    """A command's help in one line. A package that cannot be loaded must not hide the other commands."""
    try:
        function = entry.load()
    except Exception as error:  # whatever another package does while it is imported
        return f"(cannot be loaded: {type(error).__name__})"
    lines = (getattr(function, "__doc__", None) or "").strip().splitlines()
    return lines[0] if lines else ""

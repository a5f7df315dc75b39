"""Writes docs/OPTIONS.md, the shared options and the commands that take them, from the program itself: `make docs`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blueplane_doctor.commands import command_names, load_command, summary_of
from blueplane_doctor.settings.options import OPTIONS, Option, Scope

TARGET = Path(__file__).parents[2] / "docs" / "OPTIONS.md"
HEAD = """\
<!-- Made by `make docs` from the program; a test compares. Edit settings/options.py, not this file. -->

# Options

These options are shared by the commands. **Each may stand before the command or after it**:
`blueplane-doctor --redis-url URL serve` and `blueplane-doctor serve --redis-url URL` mean the same. When an option is
given twice, the later value counts; the values of a repeatable option add up.

An option that a command does not take is refused by its name, with exit code 2, wherever it stands. Options of a
single command stand after it; `blueplane-doctor COMMAND --help` lists all of them.

Every option has an environment variable as well. An option comes before the variable, the variable before the
settings. "settings": the variable is read wherever settings are loaded. "commands": by every command that takes the
option. "examination": by `blueplane-doctor` without a command. A variable that means nothing to a command is ignored.
"""
COMPLETION = """\
## Completion in the shell

```
blueplane-doctor completion bash > ~/.local/share/bash-completion/completions/blueplane-doctor
blueplane-doctor completion zsh > ~/.zfunc/_blueplane-doctor        # a folder in $fpath, before compinit
blueplane-doctor completion fish > ~/.config/fish/completions/blueplane-doctor.fish
```

The script is static: pressing Tab starts no Python. It completes commands, options, formats, colours and the ids of
the checks that there were when it was made; make it anew after an upgrade.
"""


def text() -> str:
    """The whole document."""
    return "\n".join([HEAD, *_shared(), "", *_commands(), "", COMPLETION.rstrip()]) + "\n"


def _shared() -> Iterator[str]:
    yield "| option | what it does | variable | read by | in pytest |"
    yield "|---|---|---|---|---|"
    for option in OPTIONS.values():
        in_pytest = f"`--blueplane-{option.flag[2:]}`" if option.in_pytest else ""
        scope = "examination" if option.scope is Scope.EXAMINATION else option.scope.value
        yield f"| {_typed(option)} | {option.help} | `{option.variable}` | {scope} | {in_pytest} |"


def _typed(option: Option) -> str:
    flag = f"{option.flag} {option.metavar}" if option.metavar else option.flag
    names = [f"`{flag}`"]
    if option.short:
        names.append(f"`{option.short}`")
    if option.negative:
        names.append(f"`--no-{option.flag[2:]}`")
    return ", ".join(names)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield "| command | what it does | shared options that it takes |"
    yield "|---|---|---|"
    yield "| `blueplane-doctor` | Examine the pipeline and report. | all |"
    for name in command_names():
        loaded = load_command(name)
        parts: dict[str, Any] = getattr(loaded, "commands", {"": loaded})
        taken = []
        for part in parts.values():
            taken += [flag for flag in shared_flags(part) if flag not in taken]
        yield f"| `{name}` | {summary_of(name)} | {', '.join(taken)} |"


def shared_flags(command: Any) -> list[str]:
    """The shared options of a command, as typer has them."""
    names = [parameter.name for parameter in command.params]
    return [f"`{option.flag}`" for option in OPTIONS.values() if option.name in names]


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")

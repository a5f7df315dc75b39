"""Completion scripts for bash, zsh and fish: static text, in which everything is that a shell proposes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from blueplane_doctor.settings.options import Values

PROGRAM = "blueplane-doctor"
_PATHS = (Values.FILE, Values.FOLDER)
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.,:;|/()<>=+~…@[]")
"""Characters that mean nothing inside single quotes, in any of the shells."""


@dataclass(frozen=True)
class Flag:
    """An option as a shell completes it."""

    names: tuple[str, ...]
    """All its spellings: `-f`, `--format`."""
    help: str
    values: Values
    words: tuple[str, ...] = ()
    """Values to propose; empty where the value is a path, or anything."""


@dataclass(frozen=True)
class Completed:
    """A command, or the program itself, as a shell completes it."""

    help: str
    flags: tuple[Flag, ...]
    words: tuple[str, ...] = ()
    """What may follow: names of commands, ids of checks; empty: names of files."""

    @property
    def proposals(self) -> str:
        """Options and words, between spaces."""
        proposed: list[str] = []
        for flag in self.flags:
            proposed += flag.names
        proposed += self.words
        return " ".join(proposed)


Commands = Mapping[str, Completed]
"""By name: `checks`, `dlq list`; the program itself has an empty name."""


def bash(commands: Commands) -> str:
    """A script for bash 3.2 or later, to be sourced."""
    values = []
    for pattern, flag in _values(commands):
        if flag.values in _PATHS:
            kind = "-d" if flag.values is Values.FOLDER else "-f"
            values.append(f'    {pattern}) COMPREPLY=($(compgen {kind} -- "$current")); return ;;')
        else:
            words = _quoted(" ".join(flag.words))
            values.append(f'    {pattern}) COMPREPLY=($(compgen -W {words} -- "$current")); return ;;')
    cases = []
    for name, command in commands.items():
        words = _quoted(command.proposals)
        cases.append(f'    {_quoted(name)}) COMPREPLY=($(compgen -W {words} -- "$current")) ;;')
    return _BASH.format(**_parts(commands), values="\n".join(values), cases="\n".join(cases))


def zsh(commands: Commands) -> str:
    """A script for zsh 5, to be put into a folder of $fpath as `_blueplane-doctor`, or sourced."""
    values = []
    for pattern, flag in _values(commands):
        proposal = f"compadd -- {' '.join(_quoted(word) for word in flag.words)}"
        if flag.values in _PATHS:
            proposal = "_files -/" if flag.values is Values.FOLDER else "_files"
        values.append(f"    ({pattern}) {proposal}; return ;;")
    cases = []
    for name, command in commands.items():
        proposal = f"compadd -- {command.proposals}"
        if not command.words:
            proposal += "; _files"
        cases.append(f"    ({_quoted(name)}) {proposal} ;;")
    return _ZSH.format(**_parts(commands), values="\n".join(values), cases="\n".join(cases))


def fish(commands: Commands) -> str:
    """A script for fish 3 or later."""
    lines = [f"# Completion of {PROGRAM} for fish; made by: {PROGRAM} completion fish"]
    for name, command in commands.items():
        start = f"complete -c {PROGRAM} -n {_fish_condition(name, commands)}"
        if command.words:
            lines.append(f"{start} -f")
        for word in command.words:
            below = commands.get(f"{name} {word}".strip())
            description = f" -d {_quoted(below.help)}" if below else ""
            lines.append(f"{start} -a {_quoted(word)}{description}")
        for flag in command.flags:
            lines.append(f"{start} {_fish_flag(flag)}")
    return "\n".join(lines) + "\n"


def _fish_condition(name: str, commands: Commands) -> str:
    """When a line of fish counts: no command stands there yet, or this one and none of its own commands."""
    conditions = [f"__fish_seen_subcommand_from {word}" for word in name.split()]
    start = f"{name} " if name else ""
    inside = []
    for other in commands:
        if other and other.startswith(start):
            inside.append(other.removeprefix(start))
    direct = [other for other in inside if " " not in other]
    if direct:
        conditions.append(f"not __fish_seen_subcommand_from {' '.join(direct)}")
    return _quoted("; and ".join(conditions))


def _fish_flag(flag: Flag) -> str:
    parts = [_fish_name(name) for name in flag.names]
    if flag.values in _PATHS:
        parts.append("-r -F")
    elif flag.words:
        parts.append(f"-x -a {_quoted(' '.join(flag.words))}")
    elif flag.values is not Values.NONE:
        parts.append("-x")
    parts.append(f"-d {_quoted(flag.help)}")
    return " ".join(parts)


def _fish_name(name: str) -> str:
    if name.startswith("--"):
        return f"-l {name.removeprefix('--')}"
    return f"-s {name.removeprefix('-')}"


def _values(commands: Commands) -> Iterator[tuple[str, Flag]]:
    """For each option with a value, the pattern of `command option` after which its values are proposed."""
    for name, command in commands.items():
        for flag in command.flags:
            if flag.values is not Values.NONE:
                spellings = [_quoted(f"{name} {spelling}") for spelling in flag.names]
                yield "|".join(spellings), flag


def _parts(commands: Commands) -> dict[str, str]:
    """The names of commands, and the options after which a word is a value and no command, as patterns."""
    takes = set[str]()
    for command in commands.values():
        for flag in command.flags:
            if flag.values is not Values.NONE:
                takes.update(flag.names)
    names = []
    for name in commands:
        if name:
            names.append(_quoted(name))
    return {"names": "|".join(names), "takes": "|".join(sorted(takes))}


def _quoted(text: str) -> str:
    """One word for bash, zsh and fish alike."""
    safe = [character for character in text if character in _SAFE]
    return f"'{''.join(safe)}'"


SHELLS: Mapping[str, Callable[[Commands], str]] = {"bash": bash, "zsh": zsh, "fish": fish}

# In both scripts: find the command among the words before the cursor, passing over options and their values; then
# propose values of the option before the cursor, or else the command's options and words.
_BASH = """\
# Completion of blueplane-doctor for bash; made by: blueplane-doctor completion bash
_blueplane_doctor() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" command="" index=1 word
  while [ "$index" -lt "$COMP_CWORD" ]; do
    word="${{COMP_WORDS[index]}}"
    case "$word" in
    {takes}) index=$((index + 1)) ;;
    *)
      case "${{command:+$command }}$word" in
      {names}) command="${{command:+$command }}$word" ;;
      esac
      ;;
    esac
    index=$((index + 1))
  done
  case "$command $previous" in
{values}
  esac
  case "$command" in
{cases}
  esac
}}
complete -o default -F _blueplane_doctor blueplane-doctor
"""
_ZSH = """\
#compdef blueplane-doctor
# Completion of blueplane-doctor for zsh; made by: blueplane-doctor completion zsh
_blueplane_doctor() {{
  local previous="${{words[CURRENT-1]}}" command="" word
  local -i index=2
  while (( index < CURRENT )); do
    word="${{words[index]}}"
    case "$word" in
    ({takes}) (( index += 1 )) ;;
    (*)
      case "${{command:+$command }}$word" in
      ({names}) command="${{command:+$command }}$word" ;;
      esac
      ;;
    esac
    (( index += 1 ))
  done
  case "$command $previous" in
{values}
  esac
  case "$command" in
{cases}
  esac
}}
if [ "${{funcstack[1]}}" = "_blueplane-doctor" ]; then
  _blueplane_doctor "$@"
else
  compdef _blueplane_doctor blueplane-doctor
fi
"""

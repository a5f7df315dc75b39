"""The files in which editors look for hooks, read as the editors read them: strict JSON, all or nothing.

Claude Code skips a settings file as a whole where one entry of it is not as it should be, with a question in a terminal
and without a word elsewhere. So an entry that was never ours can switch ours off.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from blueplane_doctor.errors import DocumentError, FileMissing, FileUnreadable
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.reading import read_bytes
from blueplane_doctor.pipeline import CLAUDE_HOOK_MARKS
from blueplane_doctor.privacy.public_text import known_or_hidden

CURSOR = "cursor"
CLAUDE = "claude_code"
_HOOKS_BYTES = 1_000_000
"""Of a file of hooks: a person's has a few thousand."""
_CURSOR_EVENTS = frozenset(
    {
        *("beforeSubmitPrompt", "afterAgentResponse", "beforeMCPExecution", "afterMCPExecution", "afterFileEdit"),
        *("stop", "beforeShellExecution", "afterShellExecution", "beforeReadFile", "afterAgentThought"),
        *("beforeTabFileRead", "afterTabFileEdit", "sessionStart", "sessionEnd", "preToolUse", "postToolUse"),
        *("postToolUseFailure", "subagentStart", "subagentStop", "preCompact"),
    }
)
_CLAUDE_EVENTS = frozenset(
    {
        *("PreToolUse", "PostToolUse", "PostToolUseFailure", "UserPromptSubmit", "SessionStart", "SessionEnd"),
        *("Stop", "StopFailure", "SubagentStart", "SubagentStop", "PreCompact", "PostCompact", "Notification"),
        *("PermissionRequest", "PermissionDenied", "Setup", "TeammateIdle", "TaskCreated", "TaskCompleted"),
        *("ConfigChange", "CwdChanged", "FileChanged", "WorktreeCreate", "WorktreeRemove", "InstructionsLoaded"),
        *("Elicitation", "ElicitationResult", "PreModelSwitch", "PostModelSwitch"),
    }
)
"""Of the versions known; an older version skips a file with an event that it does not know."""
_WHAT_IT_RUNS = {"command": "command", "prompt": "prompt", "agent": "prompt", "http": "url", "mcp_tool": "tool"}
"""The kinds of a hook of Claude Code, and the member that each must have."""
_TYPES: dict[str, tuple[type, ...]] = {
    "hooks": (dict,),
    "permissions": (dict,),
    "env": (dict,),
    "disableAllHooks": (bool,),
    "allowManagedHooksOnly": (bool,),
    "cleanupPeriodDays": (int, float),
    "includeCoAuthoredBy": (bool,),
    "model": (str,),
    "apiKeyHelper": (str,),
}
"""What Claude Code wants of settings that many files have."""


class HookCommand(NamedTuple):
    """One command that an editor runs."""

    editor: str
    event: str
    """The editor's name of the hook; a fingerprint where it is not known."""
    command: str
    """Private."""

    @property
    def is_ours(self) -> bool:
        """Whether it belongs to the pipeline."""
        return any(mark in self.command for mark in CLAUDE_HOOK_MARKS)


class HookFile(NamedTuple):
    """What one file says of hooks."""

    editor: str
    is_there: bool = False
    problem: str = ""
    """Why the editor does not use the file; public. Empty where it does."""
    entry: str = ""
    """The entry that is the reason, such as `hooks.Stop[0].matcher`; public."""
    doubt: str = ""
    """The same for what some versions of the editor refuse."""
    commands: tuple[HookCommand, ...] = ()
    names_us: bool = False
    """Whether a command of the pipeline is in it, wherever: also where the file is broken."""
    disables_hooks: bool = False
    """`disableAllHooks`."""
    managed_only: bool = False
    """`allowManagedHooksOnly`."""


class _Refused(Exception):
    """An entry that is not as the editor wants it: its place, then why."""


def read_hook_file(path: Path, editor: str) -> HookFile:
    """What a file of this editor says; one that cannot be read says so."""
    try:
        content = read_bytes(path, _HOOKS_BYTES)
    except FileMissing:
        return HookFile(editor)
    except FileUnreadable as error:
        return HookFile(editor, is_there=True, problem=f"it cannot be read: {error.reason}")
    names_us = any(mark.encode() in content for mark in CLAUDE_HOOK_MARKS)
    file = HookFile(editor, is_there=True, names_us=names_us)
    try:
        value = json_value(content.decode("utf-8"))  # not utf-8-sig: editors take no byte-order mark
    except UnicodeDecodeError:
        return file._replace(problem="it is not valid JSON: it is not UTF-8 text")
    except DocumentError as error:
        return file._replace(problem=_not_json(content, error))
    if not isinstance(value, dict):
        return file._replace(problem="it is not valid JSON of settings: it holds no object")
    return _read(file, value)


def _not_json(content: bytes, error: DocumentError) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        return "it is not valid JSON: it begins with a byte-order mark"
    if error.limit:
        return f"it is {error.message}"
    return f"it is not valid JSON: {error.message.removeprefix('not JSON: ')}"


def _read(file: HookFile, value: dict[str, Any]) -> HookFile:
    file = file._replace(
        disables_hooks=value.get("disableAllHooks") is True,
        managed_only=value.get("allowManagedHooksOnly") is True,
    )
    entries = _cursor_commands(value) if file.editor == CURSOR else _claude_commands(value)
    try:
        commands = tuple(entries)
    except _Refused as refused:
        entry, problem = refused.args
        return file._replace(problem=problem, entry=entry)
    return file._replace(commands=commands, doubt=_unknown_event(file.editor, value.get("hooks")))


def _unknown_event(editor: str, hooks: object) -> str:
    """Why some versions of the editor may refuse the file; Cursor passes over what it does not know."""
    if editor != CLAUDE or not isinstance(hooks, dict):
        return ""
    unknown = sum(event not in _CLAUDE_EVENTS for event in hooks)
    if not unknown:
        return ""
    return "it names a hook that Claude Code is not known to have: versions that do not know it skip the whole file"


def _cursor_commands(value: dict[str, Any]) -> Iterator[HookCommand]:
    hooks = _wanted(value.get("hooks", {}), (dict,), "hooks")
    for name, entries in hooks.items():
        event = known_or_hidden(name, _CURSOR_EVENTS)
        for number, entry in enumerate(_wanted(entries, (list,), f"hooks.{event}")):
            place = f"hooks.{event}[{number}]"
            _wanted(entry, (dict,), place)
            command = entry.get("command")
            if command is None and entry.get("type") == "prompt":
                continue
            yield HookCommand(CURSOR, event, _wanted(command, (str,), f"{place}.command"))


def _claude_commands(value: dict[str, Any]) -> Iterator[HookCommand]:
    for name, types in _TYPES.items():
        if name in value:
            _wanted(value[name], types, name)
    for name, matchers in value.get("hooks", {}).items():
        event = known_or_hidden(name, _CLAUDE_EVENTS)
        for number, matcher in enumerate(_wanted(matchers, (list,), f"hooks.{event}")):
            place = f"hooks.{event}[{number}]"
            _wanted(matcher, (dict,), place)
            if "matcher" in matcher:
                _wanted(matcher["matcher"], (str,), f"{place}.matcher")
            for index, hook in enumerate(_wanted(matcher.get("hooks"), (list,), f"{place}.hooks")):
                yield from _claude_hook(hook, event, f"{place}.hooks[{index}]")


def _claude_hook(hook: Any, event: str, place: str) -> Iterator[HookCommand]:
    _wanted(hook, (dict,), place)
    kind = hook.get("type")
    if not isinstance(kind, str) or kind not in _WHAT_IT_RUNS:
        raise _Refused(f"{place}.type", "it is none of the kinds of hooks")
    member = _WHAT_IT_RUNS[kind]
    text = _wanted(hook.get(member), (str,), f"{place}.{member}")
    if "timeout" in hook:
        _wanted(hook["timeout"], (int, float), f"{place}.timeout")
    if kind == "command":
        yield HookCommand(CLAUDE, event, text)


_WORDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number"}


def _wanted(value: Any, types: tuple[type, ...], place: str) -> Any:
    """The value, where it is of such a type. Raises _Refused."""
    # true is a number for Python, and none for an editor.
    if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
        return value
    raise _Refused(place, f"it is not {_WORDS[types[0]]}")

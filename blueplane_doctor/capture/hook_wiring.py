"""What keeps hooks from being run: files that the editors do not use, switches, and commands that cannot be run."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.hook_files import CLAUDE, HookCommand, HookFile, read_hook_file
from blueplane_doctor.sources.hook_programs import MISSING, NOT_EXECUTABLE, NOT_ON_PATH, Program, version_of

_NOT_USED = "not_used"
_MAY_BE_SKIPPED = "may_be_skipped"
_HOOKS_DISABLED = "hooks_disabled"
_MANAGED_ONLY = "managed_only"
_COMMAND_MISSING = "command_missing"
_COMMAND_NOT_EXECUTABLE = "command_not_executable"
_COMMAND_NOT_ON_PATH = "command_not_on_path"
_KINDS = {MISSING: _COMMAND_MISSING, NOT_EXECUTABLE: _COMMAND_NOT_EXECUTABLE, NOT_ON_PATH: _COMMAND_NOT_ON_PATH}
_MANAGED = {
    "darwin": Path("/Library/Application Support/ClaudeCode"),
    "win32": Path("C:/Program Files/ClaudeCode"),
}
_MANAGED_ELSEWHERE = Path("/etc/claude-code")
_HOOK = "blueplane-hook"
SESSION_HOOK = "SessionStart"
"""By this hook alone the server learns of a session of Claude Code."""
_MOST_PROJECTS = 50
"""Projects of open sessions whose own settings are read."""


class WiringFault(Record):
    """One thing that keeps events from being captured, or may."""

    kind: str
    """`not_used`, `may_be_skipped`, `hooks_disabled`, `managed_only`, `command_missing`, `command_not_executable`,
    `command_not_on_path`, `hooks_missing`, `extension_missing`, `folder_not_found`, `folder_elsewhere`,
    `versions_differ`."""
    editor: str = ""
    """`cursor` or `claude_code`; empty where it is neither's alone."""
    place: str
    """Where it is: which file of which editor."""
    entry: str = ""
    """Which entry of the file, or which hook."""
    reason: str = ""
    """What is wrong there."""
    ours: bool = True
    """Whether capture itself depends on it; a command of somebody else's may only disturb."""


class ReadFile(NamedTuple):
    """One file, and what it is to people."""

    label: str
    content: HookFile
    is_managed: bool = False
    is_of_a_project: bool = False


class FileCommand(NamedTuple):
    """One command of one file, and what it would run."""

    label: str
    command: HookCommand
    program: Program


def managed_files() -> list[ReadFile]:
    """Claude Code's settings that are managed for all users of the machine."""
    folder = _MANAGED.get(sys.platform, _MANAGED_ELSEWHERE)
    parts = sorted((folder / "managed-settings.d").glob("*.json"))
    files = []
    for path in (folder / "managed-settings.json", *parts):
        files.append(ReadFile("Claude Code's managed settings", read_hook_file(path, CLAUDE), is_managed=True))
    return files


def project_files(workspaces: Iterable[str]) -> list[ReadFile]:
    """The settings of the projects in these folders."""
    files = []
    for workspace in sorted(set(workspaces))[:_MOST_PROJECTS]:
        if not workspace or "\0" in workspace:
            continue
        for name in ("settings.json", "settings.local.json"):
            content = read_hook_file(Path(workspace) / ".claude" / name, CLAUDE)
            files.append(ReadFile(f"{name} of an open session's project", content, is_of_a_project=True))
    return files


def may_tell_of_sessions(content: HookFile) -> bool:
    """Whether a hook of the pipeline tells of sessions there, or the file is not used for a reason that is told."""
    if content.problem:
        return True
    return any(one.is_ours and one.event == SESSION_HOOK for one in content.commands)


def unused_files(files: Iterable[ReadFile]) -> Iterator[WiringFault]:
    """Files that their editor does not use, or may not use."""
    for file in files:
        content = file.content
        if file.is_of_a_project and not content.names_us:
            continue  # the editor skips that file alone
        if content.problem:
            yield WiringFault(
                kind=_NOT_USED,
                editor=content.editor,
                place=file.label,
                entry=content.entry,
                reason=content.problem,
            )
        elif content.doubt:
            yield WiringFault(kind=_MAY_BE_SKIPPED, editor=content.editor, place=file.label, reason=content.doubt)


def _runs_ours(content: HookFile) -> bool:
    return any(one.editor == CLAUDE and one.is_ours for one in content.commands)


def switched_off(files: list[ReadFile]) -> Iterator[WiringFault]:
    """What switches off hooks of the pipeline that Claude Code would otherwise run."""
    ours = [file for file in files if _runs_ours(file.content)]
    is_managed = any(file.is_managed for file in ours)
    for file in files:
        if not ours or (is_managed and not file.is_managed):
            continue  # only managed settings switch off managed hooks
        if file.content.disables_hooks:
            yield WiringFault(
                kind=_HOOKS_DISABLED, editor=CLAUDE, place=file.label, entry="disableAllHooks", reason="it is true"
            )
        if file.is_managed and file.content.managed_only and not is_managed:
            reason = "it is true, and the pipeline's hooks are not among the managed ones"
            yield WiringFault(
                kind=_MANAGED_ONLY, editor=CLAUDE, place=file.label, entry="allowManagedHooksOnly", reason=reason
            )


def commands_that_do_not_run(commands: Iterable[FileCommand]) -> Iterator[WiringFault]:
    """Commands whose program is gone, may not be run, or is not on the PATH."""
    for one in commands:
        if one.program.state in _KINDS:
            yield WiringFault(
                kind=_KINDS[one.program.state],
                editor=one.command.editor,
                place=one.label,
                entry=one.command.event,
                reason=f"its program is {one.program.state}",
                ours=one.command.is_ours,
            )


def versions_of_hooks(commands: Iterable[FileCommand]) -> set[str]:
    """The versions of the programs `blueplane-hook`; empty where one tells none."""
    versions = set()
    for one in commands:
        if one.program.path and one.program.path.name == _HOOK:
            versions.add(version_of(one.program.path))
    return versions

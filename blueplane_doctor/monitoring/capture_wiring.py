"""The wiring of capture: hook files, their commands, the extension, versions, and folders that the server can find."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from blueplane_doctor import __version__
from blueplane_doctor.capture.claude_sessions import ClaudeSessions, is_wired
from blueplane_doctor.capture.hook_wiring import (
    SESSION_HOOK,
    FileCommand,
    ReadFile,
    WiringFault,
    commands_that_do_not_run,
    managed_files,
    may_tell_of_sessions,
    project_files,
    switched_off,
    unused_files,
    versions_of_hooks,
)
from blueplane_doctor.errors import SourceError
from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.pipeline import CLAUDE_FOLDER_VARIABLE, SESSIONS_TABLE, finds_transcripts, folders_looked_for
from blueplane_doctor.privacy.public_fields import Version
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.cursor_extension import extensions
from blueplane_doctor.sources.cursor_places import cursor_folder
from blueplane_doctor.sources.hook_files import CLAUDE, CURSOR, read_hook_file
from blueplane_doctor.sources.hook_programs import program_of, version_of
from blueplane_doctor.sources.service_units import service_programs
from blueplane_doctor.text.times import to_milliseconds

_HOOKS_MISSING = "hooks_missing"
_EXTENSION_MISSING = "extension_missing"
_FOLDER_NOT_FOUND = "folder_not_found"
_FOLDER_ELSEWHERE = "folder_elsewhere"
_VERSIONS_DIFFER = "versions_differ"
_RECENT = timedelta(days=30)
"""What the server was told of within this time shows that it was installed: a window of Cursor, a session of Claude."""


class CaptureWiring(Record):
    """What Cursor and Claude Code are told to do, and whether they can."""

    cursor_is_there: bool = False
    """Whether Cursor was ever used by this user."""
    claude_is_there: bool = False
    """Whether Claude Code was ever used by this user."""
    cursor_commands: int = 0
    """Commands in Cursor's hooks.json."""
    claude_commands: int = 0
    """Commands of hooks in Claude Code's settings, those of the projects of open sessions and the managed ones too."""
    extension_versions: list[Version] = []
    """Versions of Blueplane's extension in Cursor."""
    package_version: Version = "unknown"
    """Of the doctor that examines."""
    hook_versions: list[Version] = []
    """Of the programs `blueplane-hook` that the hooks call, as far as it can be told."""
    service_versions: list[Version] = []
    """Of the programs that the installed services run, as far as it can be told."""
    open_sessions: int | None = None
    """Open sessions of Claude Code, as the server knows them; null where they cannot be read."""
    unfindable_sessions: int | None = None
    """Those whose folder of transcripts the server cannot find by its rule; null where sessions cannot be read."""
    sessions_cause: str = ""
    """Why sessions cannot be read."""
    faults: list[WiringFault] = []


class CaptureWiringMonitor(Monitor):
    """Reads what editors are told, and looks whether it can be done. It runs nothing."""

    name = "wiring"
    record = CaptureWiring
    in_metrics = False  # settings, not measurements

    def collect(self) -> CaptureWiring:
        """Always a record: without editors there is nothing in it."""
        workspaces, sessions_cause = self._open_workspaces()
        files = [*self._user_files(), *managed_files(), *project_files(workspaces or ())]
        commands = list(self._commands(files))
        package = __version__
        hooks = sorted(versions_of_hooks(commands) - {""})
        versions = set()
        for path in service_programs(self._user_home):
            versions.add(version_of(path))
        services = sorted(versions - {""})
        unfindable = None
        if workspaces is not None:
            unfindable = 0
            for workspace in workspaces:
                if workspace and not self._is_findable(workspace):
                    unfindable += 1
        faults = [
            *unused_files(files),
            *switched_off(files),
            *commands_that_do_not_run(commands),
            *self._without_hooks(files),
            *self._extension(),
            *_unfindable(unfindable),
            *self._folder_elsewhere(commands),
            *_different_versions(package, hooks, services),
        ]
        by_editor = Counter(one.command.editor for one in commands)
        return CaptureWiring(
            cursor_is_there=self._cursor_is_there,
            claude_is_there=os.path.isdir(self.examination.settings.claude_settings.parent),
            cursor_commands=by_editor[CURSOR],
            claude_commands=by_editor[CLAUDE],
            extension_versions=[one.version for one in extensions(self._user_home)],
            package_version=package,
            hook_versions=hooks,
            service_versions=services,
            open_sessions=None if workspaces is None else len(workspaces),
            unfindable_sessions=unfindable,
            sessions_cause=sessions_cause,
            faults=faults,
        )

    def _commands(self, files: Iterable[ReadFile]) -> Iterator[FileCommand]:
        for file in files:
            for command in file.content.commands:
                yield FileCommand(file.label, command, program_of(command.command, self._user_home))

    @cached_property
    def _user_home(self) -> Path:
        return Path.home()

    @property
    def _cursor_is_there(self) -> bool:
        return os.path.isdir(cursor_folder(self.examination.settings))

    def _user_files(self) -> Iterator[ReadFile]:
        settings = self.examination.settings
        yield ReadFile("Cursor's hooks.json", read_hook_file(settings.cursor_hooks, CURSOR))
        yield ReadFile("Claude Code's settings.json", read_hook_file(settings.claude_settings, CLAUDE))

    def _open_workspaces(self) -> tuple[list[str] | None, str]:
        """The working folders of open sessions; None where they cannot be read, and why."""
        since = self.examination.now - timedelta(hours=self.examination.settings.session_timeout_hours)
        try:
            return ClaudeSessions(self.examination).open_workspaces(to_milliseconds(since)), ""
        except SourceError as error:
            return None, error.message

    def _is_findable(self, workspace: str) -> bool:
        """Whether the server finds the transcripts of a workspace; by its rule, or because somebody helped it."""
        if finds_transcripts(workspace):
            return True
        projects = self.examination.settings.claude_projects
        return any(os.path.isdir(projects / name) for name in folders_looked_for(workspace) if "\0" not in name)

    def _without_hooks(self, files: Iterable[ReadFile]) -> Iterator[WiringFault]:
        """Where the server was told of sessions lately, and nothing would tell it of the next one."""
        of_claude = []
        for file in files:
            if file.content.editor == CLAUDE:
                of_claude.append(file.content)
        if any(may_tell_of_sessions(content) for content in of_claude):
            return
        is_there = any(content.is_there for content in of_claude)
        if is_there and self._was_told_of_a_session():
            reason = f"no hook of the pipeline is at {SESSION_HOOK}, and sessions were told within the last 30 days"
            yield WiringFault(
                kind=_HOOKS_MISSING,
                editor=CLAUDE,
                place="Claude Code's settings.json",
                entry=SESSION_HOOK,
                reason=reason,
            )

    def _was_told_of_a_session(self) -> bool:
        try:
            newest_ms = ClaudeSessions(self.examination).newest_start_ms()
        except SourceError:
            return False
        return newest_ms is not None and newest_ms >= to_milliseconds(self.examination.now - _RECENT)

    def _folder_elsewhere(self, commands: Iterable[FileCommand]) -> Iterator[WiringFault]:
        """Whether Claude Code keeps its transcripts elsewhere although hooks of the pipeline are installed."""
        folder = os.environ.get(CLAUDE_FOLDER_VARIABLE, "")
        projects = self.examination.settings.claude_projects
        usual = self._user_home / ".claude" / "projects"
        if not folder or projects != Path(folder, "projects") or real_file(projects) == real_file(usual):
            return
        is_meant = is_wired(usual) or any(one.command.editor == CLAUDE and one.command.is_ours for one in commands)
        if is_meant and os.path.isdir(projects):
            reason = f"{CLAUDE_FOLDER_VARIABLE} names another folder than ~/.claude, where alone the server looks"
            yield WiringFault(
                kind=_FOLDER_ELSEWHERE, editor=CLAUDE, place="the folder of Claude's transcripts", reason=reason
            )

    def _extension(self) -> Iterator[WiringFault]:
        if self._cursor_is_there and not extensions(self._user_home) and self._was_announced():
            reason = "it is not installed any more, and nothing else tells the server of Cursor's windows"
            yield WiringFault(
                kind=_EXTENSION_MISSING, editor=CURSOR, place="Blueplane's extension in Cursor", reason=reason
            )

    def _was_announced(self) -> bool:
        """Whether the extension told the server of a window lately."""
        since = (self.examination.now - _RECENT).isoformat()
        try:
            if SESSIONS_TABLE not in self.examination.tables():
                return False
            sql = f"SELECT 1 FROM {SESSIONS_TABLE} WHERE started_at >= ? LIMIT 1"
            return bool(self.examination.database.rows(sql, (since,)))
        except SourceError:
            return False


def _unfindable(sessions: int | None) -> Iterator[WiringFault]:
    if sessions:
        reason = "the server replaces only slashes in its path, Claude Code every sign but letters and digits"
        yield WiringFault(
            kind=_FOLDER_NOT_FOUND,
            editor=CLAUDE,
            place="the folder of an open session's transcripts",
            reason=reason,
        )


def _different_versions(package: str, hooks: list[str], services: list[str]) -> Iterator[WiringFault]:
    for place, versions in (("blueplane-hook", hooks), ("the installed services", services)):
        others = [version for version in versions if version != package]
        if others:
            reason = f"version {', '.join(others)}, and this is {package}"
            yield WiringFault(kind=_VERSIONS_DIFFER, place=place, reason=reason)


MONITOR = CaptureWiringMonitor

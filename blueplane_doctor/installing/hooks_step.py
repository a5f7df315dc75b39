"""Step `hooks`: Cursor's hooks, and on request Claude Code's, call `blueplane-hook`; all else there stays."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from blueplane_doctor.installing import file_changes, files
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.json_text import JsonText, Node
from blueplane_doctor.installing.plan import Change, Plan, Site, program
from blueplane_doctor.pipeline import CURSOR_HOOKS, DEFAULT_HTTP_HOST, DEFAULT_HTTP_PORT
from blueplane_doctor.sources.hook_programs import LONGEST_COMMAND
from blueplane_hook import spool
from blueplane_hook.kept import kept_sizes
from blueplane_hook.peer import can_tell

_HOOK = "blueplane-hook"
_CLAUDE_HOOKS = ("SessionStart", "SessionEnd")
"""The two of Claude Code's hooks that the pipeline writes a row for; the rest it reads from the transcripts."""
_UNCHECKED = (
    f"this system does not tell which user listens on a port, so {_HOOK} cannot check it: "
    "whoever listens at the server's address gets what is typed. Start the server before the editors"
)
_DEFAULT_SERVER = f"http://{DEFAULT_HTTP_HOST}:{DEFAULT_HTTP_PORT}"


@dataclass(frozen=True)
class _Editor:
    """One editor's file of hooks."""

    name: str
    path: Path
    hooks: tuple[str, ...]
    cursor: bool

    def item(self, command: str) -> dict[str, Any]:
        """The entry of a hook."""
        if self.cursor:
            return {"command": command}
        return {"hooks": [{"type": "command", "command": command}]}


class HooksStep:
    """Merges our entries into the editors' files, and takes them out."""

    name = "hooks"
    summary = f"the editors' hooks call {_HOOK}"

    def plan(self, site: Site) -> Plan:
        """Raises StepError for a file that is broken, foreign or cannot be read."""
        changes = []
        for editor in _editors(site):
            change = _change(editor, site)
            if change:
                changes.append(change)
        notes = []
        if changes and not can_tell():
            notes.append(_UNCHECKED)
        return Plan(changes=changes, notes=notes)

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Back to the bytes from before, or, where others edited since, without our entries."""
        if entry.kind != "spool":
            return file_changes.undo(entry, _without_ours)
        home = Path(entry.target)
        apart = spool.own_files(str(home))
        if files.read(home / spool.SPOOL_FILE) or apart or kept_sizes(str(home)):
            return Plan(notes=[f"{home / spool.SPOOL_FILE} holds events that were not delivered; it stays"])
        paths = [home / name for name in spool.FILES]
        changes = []
        for path in paths:
            if os.path.lexists(path):
                changes.append(file_changes.removal(path))
        return Plan(changes=changes)


def _editors(site: Site) -> Iterator[_Editor]:
    yield _Editor("Cursor", site.settings.cursor_hooks, CURSOR_HOOKS, cursor=True)
    if site.claude:
        yield _Editor("Claude Code", site.user_home / ".claude" / "settings.json", _CLAUDE_HOOKS, cursor=False)


def _command(hook: str, site: Site) -> str:
    """The server is named where it is not the usual one."""
    url = site.settings.http_url
    if url.lower().startswith("https:"):
        raise StepError(
            f"http_url: {_HOOK} speaks no TLS, and sends nothing to an https address",
            f"name the server's own address on this machine in the settings, for example {_DEFAULT_SERVER}",
        )
    words = [program(_HOOK), hook]
    # Without a login: the hook sends none, and every user may read a command line.
    server = f"http://{urlsplit(url).netloc.rpartition('@')[2]}"
    if server != _DEFAULT_SERVER:
        words += ["--server", server]
    return shlex.join([*words, *site.home_option])


def _change(editor: _Editor, site: Site) -> Change | None:
    before = files.read(editor.path)
    content = before
    if content is None:
        content = b"{}\n"
    document = _parsed(editor.path, content)
    added = _merge(document, editor, site)
    if not added:
        return None
    summary = f"{editor.name}: {', '.join(added)} in {editor.path}"
    change = file_changes.change("hooks", editor.path, before, document.text.encode(), summary)

    def apply(journal: Journal) -> None:
        journal.record(Entry(step="hooks", kind="spool", target=str(site.settings.home)))
        change.apply(journal)

    return replace(change, apply=apply)


def _parsed(path: Path, content: bytes) -> JsonText:
    try:
        document = JsonText(content.decode())
    except ValueError as error:
        raise StepError(
            f"{path} is not valid JSON: {error}; it is left as it is",
            "correct or remove the file, then: blueplane-doctor install --only hooks",
        ) from error
    hooks = document.at("hooks")
    if document.root.kind != "{" or (hooks and hooks.kind != "{"):
        raise StepError(f"{path} has no object of hooks; it is left as it is", "see the editor's documentation")
    for member in hooks.children if hooks else []:
        if member.kind != "[":
            raise StepError(
                f"{path}: {member.key} is not a list; it is left as it is", "see the editor's documentation"
            )
    return document


def _merge(document: JsonText, editor: _Editor, site: Site) -> list[str]:
    if editor.cursor and document.at("version") is None:
        document.append(document.root, 1, "version")
    if document.at("hooks") is None:
        document.append(document.root, {}, "hooks")
    added = []
    for hook in editor.hooks:
        if _merge_one(document, hook, editor.item(_command(hook, site))):
            added.append(hook)
    return added


def _merge_one(document: JsonText, hook: str, wanted: dict[str, Any]) -> bool:
    """Whether it was needed. Entries of another installation, or of an earlier one, become the one that is wanted."""
    hooks = document.at("hooks")
    array = document.at("hooks", hook)
    assert hooks is not None, "made before"
    if array is None:
        document.append(hooks, [wanted], hook)
        return True
    own = _own(document, array)
    if [_commands(document.value(item)) for item in own] == [_commands(wanted)]:
        return False
    if not own:
        document.append(array, wanted)
        return True
    document.replace(own[0], wanted, array)
    array = document.at("hooks", hook)
    assert array is not None, "it holds what is wanted"
    surplus = _own(document, array)[1:]
    if surplus:
        document.remove(array, *surplus)
    return True


def _own(document: JsonText, array: Node) -> list[Node]:
    """Our entries of one hook."""
    if array.kind != "[":
        return []
    return [item for item in array.children if _is_ours(document.value(item))]


def _is_ours(item: Any) -> bool:
    """Whether an entry does nothing but call our hook, of whichever installation."""
    commands = _commands(item)
    return bool(commands) and all(map(_calls_hook, commands))


def _commands(item: Any) -> list[Any]:
    """The commands of one entry: Cursor's has one, Claude Code's a list of them."""
    if not isinstance(item, dict):
        return []
    inner = item.get("hooks")
    if not isinstance(inner, list):
        return [item.get("command")]
    commands = []
    for part in inner:
        if isinstance(part, dict):
            commands.append(part.get("command"))
    return commands


def _calls_hook(command: object) -> bool:
    if not isinstance(command, str) or len(command) > LONGEST_COMMAND:
        return False
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return bool(words) and Path(words[0]).name == _HOOK


def _without_ours(content: bytes) -> bytes:
    """The file without our entries, and without the lists that then are empty."""
    try:
        document = JsonText(content.decode())
    except ValueError as error:
        raise StepError(f"a file of hooks is not valid JSON any more: {error}", "correct it, run this again") from error
    hooks = document.at("hooks")
    if hooks is None or hooks.kind != "{":
        return content
    own = [_own(document, member) for member in hooks.children]
    ours = []
    for member, items in zip(hooks.children, own, strict=True):
        if items:
            ours.append((member, items))
    document.remove_each(ours)
    hooks = document.at("hooks")
    assert hooks is not None, "only what lies in it was changed"
    emptied = []
    for member, items in zip(hooks.children, own, strict=True):
        if items and not member.children:
            emptied.append(member)
    if emptied:
        document.remove(hooks, *emptied)
    return document.text.encode()

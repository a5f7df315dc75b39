"""Step `hooks`: Cursor's hooks, and on request Claude Code's, call `blueplane-hook`; all else there stays."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blueplane_doctor.installing import file_changes, files
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry
from blueplane_doctor.installing.json_text import JsonText, Node
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.installing.programs import HOOK, is_ours, program, shell_line
from blueplane_doctor.pipeline import CURSOR_HOOKS, DEFAULT_HTTP_HOST, DEFAULT_HTTP_PORT
from blueplane_hook import spool

CLAUDE_HOOKS = ("SessionStart", "SessionEnd")
"""The two of Claude Code's hooks that the pipeline writes a row for; the rest it reads from the transcripts."""
DEFAULT_SERVER = f"http://{DEFAULT_HTTP_HOST}:{DEFAULT_HTTP_PORT}"


@dataclass(frozen=True)
class Editor:
    """One editor's file of hooks."""

    name: str
    path: Path
    hooks: tuple[str, ...]
    needs_version: bool

    def item(self, command: str) -> dict[str, Any]:
        """An entry for one hook."""
        if self.needs_version:
            return {"command": command}
        return {"hooks": [{"type": "command", "command": command}]}


class HooksStep:
    """Merges our entries into the editors' files."""

    name = "hooks"
    summary = "the editors' hooks call blueplane-hook"

    def plan(self, site: Site) -> Plan:
        """Raises StepError for a file that is broken, foreign or cannot be read."""
        changes = [change for editor in editors(site) if (change := _change(editor, site))]
        return Plan(changes=changes)

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Back to the bytes from before, or, where others edited since, without our entries."""
        if entry["kind"] != "spool":
            return file_changes.undo(entry, _without_ours)
        home = Path(entry["target"])
        if _size(home / spool.SPOOL_FILE):
            return Plan(notes=[f"{home / spool.SPOOL_FILE} holds events that were not delivered; it stays"])
        left = [p for name in spool.FILES if (p := home / name).exists()]
        return Plan(changes=[file_changes.removal(path) for path in left])


def editors(site: Site) -> Iterable[Editor]:
    """Cursor, and Claude Code when it was asked for."""
    yield Editor("Cursor", site.settings.cursor_hooks, CURSOR_HOOKS, needs_version=True)
    if site.claude:
        yield Editor("Claude Code", site.user_home / ".claude" / "settings.json", CLAUDE_HOOKS, needs_version=False)


def command_for(hook: str, site: Site) -> str:
    """What the editor is to run; server and home are named where they are not the usual ones."""
    words = [program(HOOK), hook]
    if site.settings.http_url.rstrip("/") != DEFAULT_SERVER:
        words += ["--server", site.settings.http_url]
    if site.settings.home != site.user_home / ".blueplane":
        words += ["--home", str(site.settings.home)]
    return shell_line(*words)


def _change(editor: Editor, site: Site) -> Change | None:
    before = files.read(editor.path)
    document = _parsed(editor.path, before if before is not None else b"{}\n")
    added = _merge(document, editor, site)
    after = document.text.encode()
    if not added:
        return None
    change = file_changes.change(
        "hooks", editor.path, before, after, f"{editor.name}: {', '.join(added)} in {editor.path}"
    )
    return Change(change.summary, change.preview, _with_spool(change, site.settings.home))


def _with_spool(change: Change, home: Path) -> Any:
    def apply(journal: Any) -> None:
        journal.record({"step": "hooks", "kind": "spool", "target": str(home)})
        change.apply(journal)

    return apply


def _parsed(path: Path, content: bytes) -> JsonText:
    try:
        document = JsonText(content.decode())
    except (ValueError, RecursionError) as error:
        raise StepError(
            f"{path} is not valid JSON: {error}; it is left as it is",
            "mend or remove the file, then: blueplane-doctor install --only hooks",
        ) from error
    hooks = document.at("hooks")
    if document.root.kind != "{" or (hooks is not None and hooks.kind != "{"):
        raise StepError(f"{path} has no object of hooks; it is left as it is", "see the editor's documentation")
    for member in hooks.children if hooks else []:
        if member.kind != "[":
            raise StepError(
                f"{path}: {member.key} is not a list; it is left as it is", "see the editor's documentation"
            )
    return document


def _merge(document: JsonText, editor: Editor, site: Site) -> list[str]:
    """Bring our entries in; the hooks whose entry was added or changed."""
    if editor.needs_version and document.at("version") is None:
        document.append(document.root, 1, "version")
    if document.at("hooks") is None:
        document.append(document.root, {}, "hooks")
    return [hook for hook in editor.hooks if _merge_one(document, editor, hook, command_for(hook, site))]


def _merge_one(document: JsonText, editor: Editor, hook: str, command: str) -> bool:
    wanted = editor.item(command)
    hooks, array = document.at("hooks"), document.at("hooks", hook)
    assert hooks is not None, "made before"
    if array is None:
        document.append(hooks, [wanted], hook)
        return True
    own = [item for item in array.children if ours(document.value(item))]
    if not own:
        document.append(array, wanted)
        return True
    if len(own) == 1 and _commands(document.value(own[0])) == [command]:
        return False
    _keep_one(document, array, own, wanted, hook)
    return True


def _keep_one(document: JsonText, array: Node, own: list[Node], wanted: dict[str, Any], hook: str) -> None:
    """Entries of another installation, or of an earlier one, become the one that is wanted."""
    document.replace(own[0], wanted, array)
    while (again := document.at("hooks", hook)) and len(mine := _own(document, again)) > 1:
        document.remove(again, mine[-1])


def _own(document: JsonText, array: Node) -> list[Node]:
    return [item for item in array.children if ours(document.value(item))]


def ours(item: Any) -> bool:
    """Whether an entry does nothing but call our hook."""
    commands = _commands(item)
    return bool(commands) and all(is_ours(command) for command in commands)


def _commands(item: Any) -> list[Any]:
    if not isinstance(item, dict):
        return []
    inner = item.get("hooks")
    found = [part for part in inner if isinstance(part, dict)] if isinstance(inner, list) else [item]
    return [part.get("command") for part in found]


def _without_ours(content: bytes) -> bytes:
    """The file without our entries, and without the lists that then are empty."""
    try:
        document = JsonText(content.decode())
    except ValueError as error:
        raise StepError(f"a file of hooks is not valid JSON any more: {error}", "mend it, run this again") from error
    hooks = document.at("hooks")
    for name in [member.key for member in hooks.children] if hooks else []:
        before = document.text
        document.remove_items(("hooks", name), ours)
        parent, array = document.at("hooks"), document.at("hooks", name)
        if document.text != before and parent and array and not array.children:
            document.remove(parent, array)
    return document.text.encode()


def _size(path: Path) -> int:
    content = files.read(path)
    return len(content or b"")

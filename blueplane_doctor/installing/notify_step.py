"""Step `notify`: whom `record` and `serve` tell, written into doctor.yaml. No preview shows an address."""

import json
import re
import shlex
import stat
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from blueplane_doctor.errors import DocumentError
from blueplane_doctor.files.documents import yaml_value
from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.installing import file_changes, files
from blueplane_doctor.installing.files import StepError
from blueplane_doctor.installing.journal import Entry
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.notifying.state import LOCK_FILE
from blueplane_doctor.notifying.state_file import STATE_FILE
from blueplane_doctor.settings.files import DOCTOR_FILE

OFFER = "nobody is told of causes: name somebody with --notify URL, see docs/NOTIFY.md"
_MARK = "  # by blueplane install"
"""Ends each line that is ours, by which it is known again."""
_HEADER = f"notify:{_MARK}"
_PRIVATE = 0o600
_OTHERS_MAY_READ = stat.S_IRGRP | stat.S_IROTH
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,40}://)[^\s\"']+")
"""Of a longer scheme the end is found. Without a bound, a long word is looked through from each of its letters."""


class NotifyStep:
    """Adds targets to doctor.yaml, and takes them out."""

    name = "notify"
    summary = "whom record and serve tell of causes"

    def plan(self, site: Site) -> Plan:
        """Raises StepError for a file that is broken, foreign or cannot be read."""
        if not site.notify:
            return Plan(notes=[] if site.settings.notify else [OFFER])
        path = site.settings.home / DOCTOR_FILE
        before = files.read(path)
        settings = _settings_of(path, before)
        missing = [url for url in site.notify if url not in _addresses(settings)]
        plan = Plan()
        if find_spec("apprise") is None:
            plan.notes.append("messages need their extra: pip install 'blueplane-doctor[notify]'")
        if not missing:
            return plan
        if "notify" in settings:
            note = f"{path} names targets already: add this one there by hand, so that they stay as you wrote them"
            return Plan(notes=[*plan.notes, note], complete=False)
        if before is not None and files.mode_of(real_file(path)) & _OTHERS_MAY_READ:
            plan.notes.append(
                f"{path} holds a secret from now on, and others may read it: chmod 600 {shlex.quote(str(path))}"
            )
        mode = _PRIVATE if before is None else None
        after = _with_targets(before or b"", missing)
        change = file_changes.change(self.name, path, before, after, f"add targets to {path}", mode=mode)
        plan.changes.append(_masked(change))
        return plan

    def undo(self, site: Site, entry: Entry) -> Plan:
        """Back to the bytes from before, or, where others edited since, without our lines.

        What remembers whom was told what goes as well, where nobody is left to be told.
        """
        plan = file_changes.undo(entry, _without_ours)
        changes = list(map(_masked, plan.changes))
        remembered = []
        for path in _remembered(site.settings.home):
            if path.exists():
                remembered.append(path)
        if not remembered:
            return replace(plan, changes=changes)
        if _others_are_named(Path(entry.target)):
            note = f"{remembered[0]} stays: it remembers what the targets were told that you named"
            return replace(plan, changes=changes, notes=[*plan.notes, note])
        return replace(plan, changes=[*changes, *map(file_changes.removal, remembered)])


def _remembered(home: Path) -> list[Path]:
    """The files that the notifier keeps in Blueplane's home."""
    return [home / STATE_FILE, home / LOCK_FILE]


def _others_are_named(path: Path) -> bool:
    """Whether the settings name targets that install did not write; those that cannot be read may."""
    content = files.read(path)
    if content is None:
        return False
    try:
        return bool(_settings_of(path, _without_ours(content)).get("notify"))
    except StepError:
        return True


def _settings_of(path: Path, content: bytes | None) -> dict[str, Any]:
    if content is None:
        return {}
    try:
        settings = yaml_value(content.decode("utf-8"))
    except (UnicodeDecodeError, DocumentError) as error:
        raise StepError(f"{path} is no settings file; it is left as it is", "correct it, run this again") from error
    if not isinstance(settings, dict | None):
        raise StepError(f"{path} holds no names and values; it is left as it is", "correct it, run this again")
    return settings or {}


def _addresses(settings: dict[str, Any]) -> list[str]:
    """URLs that the file names already."""
    targets = settings.get("notify")
    if not isinstance(targets, list):
        targets = [targets]
    addresses = []
    for target in targets:
        if isinstance(target, dict):
            target = target.get("url")
        if isinstance(target, str):
            addresses += target.split()
    return addresses


def _with_targets(before: bytes, urls: Sequence[str]) -> bytes:
    text = before.decode("utf-8")
    if text and not text.endswith("\n"):
        text += "\n"
    text += f"{_HEADER}\n"
    for url in urls:
        text += f"- {json.dumps(url)}{_MARK}\n"
    return text.encode()


def _without_ours(content: bytes) -> bytes:
    """Without the targets that are ours; the name above them stays where others added theirs."""
    kept: list[str] = []
    for line in content.decode("utf-8", "surrogateescape").splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        if bare == _HEADER or not bare.endswith(_MARK):
            kept.append(line)
    shown = []
    for line, following in zip(kept, [*kept[1:], ""], strict=True):
        is_left_over = line.rstrip("\r\n") == _HEADER and not following.startswith((" ", "-"))
        if not is_left_over:
            shown.append(line)
    return "".join(shown).encode("utf-8", "surrogateescape")


def _masked(change: Change) -> Change:
    public = change.public_preview
    if public is not None:
        public = _without_addresses(public)
    return replace(change, preview=_without_addresses(change.preview), public_preview=public)


def _without_addresses(text: str) -> str:
    return _ADDRESS.sub(r"\1***", text)

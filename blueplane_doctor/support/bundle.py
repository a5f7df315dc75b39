"""The bundle's files, and the zip that holds them: the same content gives the same bytes."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from blueplane_doctor import __version__
from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.discovery import find_format
from blueplane_doctor.errors import UsageError
from blueplane_doctor.evidence import Evidence, to_json
from blueplane_doctor.model import Report
from blueplane_doctor.reports.base import View
from blueplane_doctor.settings import Loaded
from blueplane_doctor.sources.log_tail import read_tail
from blueplane_doctor.support.log_errors import LogErrors, log_errors
from blueplane_doctor.support.settings_list import settings_list
from blueplane_doctor.support.versions import versions

MANIFEST = "MANIFEST.json"
KIND = "blueplane-doctor support bundle"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the earliest that the format can hold, and the same in every bundle."""


@dataclass(frozen=True)
class Bundle:
    """The files by name, the manifest among them, and what was left out with its reason."""

    files: dict[str, bytes]
    left_out: list[str]


def bundled(evidence: Evidence, report: Report, loaded: Loaded, checks: Iterable[CheckSpec]) -> Bundle:
    """All that may be told of this run."""
    known = frozenset(name for spec in checks for name in (spec.id, spec.area))
    log, left_out = _log(loaded.settings.home / "server.log")
    settings = settings_list(loaded, known)
    files = {
        "report.html": _shown("html", report),
        "report.json": _shown("json", report),
        "evidence.json": to_json(evidence).encode(),
        "settings.json": _json(settings),
        "versions.json": _json(versions(evidence)),
        "server-log-errors.txt": log.text.encode(),
    }
    left_out += [
        "payloads, prompts, metadata of messages, and rows of the database: the doctor never keeps them",
        "in the settings, paths, hosts, users, passwords and free text: they are private",
        "the names of this machine and its users: nobody needs them to judge a pipeline",
    ]
    return Bundle(files | {MANIFEST: _manifest(files, report, left_out)}, left_out)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip; its bytes depend on the files alone, and on the zlib that packs them."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, files[name])
    return packed.getvalue()


def refuse_strangers(path: Path) -> None:
    """Raise UsageError if there is something at the path that is not an earlier bundle."""
    if (path.exists() or path.is_symlink()) and not _is_bundle(path):
        raise UsageError(f"{path} exists and is no support bundle; it is left as it is", "name another with -o")


def _is_bundle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
    except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == KIND


def _log(path: Path) -> tuple[LogErrors, list[str]]:
    try:
        found = log_errors(read_tail(path))
    except OSError as error:
        return LogErrors("", 0, 0, 0), [f"the server's log: it cannot be read ({error.strerror or 'no such file'})"]
    left_out = [
        f"{found.others:,} entries of the log: they are no errors",
        "in the log's error lines, every word that is not known to be harmless: it could quote what was written",
    ]
    if found.older:
        left_out.append(f"{found.older:,} older error entries of the log: the newest {found.shown:,} are enough")
    return found, left_out


def _shown(name: str, report: Report) -> bytes:
    form = find_format(name)
    assert form
    return form.render(report, View()).encode()


def _manifest(files: Mapping[str, bytes], report: Report, left_out: list[str]) -> bytes:
    listed = [
        {"name": name, "bytes": len(content), "sha256": sha256(content).hexdigest()}
        for name, content in sorted(files.items())
    ]
    return _json(
        {
            "kind": KIND,
            "tool": {"name": "blueplane-doctor", "version": __version__},
            "taken_at": report.generated_at,
            "files": listed,
            "left_out": left_out,
        }
    )


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()

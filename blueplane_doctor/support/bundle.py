"""The bundle's files, and the zip that holds them: the same content gives the same bytes."""

import json
import lzma
import os
import platform
import sqlite3
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from blueplane_doctor import __version__
from blueplane_doctor.errors import DocumentError, FileUnreadable, UsageError
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.reading import read_bytes
from blueplane_doctor.judging.evidence import Evidence, to_json
from blueplane_doctor.layouts import CURRENT, EARLIER, Key, Route
from blueplane_doctor.model import Report, Tool
from blueplane_doctor.pipeline import CURSOR_HOOKS, Target
from blueplane_doctor.plugins.discovery import BUILT_IN, AvailableChecks, find_format
from blueplane_doctor.privacy.public_text import OTHER, known
from blueplane_doctor.reports.base import View
from blueplane_doctor.scales import LEVELS
from blueplane_doctor.settings.options import ENV_PREFIX
from blueplane_doctor.settings.values import Loaded, Settings, StreamSettings
from blueplane_doctor.settings.view import flat
from blueplane_doctor.settings.waivers import WaiverRule
from blueplane_doctor.sources.log_entries import newest_bytes
from blueplane_doctor.support.log_errors import log_errors
from blueplane_doctor.support.shareable import shareable_evidence, shareable_report
from blueplane_doctor.text.quantities import many

MANIFEST = "MANIFEST.json"
KIND = "blueplane-doctor support bundle"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the earliest that the format can hold."""
_BUNDLE_BYTES = 64_000_000
_MANIFEST_BYTES = 100_000
"""Far above what a bundle and its manifest have: what is larger is none of ours."""
_BROKEN_ZIP = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError),
    *(ValueError, KeyError, RuntimeError, NotImplementedError),
)
"""What reading a zip raises that is damaged, encrypted, or of another method."""
_LIBRARIES = ("redis", "hiredis", "msgspec", "pydantic", "jinja2", "typer", "psutil", "PyYAML")
_OWN_FILES = ("doctor.yaml", "config.yaml", "redis.yaml")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_STREAMS = (CURRENT.queue, *CURRENT.dead_letters, EARLIER.queue, *EARLIER.dead_letters)
_NAMES = frozenset((*CURSOR_HOOKS, *_STREAMS, *LEVELS))
"""Names that say nothing about who uses them."""
_SCHEMES = ("http", "https", "redis", "rediss", "unix", "redis+sentinel", "redis+cluster", "rediss+sentinel")
_SETTINGS = frozenset(
    {
        *(*Settings.model_fields, *StreamSettings.model_fields, *WaiverRule.model_fields),
        *(*Route.model_fields, *Key.model_fields, *Target.model_fields),
    }
)


class Bundle(NamedTuple):
    """The files by name, the manifest among them, and what was left out with its reason."""

    files: dict[str, bytes]
    left_out: list[str]


def bundled(evidence: Evidence, report: Report, loaded: Loaded, available: AvailableChecks) -> Bundle:
    """All that may be shown of this run."""
    known_ids = set[str]()
    for check in available.checks:
        if check.origin == BUILT_IN:
            known_ids.update((check.id, check.area))
    for cause in available.causes:
        if cause.origin == BUILT_IN:
            known_ids.add(cause.id)
    report = shareable_report(report, known_ids)
    evidence = shareable_evidence(evidence, known_ids)
    log, left_out = _log(loaded.settings.home / "server.log")
    files = {
        "report.html": _shown("html", report),
        "report.json": _shown("json", report),
        "evidence.json": to_json(evidence).encode(),
        "settings.json": _json(settings_list(loaded, frozenset(known_ids))),
        "versions.json": _json(_versions(evidence)),
        "server-log-errors.txt": log.encode(),
    }
    left_out += [
        "payloads, prompts, metadata of messages, and rows of the database: the doctor never keeps them",
        "in the settings, paths, hosts, users, passwords and free text: they are private",
        "reasons and owners of waivers, and all that checks and monitors of your own say: that is free text",
        "names of streams and groups that are not Blueplane's: a fingerprint stands for each",
        "the names of this machine and its users: nobody needs them to judge a pipeline",
    ]
    listed = []
    for name, content in sorted(files.items()):
        listed.append(_listed(name, content))
    manifest = {
        "kind": KIND,
        "tool": Tool(version=__version__).model_dump(),
        "taken_at": report.generated_at,
        "files": listed,
        "left_out": left_out,
    }
    return Bundle(files | {MANIFEST: _json(manifest)}, left_out)


def _listed(name: str, content: bytes) -> dict[str, Any]:
    """A file as the manifest lists it."""
    return {"name": name, "bytes": len(content), "sha256": sha256(content).hexdigest()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip; its bytes depend on the files and on zlib alone."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def refuse_strangers(path: Path) -> None:
    """Raise UsageError if there is something at the path that is not an earlier bundle."""
    if os.path.lexists(path) and not _is_bundle(path):
        raise UsageError(f"{path} exists and is no support bundle; it is left as it is", "name another with -o")


def _is_bundle(path: Path) -> bool:
    """Nothing but its manifest is unpacked, and of that no more than a manifest has."""
    try:
        packed = BytesIO(read_bytes(path, _BUNDLE_BYTES))
        with zipfile.ZipFile(packed) as archive, archive.open(MANIFEST) as file:
            content = file.read(_MANIFEST_BYTES + 1)
        if len(content) > _MANIFEST_BYTES:
            return False
        manifest = json_value(content)
    except (FileUnreadable, DocumentError, *_BROKEN_ZIP):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == KIND


def _log(path: Path) -> tuple[str, list[str]]:
    try:
        errors = log_errors(newest_bytes(path))
    except FileUnreadable as error:
        return "", [f"the server's log: it cannot be read ({error.reason})"]
    left_out = [
        many(errors.others, "entry of the log that is no error", "entries of the log that are no errors"),
        "in the log's error lines, every word that is not known to be harmless: it could quote what was written",
    ]
    if errors.older:
        older = many(errors.older, "older error entry", "older error entries")
        left_out.append(f"{older} of the log: the newest {errors.shown:,} are enough")
    return errors.text, left_out


def _shown(name: str, report: Report) -> bytes:
    form = find_format(name)
    assert form
    return form.render(report, View()).encode()


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()


def _versions(evidence: Evidence) -> dict[str, str | None]:
    """Null for what is not there or did not answer."""
    server = evidence.records.get("redis")
    redis_version = None
    if server:
        redis_version = f"{getattr(server, 'server', '')} {getattr(server, 'version', '')}"
    versions = {
        "blueplane-doctor": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite": sqlite3.sqlite_version,
        "redis server": redis_version,
        "platform": f"{platform.system()} {platform.machine()}",
    } | dict.fromkeys(_LIBRARIES)
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def settings_list(loaded: Loaded, known: frozenset[str]) -> list[dict[str, Any]]:
    """Each setting with its value and where it came from; text that is neither a default nor `known` is described."""
    defaults = dict(flat(Settings().model_dump()))
    harmless = _NAMES | known
    settings = []
    for name, value in flat(loaded.settings.model_dump()):
        words = []
        for part in name.split("."):
            words.append(_setting(part, harmless))
        if value == defaults.get(name):
            shown = _default(value)
        else:
            shown = described(value, harmless)
        origin = _origin(loaded.origins.get(name, "default"), name)
        settings.append({"setting": ".".join(words), "value": shown, "from": origin})
    return settings


def _default(value: Any) -> Any:
    """A default, without the user's name that the path of a home folder holds."""
    home = str(Path.home())
    if isinstance(value, str) and value.startswith(home):
        return value.replace(home, "~", 1)
    return value


def described(value: Any, harmless: frozenset[str]) -> Any:
    """A value that says nothing private: text that is not among the harmless names is only measured."""
    if isinstance(value, list):
        return [described(item, harmless) for item in value]
    if isinstance(value, dict):
        shown = {}
        for name, item in value.items():
            shown[_setting(str(name), harmless)] = described(item, harmless)
        return shown
    if not isinstance(value, str) or value in harmless:
        return value
    if "://" in value:
        return _url(value)
    return f"(not shown, {len(value)} characters)"


def _setting(name: str, harmless: frozenset[str]) -> str:
    """A setting's name, or part of it; `other` for a name that a person made up."""
    if name in harmless or name in _SETTINGS or name.isdigit():
        return name
    return OTHER


def _url(text: str) -> str:
    """A URL without its user, password, host (unless it is this one) and path."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "(not shown: a URL)"
    shown = f"{known(parts.scheme, _SCHEMES)}://"
    if "@" in parts.netloc:
        shown += "***@"
    if parts.hostname in _LOCAL:
        shown += parts.hostname
    elif parts.hostname:
        shown += "***"
    if port:
        shown += f":{port}"
    return shown


def _origin(label: str, name: str) -> str:
    """A file by its name alone, and only if the doctor or the pipeline gave it that name.

    Of a variable what names the setting; a part below it may be a name that a person made up.
    """
    if label in ("flag", "default"):
        return label
    variable = f"{ENV_PREFIX}{name.partition('.')[0].upper()}"
    if label == variable or label.startswith(f"{variable}__"):
        return variable
    name = PurePath(label).name
    if name in _OWN_FILES:
        return name
    return "a settings file"

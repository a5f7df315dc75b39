"""Reads what earlier runs kept: a report in JSON, and evidence."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from blueplane_doctor.errors import DocumentError, FileUnreadable, UsageError
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.reading import DOCUMENT_BYTES, read_bytes
from blueplane_doctor.judging.evidence import EVIDENCE_VERSION, Evidence
from blueplane_doctor.model import SCHEMA_VERSION, Report
from blueplane_doctor.plugins.discovery import find_monitors
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import InvalidRecord
from blueplane_doctor.text.characters import plain


class _Kind(NamedTuple):
    """What a file is expected to hold, for messages."""

    name: str
    hint: str


_REPORT = _Kind("a report of blueplane-doctor", "name a file that blueplane-doctor --format json has written")
_EVIDENCE = _Kind("evidence of blueplane-doctor", "name a file that --save-evidence has written")


def read_report(path: Path) -> Report:
    """The report in a file. Raises UsageError when it cannot be read, or is not a report of this schema version."""
    values = _parsed(_bytes_of(path, _REPORT), path, _REPORT)
    if not isinstance(values, dict) or "schema_version" not in values or "findings" not in values:
        raise UsageError(f"{path} is JSON, but not a report of blueplane-doctor", _REPORT.hint)
    version = values["schema_version"]
    if version != SCHEMA_VERSION:
        shown = plain(str(version), 40)
        raise UsageError(
            f"{path} is a report of schema version {shown}; this blueplane-doctor reads {SCHEMA_VERSION}",
            "read it with the version of blueplane-doctor that wrote it",
        )
    try:
        report = Report.model_validate(values)
        return report.model_copy(update={"metrics": _checked(report.metrics)})
    except InvalidRecord as error:
        message = f"{path} is not a report of blueplane-doctor: {plain(error.place, 400)}: {error.message}"
        raise UsageError(message, _REPORT.hint) from None


def _checked(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The health records as this version makes them: formats may take for granted what is in them.

    Raises InvalidRecord. A record of a monitor that is not there is kept as it is.
    """
    checked = dict(metrics)
    for name, monitor in find_monitors().items():
        if metrics.get(name) is not None:
            checked[name] = monitor.record.model_validate(metrics[name]).model_dump()
    return checked


def read_evidence(path: Path, monitor_paths: Iterable[Path] = ()) -> Evidence:
    """Evidence that was saved. Raises UsageError; see `evidence_from`."""
    return evidence_from(_bytes_of(path, _EVIDENCE), path, monitor_paths)


def evidence_from(text: str | bytes, path: Path, monitor_paths: Iterable[Path] = ()) -> Evidence:
    """Evidence from JSON text; `path` is named in errors. Raises UsageError.

    `monitor_paths`: where the user's own monitors are; a record without a monitor is left out.
    """
    content = _parsed(text, path, _EVIDENCE)
    if not isinstance(content, dict) or "evidence_version" not in content:
        raise UsageError(f"{path} is JSON, but no evidence of blueplane-doctor", _EVIDENCE.hint)
    if content["evidence_version"] != EVIDENCE_VERSION:
        raise UsageError(
            f"{path} is evidence of another version; this blueplane-doctor reads version {EVIDENCE_VERSION}",
            "judge it with the version of blueplane-doctor that took it",
        )
    try:
        missing = {}
        for name, cause in content["missing"].items():
            missing[str(name)] = str(cause)
        durations = {}
        for name, milliseconds in content["durations"].items():
            durations[str(name)] = float(milliseconds)
        return Evidence(
            taken_at=str(content["taken_at"]),
            duration_ms=float(content["duration_ms"]),
            records=_records(content["records"], monitor_paths),
            missing=missing,
            durations=durations,
            thresholds=_thresholds(content.get("thresholds")),
        )
    except InvalidRecord as error:
        raise UsageError(f"{path}: {error.record}.{plain(error.place, 400)}: {error.message}", _EVIDENCE.hint) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} is not whole: {type(error).__name__}", _EVIDENCE.hint) from error


def _records(content: Any, monitor_paths: Iterable[Path]) -> dict[str, Record]:
    """Raises InvalidRecord, and AttributeError for what is no map."""
    monitors = find_monitors(monitor_paths)
    records: dict[str, Record] = {}
    for name, value in content.items():
        if name in monitors:
            records[name] = monitors[name].record.model_validate(value)
    return records


def _thresholds(content: Any) -> dict[str, dict[str, float | None]] | None:
    """Raises AttributeError, TypeError or ValueError for what is no map of maps."""
    if content is None:
        return None
    thresholds = {}
    for check, levels in content.items():
        thresholds[str(check)] = dict(levels)
    return thresholds


def _bytes_of(path: Path, kind: _Kind) -> bytes:
    try:
        return read_bytes(path, DOCUMENT_BYTES)
    except FileUnreadable as error:
        raise UsageError(f"{path} cannot be read: {error.reason}", kind.hint) from error


def _parsed(text: str | bytes, path: Path, kind: _Kind) -> Any:
    """The value that JSON text holds. Raises UsageError."""
    try:
        return json_value(text)
    except DocumentError as error:
        problem = error.message
        if error.limit:
            problem = f"not {kind.name}: {error.limit}"
        raise UsageError(f"{path} is {problem}", kind.hint) from error

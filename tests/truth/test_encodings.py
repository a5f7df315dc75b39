"""A stdout that is not UTF-8 never ends a command with an internal error; files are UTF-8 whatever it is."""

import json
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from blueplane_doctor.plugins.discovery import find_formats
from tests.doctor_command import DOCTOR
from tests.parameters import one_quick
from tests.reports import samples

ENCODINGS = ["ascii", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cp1252", "latin-1"))]
COMMANDS = [
    ["--help"],
    ["checks"],
    ["checks", "queue-depth"],
    ["settings"],
    ["schema", "report"],
    ["schema", "settings"],
    ["trace", "--help"],
    ["record", "--help"],
    ["completion", "bash"],
    ["export", "grafana"],
    ["export", "prometheus-rules"],
]


def run(encoding: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    return subprocess.run([*DOCTOR, *arguments], capture_output=True, timeout=100, check=False, env=environment)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report with text that none of the encodings can hold."""
    made = samples.mixed()
    finding = made.findings[0].model_copy(update={"summary": "12 messages → lost … 木 é"})
    file = tmp_path / "report.json"
    file.write_text(made.model_copy(update={"findings": [finding, *made.findings[1:]]}).model_dump_json())
    return file


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", one_quick(sorted(find_formats())))
def test_every_format_can_be_shown(name: str, encoding: str, report: Path) -> None:
    ended = run(encoding, "convert", str(report), "--format", name, "--verbose")
    assert ended.returncode == (2 if name == "nagios" else 0), ended.stderr
    assert b"Traceback" not in ended.stderr and b"internal error" not in ended.stderr
    text = ended.stdout.decode(encoding)
    if name == "json":
        assert json.loads(text)["schema_version"] == 2
    if name == "junit":
        assert "→ lost … 木 é" in str(ET.tostring(ET.fromstring(ended.stdout), "unicode"))
    if name == "html":
        assert ended.stdout.isascii() and "&#26408;" in text


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("arguments", one_quick(COMMANDS), ids=" ".join)
def test_every_command_can_be_shown(arguments: list[str], encoding: str) -> None:
    ended = run(encoding, *arguments)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout and b"Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_files_are_utf_8(encoding: str, report: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("r.html", "r.md", "r.txt", "r.xml")]
    options = [word for file in files for word in ("-o", str(file))]
    assert run(encoding, "convert", str(report), "--verbose", *options).returncode == 0
    for file in files:
        assert "→ lost … 木 é" in file.read_text(encoding="utf-8"), file

"""`blueplane-doctor convert`: an old report in any format, and a clear word for what is not one."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from blueplane_doctor.cli import app
from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.reports.base import View
from tests.reports import samples
from tests.reports.hostile import compared

FORMATS = find_formats()


def kept(folder: Path, text: str | bytes | None = None) -> Path:
    """A file with this text; by default, a report."""
    path = folder / "report.json"
    given = FORMATS["json"].render(compared(), View()) if text is None else text
    path.write_bytes(given.encode() if isinstance(given, str) else given)
    return path


def convert(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


@pytest.mark.parametrize("name", FORMATS)
def test_shows_the_report_in_any_format(name: str, tmp_path: Path) -> None:
    ended = convert(kept(tmp_path), "--format", name)
    assert ended.stdout == FORMATS[name].render(compared(), View())
    assert ended.stderr == ""


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"github"}))
def test_what_is_shown_in_a_build_is_no_command_of_its_runner(name: str, tmp_path: Path) -> None:
    report = compared().model_copy(update={"headline": "it\n::error::is \u202e##[error]x\x9b"})
    ended = convert(kept(tmp_path, FORMATS["json"].render(report, View())), "--format", name)
    assert not [line for line in ended.stdout.splitlines() if line.lstrip().startswith("::")]
    assert not [sign for sign in ("##[", "\u202e", "\x9b") if sign in ended.stdout]


def test_json_comes_out_as_it_went_in(tmp_path: Path) -> None:
    path = kept(tmp_path)
    assert convert(path, "--format", "json").stdout == path.read_text(encoding="utf-8")


def test_ends_with_0_whatever_the_report_says(tmp_path: Path) -> None:
    assert convert(kept(tmp_path)).exit_code == 0


def test_ends_with_nagios_own_codes_for_nagios(tmp_path: Path) -> None:
    assert convert(kept(tmp_path), "--format", "nagios").exit_code == 2
    healthy = FORMATS["json"].render(samples.healthy(), View())
    assert convert(kept(tmp_path, healthy), "--format", "nagios").exit_code == 0


def test_a_file_is_written_in_the_format_of_its_suffix(tmp_path: Path) -> None:
    target = tmp_path / "out.MD"
    ended = convert(kept(tmp_path), "-o", target)
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert target.read_text(encoding="utf-8") == FORMATS["markdown"].render(compared(), View())


def test_a_named_format_comes_before_the_suffix(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    convert(kept(tmp_path), "-o", target, "--format", "nagios")
    assert target.read_text(encoding="utf-8").startswith("BLUEPLANE CRITICAL - ")


def test_the_view_of_the_command_line_holds(tmp_path: Path) -> None:
    quiet = CliRunner().invoke(app, ["--quiet", "convert", str(kept(tmp_path))])
    assert quiet.stdout == FORMATS["table"].render(compared(), View(quiet=True))


@pytest.mark.parametrize("suffix", [".md", ".txt", ".html"])
def test_quiet_concerns_stdout_alone_and_a_file_is_always_whole(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole{suffix}"
    quiet = tmp_path / f"quiet{suffix}"
    CliRunner().invoke(app, ["convert", str(kept(tmp_path)), "-o", str(whole)])
    CliRunner().invoke(app, ["--quiet", "convert", str(kept(tmp_path)), "-o", str(quiet)])
    assert quiet.read_text(encoding="utf-8") == whole.read_text(encoding="utf-8")
    assert len(quiet.read_text(encoding="utf-8")) > 500


REPORT = json.loads(FORMATS["json"].render(samples.mixed(), View()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON: Expecting value (line 1, column 1)"),
        ('{"schema_version": 1,', "is not JSON: "),
        (b'{"a": "\x80\xff"}', "is not JSON: it is no text"),
        ("[" * 100_000, "is not a report of blueplane-doctor: values are nested more than 50 deep"),
        ("1" * 5_000, "is not a report of blueplane-doctor: it holds a number larger than 2^64"),
        ("[]", "is JSON, but not a report of blueplane-doctor"),
        ('{"results": []}', "is JSON, but not a report of blueplane-doctor"),
        (json.dumps(REPORT | {"schema_version": 1}), "is a report of schema version 1; this blueplane-doctor reads 2"),
        (json.dumps(REPORT | {"schema_version": "\x1b[1m"}), "is a report of schema version \ufffd[1m; this"),
        (json.dumps(REPORT | {"status": "purple"}), "is not a report of blueplane-doctor: status: must be green"),
        (
            json.dumps(REPORT | {"findings": [{}]}),
            "is not a report of blueplane-doctor: findings.0.status: it is missing",
        ),
        (json.dumps(REPORT | {"\x1b[1m": 1}), "is not a report of blueplane-doctor: \ufffd[1m: there is no such field"),
        (json.dumps(REPORT | {"metrics": {"chain": {"examined": "many"}}}), "is not a report of blueplane-doctor: "),
    ],
    ids=[
        "empty",
        "cut",
        "binary",
        "deep",
        "digits",
        "list",
        "other",
        "version",
        "hostile-version",
        "status",
        "finding",
        "hostile-key",
        "record",
    ],
)
def test_what_is_no_report_is_said_in_a_sentence(text: str | bytes, said: str, tmp_path: Path) -> None:
    path = kept(tmp_path, text)
    ended = convert(path)
    assert ended.exit_code == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"blueplane-doctor: {path} {said}")
    assert "\x1b" not in ended.stderr
    assert "  try: " in ended.stderr


def test_no_such_file(tmp_path: Path) -> None:
    ended = convert(tmp_path / "none.json")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "none.json cannot be read: No such file or directory" in ended.stderr


def test_a_folder_is_no_report(tmp_path: Path) -> None:
    ended = convert(tmp_path)
    assert ended.exit_code == 2
    assert "cannot be read: Is a directory" in ended.stderr


@pytest.mark.parametrize("arguments", [["--format", "pdf"], ["-o", "report.pdf"], ["-o", "report"]])
def test_no_such_format(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = convert(kept(tmp_path), *arguments)
    assert ended.exit_code == 2
    assert "format" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_report_that_cannot_be_read_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "out.md"
    target.write_text("old")
    assert convert(kept(tmp_path, "{}"), "-o", target).exit_code == 2
    assert target.read_text() == "old"

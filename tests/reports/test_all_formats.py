"""The contract of all formats on all reports: well formed for the reader they are made for, inert, always the same."""

import json
import re
import subprocess
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families

from blueplane_doctor.judging.kept import read_report
from blueplane_doctor.model import Report
from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.reports.base import View
from tests.parameters import one_quick
from tests.preloaded import preloaded_doctor
from tests.reports.hostile import REPORTS

FORMATS = find_formats()


class _Page(HTMLParser):
    """What a page holds that could act."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def read_html(text: str) -> None:
    page = _Page()
    page.feed(text)
    page.close()
    assert text.startswith("<!DOCTYPE html>") or text.startswith("<!doctype html>")
    assert page.tags.count("script") <= 1
    assert not {"img", "iframe", "marquee", "object", "embed", "textarea"} & set(page.tags)
    assert page.tags.count("link") <= 1, "the picture beside the title, which is written into the page"
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    links = [value for name, value in page.attributes if name in ("href", "src", "action")]
    assert all(link.startswith("#") or link.startswith("data:") for link in links), links


def read_json(text: str) -> None:
    assert Report.model_validate_json(text)
    assert json.loads(text)["schema_version"] == 2


def read_junit(text: str) -> None:
    suite = ET.fromstring(text).find("testsuite")
    assert suite is not None
    assert int(suite.get("tests", "-1")) == len(suite.findall("testcase"))
    allowed = {"testsuites", "testsuite", "properties", "property", "testcase"}
    assert {e.tag for e in ET.fromstring(text).iter()} <= allowed | {"failure", "error", "skipped", "system-out"}


def read_github(text: str) -> None:
    for command in text.removesuffix("\n").split("\n"):
        assert re.fullmatch(r"::(error|warning|notice) title=[^:,\r\n]*::[^\r\n]*", command)


def read_markdown(text: str) -> None:
    """GitHub's own reader makes links of bare addresses and mentions in whatever stays plain text."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    inner = [child for token in tokens for child in token.children or []]
    titles = "<code>[^<>]*</code>: more|Explains: <code>[^<>]*</code>|Green, and not set up"
    own = rf"(<details( open)?><summary>({titles})</summary>|</details>)\n?"
    assert all(re.fullmatch(own, token.content) for token in tokens if token.type == "html_block")
    assert {token.type for token in inner} <= {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
    for token in inner:
        if token.type == "text":
            assert not re.search(r"[@#$]|://|www\.|\bGH-\d|![0-9]", token.content, re.IGNORECASE), token.content
    rows = [token.type for token in tokens].count("tr_open")
    cells = sum(token.type in ("td_open", "th_open") for token in tokens)
    assert cells == rows * 4


def read_nagios(text: str) -> None:
    assert re.fullmatch(r"BLUEPLANE (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n\\]+(\|'[^|\n]+)?\n", text)


def read_prometheus(text: str) -> None:
    families = list(text_string_to_metric_families(text))
    assert families
    assert all(family.name.startswith("blueplane_doctor_") for family in families)
    assert all(sample.name == family.name for family in families for sample in family.samples)


def read_table(text: str) -> None:
    assert text.endswith("\n")
    assert "\x1b" not in text


READERS: dict[str, Callable[[str], None]] = {
    "html": read_html,
    "json": read_json,
    "junit": read_junit,
    "github": read_github,
    "markdown": read_markdown,
    "nagios": read_nagios,
    "prometheus": read_prometheus,
    "table": read_table,
}
FOR_PROGRAMS_ALONE = ("json",)
"""Hold every character of the report, for that is what they are for; in JSON, a control character is an escape."""


def unseen(text: str) -> set[str]:
    """Characters that control, hide or reorder text."""
    found = {c for c in set(text) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")}
    return found - {"\n"}


def test_every_format_has_a_reader_here() -> None:
    assert set(READERS) == set(FORMATS)


def test_no_two_formats_claim_a_suffix() -> None:
    suffixes = [suffix for form in FORMATS.values() for suffix in form.suffixes]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize("view", [View(quiet=True), View(verbose=True)], ids=["quiet", "verbose"])
@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_report_is_well_formed_and_inert_in_every_format(name: str, report: str, view: View) -> None:
    made = REPORTS[report]()
    text = FORMATS[name].render(made, view)
    text.encode()  # fails where a lone surrogate is left
    READERS[name](text)
    assert name in FOR_PROGRAMS_ALONE or unseen(text) <= ({"\t"} if name == "html" else set())
    assert FORMATS[name].render(made, view) == text


@pytest.mark.parametrize("report", ["empty", "healthy", "mixed", "compared"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_kept_report_gives_the_same_bytes_as_the_live_one(name: str, report: str) -> None:
    live = REPORTS[report]()
    kept = Report.model_validate_json(FORMATS["json"].render(live, View()))
    assert FORMATS[name].render(kept, View()) == FORMATS[name].render(live, View())


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"prometheus", "nagios"}))
def test_a_format_for_people_tells_waivers_and_changes(name: str) -> None:
    text = FORMATS[name].render(REPORTS["compared"](), View(verbose=True))
    assert "ticket OPS-12" in text.replace("-\\", "-")
    assert "platform" in text
    assert "2026-04-01" in text
    for word in ("new", "worse", "better", "fixed"):
        assert re.search(rf"\b{word}\b", text), word


@pytest.mark.parametrize("name", one_quick(FORMATS))
def test_stdout_is_the_document_alone(name: str, tmp_path: Path) -> None:
    kept = tmp_path / "report.json"
    kept.write_text(FORMATS["json"].render(REPORTS["hostile-terminal"](), View()), encoding="utf-8")
    program = [*preloaded_doctor(), "convert", str(kept), "--format", name]
    ended = subprocess.run(program, capture_output=True, timeout=60, check=False)
    assert ended.stderr == b""
    assert ended.returncode == (2 if name == "nagios" else 0)
    text = ended.stdout.decode()
    READERS[name](text)
    # What is read from a file has its names checked like any other that comes from outside.
    assert text == FORMATS[name].render(read_report(kept), View())

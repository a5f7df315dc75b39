"""docs/TRUTH.md names tests that there are: for each situation at least one, by its file and a part of its name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "TRUTH.md").read_text(encoding="utf-8")
SECTIONS = "ABCDEFG"
COLUMNS = 3


def rows_of(text: str) -> list[tuple[str, str, str]]:
    """Situation, verdict and test of each row; heads of tables are left out."""
    rows = []
    for line in text.splitlines():
        if not line.startswith("| ") or line.startswith("| situation |"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert len(cells) == COLUMNS, line
        rows.append((cells[0], cells[1], cells[2].strip("|").strip()))
    return rows


def named_in(cell: str) -> list[tuple[str, list[str]]]:
    """The files that a cell names, each with the parts of names that follow it."""
    named = []
    for file, parts in re.findall(r"`(test[\w/.]*\.py)`(?:: ([\w, ]+))?", cell):
        named.append((file, [part.strip() for part in parts.split(",") if part.strip()]))
    return named


ROWS = rows_of(TEXT)


@pytest.mark.parametrize(("situation", "verdict", "test"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_each_situation_has_a_verdict_and_tests_that_exist(situation: str, verdict: str, test: str) -> None:
    assert verdict, situation
    named = named_in(test)
    assert named, f"{situation}: no test is named"
    for file, parts in named:
        path = ROOT / file if "/" in file else ROOT / "tests" / "truth" / file
        assert path.is_file(), f"{situation}: there is no {file}"
        names = re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert names, f"{situation}: {file} has no tests"
        for part in parts:
            assert any(part in name for name in names), f"{situation}: no test of {file} has {part} in its name"


def test_each_section_has_its_table() -> None:
    for letter in SECTIONS:
        section = re.search(rf"^## {letter}\. .*?(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
        assert section, letter
        assert rows_of(section[0]), letter

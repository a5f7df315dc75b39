"""docs/REPAIR.md names every target, every file and every option of repair."""

from pathlib import Path

import pytest

from blueplane_doctor.repair.plan import GOOD_FOR_MS, MARK
from blueplane_doctor.repair.planning import find_targets
from blueplane_doctor.repair.refusals import FILL_TO
from blueplane_doctor.repair.store import JOURNAL_FILE, KEPT_SECONDS, MESSAGES_FILE, PLAN_FILE, RESULT_FILE

DOCUMENT = (Path(__file__).parents[2] / "docs" / "REPAIR.md").read_text(encoding="utf-8")
OPTIONS = ("--apply", "--undo", "--list", "--save-only", "--rate", "--write-url", "--yes")


def test_every_target_has_its_row() -> None:
    rows = {line.split("`")[1] for line in DOCUMENT.splitlines() if line.startswith("| `")}
    assert rows == set(find_targets())


@pytest.mark.parametrize("word", [*OPTIONS, PLAN_FILE, MESSAGES_FILE, JOURNAL_FILE, RESULT_FILE, MARK.decode()])
def test_it_names(word: str) -> None:
    assert word in DOCUMENT


def test_its_numbers_are_those_of_the_program() -> None:
    assert (GOOD_FOR_MS, KEPT_SECONDS, FILL_TO) == (600_000, 30 * 86_400, 0.8)
    for words in ("ten minutes", "thirty days", "80 %"):
        assert words in DOCUMENT

"""docs/CAUSES.md is what the causes and the table of the tests say today."""

from blueplane_doctor.plugins.discovery import find_checks
from tests.docs.causes import TARGET, text
from tests.truth.situations import SITUATIONS


def test_it_is_what_the_causes_and_the_table_say() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run `make docs`, and read the difference"


def test_it_names_every_cause_and_every_situation() -> None:
    document = TARGET.read_text(encoding="utf-8")
    for spec in find_checks().causes:
        assert f"| `{spec.id}` | {spec.title} |" in document
    for name in SITUATIONS:
        assert f"| {name}: " in document

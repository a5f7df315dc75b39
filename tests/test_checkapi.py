"""What the decorator knows of a check, and the findings that need no scale."""

from typing import Any

import pytest

from blueplane_doctor.checkapi import MARK, CheckSpec, check, not_graded, sentence, spec_of, unknown
from blueplane_doctor.model import Finding, Remedy, Status
from blueplane_doctor.scales import Scale

REMEDY = Remedy(text="Do this.")
SCALE = Scale.rising(yellow=10, orange=20, red_above=30, unit="s")


def test_what_is_not_graded_is_green_without_a_scale() -> None:
    finding = not_graded(3.5, "idle", unit="rows/s", evidence={"a": 1})
    assert (finding.status, finding.observed, finding.unit, finding.scale) == (Status.GREEN, 3.5, "rows/s", None)


def test_unknown_carries_its_cause() -> None:
    finding = unknown("not known", "nobody measures it", remedy=REMEDY)
    assert (finding.status, finding.cause, finding.remedy) == (Status.UNKNOWN, "nobody measures it", REMEDY)


def test_the_decorator_reads_id_title_explanation_and_needs() -> None:
    @check(area="mine", scale=SCALE)
    def check_how_old_it_is(queue: Any, database: Any, scale: Scale) -> Finding:
        """How old it is.

        A second paragraph.
        """
        return scale.grade(queue + database, "x")

    spec: CheckSpec = getattr(check_how_old_it_is, MARK)
    assert (spec.id, spec.area, spec.title) == ("how-old-it-is", "mine", "How old it is")
    assert spec.doc == "How old it is.\n\nA second paragraph."
    assert spec.needs == ("queue", "database")
    assert spec.run({"queue": 10, "database": 5, "chain": None}).status == "yellow"


def test_a_check_without_scale_or_docstring() -> None:
    def check_it(queue: Any) -> Finding:
        return Finding(status=Status.RED, summary=f"{queue}")

    spec = spec_of(check_it, "mine", None)
    assert (spec.title, spec.scale, spec.doc) == ("check_it", None, "")
    assert spec.run({"queue": "x"}).summary == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("start it", "Start it."), ("Start it.", "Start it."), ("why?", "Why?"), ("~/x is gone", "~/x is gone.")],
)
def test_sentence(text: str, expected: str) -> None:
    assert sentence(text) == expected

"""Records: frozen, with known fields; what their attributes mean; and which numbers a finding may hold."""

import pytest

from blueplane_doctor.commands.schema import report_schema
from blueplane_doctor.model import Finding, Status, descriptions_of
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import InvalidRecord


class Example(Record):
    """A record."""

    first: int
    """Says what it is,
    over two lines."""
    second: str = ""
    third: list[int] = []
    """The third."""


def test_the_docstring_under_each_attribute() -> None:
    assert descriptions_of(Example) == {"first": "Says what it is,\nover two lines.", "third": "The third."}


def test_a_class_without_source_has_none() -> None:
    assert descriptions_of(type("Made", (), {})) == {}


def test_they_are_in_the_published_schema() -> None:
    definitions = report_schema()["$defs"]
    assert definitions["Remedy"]["properties"]["text"]["description"] == "One or two sentences."
    queue = definitions["QueueHealth"]["properties"]
    assert sum("description" in attribute for attribute in queue.values()) > len(queue) / 2


@pytest.mark.parametrize("value", [10**300, -(10**5000)], ids=["large", "small"])
def test_a_number_of_hundreds_of_digits_is_a_mistake_of_the_check(value: int) -> None:
    with pytest.raises(InvalidRecord, match="more than 300 digits"):
        Finding(status=Status.RED, summary="s", observed=value)
    with pytest.raises(InvalidRecord, match="more than 300 digits"):
        Finding(status=Status.RED, summary="s", evidence={"a": [1, {"b": (value,)}]})


def test_what_checks_count_by_is_a_name_in_the_report() -> None:
    counted = {None: 1, True: 2, ("a", 1): 3, 5: 4}
    finding = Finding(status=Status.RED, summary="s", evidence={"by": [counted]})
    assert finding.model_dump()["evidence"] == {"by": [{"None": 1, "True": 2, "('a', 1)": 3, 5: 4}]}
    assert '"5":4' in finding.model_dump_json()


def test_bytes_in_evidence_are_text_in_the_report() -> None:
    finding = Finding(status=Status.RED, summary="s", evidence={"a": [b"x", bytearray(b"\xff")], "b": {b"c": 1}})
    assert finding.model_dump()["evidence"] == {"a": ["x", "\ufffd"], "b": {"c": 1}}


def test_a_number_that_every_format_can_show() -> None:
    assert Finding(status=Status.RED, summary="s", observed=10**299, evidence={"a": [10**299]}).observed == 10**299

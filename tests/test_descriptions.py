"""The docstrings under attributes: they reach the schema, whether the class has a source or not."""

from blueplane_doctor.commands.schema import report_schema
from blueplane_doctor.model import Record, descriptions_of


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

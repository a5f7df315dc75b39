"""JSON Schema of records: what they take is valid, and what they refuse is not."""

from pathlib import Path
from typing import Annotated

from jsonschema import Draft202012Validator
from msgspec import UNSET, Meta, UnsetType, field

from blueplane_doctor.json_schemas import DIALECT, json_schema
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import Secret


class Part(Record):
    """Of a test."""

    number: Annotated[int, Meta(gt=0)]
    """How many."""


class Whole(Record):
    """Of a test."""

    parts: list[Part] = []
    """All of them."""
    least: str = field(default="orange", name="from")
    """The least colour."""
    home: Path = Path("~/here")
    token: Secret | None = None
    inner: str | UnsetType = UNSET


def test_fields_are_described_by_their_names_in_json() -> None:
    definitions = json_schema(Whole)
    assert set(definitions) == {"Whole", "Part"}
    whole = definitions["Whole"]["properties"]
    assert set(whole) == {"parts", "from", "home", "token"}
    assert (whole["from"]["description"], whole["from"]["default"]) == ("The least colour.", "orange")
    assert whole["home"]["default"] == "~/here"
    assert definitions["Part"]["properties"]["number"]["description"] == "How many."


def test_it_is_a_schema_that_tells_right_from_wrong() -> None:
    definitions = json_schema(Whole)
    schema = {"$schema": DIALECT, **definitions.pop("Whole"), "$defs": definitions}
    Draft202012Validator.check_schema(schema)
    fitting = Draft202012Validator(schema)
    assert fitting.is_valid({"parts": [{"number": 1}], "from": "red", "token": None})
    for wrong in ({"parts": [{}]}, {"parts": [{"number": 0}]}, {"least": "red"}, {"home": 5}, {"inner": "x"}):
        assert not fitting.is_valid(wrong), wrong

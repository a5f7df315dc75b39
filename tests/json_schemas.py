"""JSON Schema, in the version that the documents of the doctor are written in."""

from collections.abc import Mapping
from typing import Any


def validator(schema: Mapping[str, Any]) -> Any:
    """A validator of this schema, which must be valid itself."""
    from jsonschema import Draft202012Validator  # more than a second to load, which collecting tests need not wait for

    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)

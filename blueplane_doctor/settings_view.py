"""Settings as they are shown: by dotted name, without secrets, and as the JSON Schema of doctor.yaml."""

import re
from typing import Any

from blueplane_doctor.model import Status, descriptions_of
from blueplane_doctor.settings import SPLIT_SETTINGS, Settings, StreamSettings

_SECRET = re.compile(r"(?i)([?&]\w*(?:password|token|secret)=)[^&#]*")
"""A secret among the parameters of a URL."""


def flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested settings by dotted name."""
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        dotted = f"{prefix}{name}"
        if isinstance(value, dict) and value:
            rows += flat(value, f"{dotted}.")
        else:
            rows.append((dotted, value))
    return rows


def masked(value: Any) -> str:
    """A value for showing: a password inside a URL becomes `***`, and so does a user name that stands alone.

    `redis://secret@host` is a password in the place of the user name. Not read as a URL: a password may hold `/`, `?`
    and `@`, all of which would end it there.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    shown = _SECRET.sub(r"\1***", value)
    scheme, separator, rest = shown.partition("://")
    login, at, place = rest.rpartition("@")
    if not separator or not at:
        return shown
    user, colon, _ = login.partition(":")
    if not colon:
        return f"{scheme}://***@{place}"
    return f"{scheme}://{user}:***@{place}"


def settings_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of doctor.yaml: every setting but `home`, which names the folder of the file."""
    schema = Settings.model_json_schema()
    properties = schema["properties"]
    del properties["home"]
    # A file may also say `new:COLOUR`, and write a list of words in one line.
    properties["fail_on"] = {
        "type": "string",
        "pattern": "^((new:)?(yellow|orange|red)|never)$",
        "default": Status.ORANGE.value,
    }
    for name in SPLIT_SETTINGS:
        words = {"type": "array", "items": properties[name].pop("items")}
        del properties[name]["type"]
        properties[name]["anyOf"] = [words, {"type": "string"}]
    # A target may be its URL alone, and several of them stand in one line.
    targets = properties["notify"]
    targets["items"] = {"anyOf": [targets["items"], {"type": "string"}]}
    properties["notify"] = {"anyOf": [targets, {"type": "string"}]}
    _describe(properties, Settings)
    _describe(schema["$defs"]["StreamSettings"]["properties"], StreamSettings)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _describe(properties: dict[str, Any], record: type) -> None:
    for name, meaning in descriptions_of(record).items():
        if name in properties:
            properties[name]["description"] = meaning

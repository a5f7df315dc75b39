"""Settings as they are shown: by dotted name, without secrets, and as the JSON Schema of doctor.yaml."""

import re
from typing import Any

from blueplane_doctor.json_schemas import DIALECT, json_schema
from blueplane_doctor.settings.values import SPLIT_SETTINGS, Settings

_PARAMETER = re.compile(r"([?&])([^=&#]*)=([^&#]*)")
_HARMLESS_PARAMETERS = frozenset(
    {
        *("db", "protocol", "decode_responses", "health_check_interval", "max_connections", "retry_on_timeout"),
        *("socket_timeout", "socket_connect_timeout", "socket_keepalive", "ssl_cert_reqs", "ssl_check_hostname"),
        *("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"),
    }
)
"""Of a URL. The value of any other may be a secret, however its name is written: `pass%77ord` is `password`."""


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
    shown = _PARAMETER.sub(_shown_parameter, value)
    scheme, separator, rest = shown.partition("://")
    login, at, place = rest.rpartition("@")
    if not separator or not at:
        return shown
    user, colon, _ = login.partition(":")
    if not colon:
        return f"{scheme}://***@{place}"
    return f"{scheme}://{user}:***@{place}"


def _shown_parameter(match: re.Match[str]) -> str:
    if match[2] in _HARMLESS_PARAMETERS:
        return match[0]
    return f"{match[1]}{match[2]}=***"


def without_secrets(value: Any) -> Any:
    """A setting's value as JSON shows it: masked, whatever it is made of, and a command without its arguments."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    shown = {name: without_secrets(item) for name, item in value.items()}
    if isinstance(shown.get("command"), list):
        arguments = ["***"] * len(shown["command"][1:])
        shown["command"] = [*shown["command"][:1], *arguments]
    return shown


def settings_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of doctor.yaml: every setting but `home`, which names the folder of the file."""
    definitions = json_schema(Settings)
    schema = definitions.pop("Settings")
    properties = schema["properties"]
    del properties["home"]
    # A file may also say `new:COLOUR`, and write a list of words in one line.
    del properties["fail_on"]["enum"]
    properties["fail_on"] |= {"type": "string", "pattern": "^((new:)?(yellow|orange|red)|never)$"}
    for name in SPLIT_SETTINGS:
        words = {"type": "array", "items": properties[name].pop("items")}
        del properties[name]["type"]
        properties[name]["anyOf"] = [words, {"type": "string"}]
    # A target may be its URL alone, and several of them stand in one line.
    targets = properties["notify"]
    targets["items"] = {"anyOf": [targets["items"], {"type": "string"}]}
    properties["notify"] = {"anyOf": [targets, {"type": "string"}], "description": targets.pop("description")}
    return {"$schema": DIALECT, **schema, "$defs": definitions}

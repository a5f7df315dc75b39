"""Targets are data: complete, or refused when the settings are read."""

from typing import Any

import pytest
from pydantic import ValidationError

from blueplane_doctor.pipeline import TARGETS, Target

GOOD = {"where": "a.b:C.d", "records": "write", "name": "t", "argument": "rows"}


def test_a_target_knows_every_name_of_its_module() -> None:
    target = Target(**GOOD)
    assert target.modules == ("src.a.b", "src.blueplane.a.b", "blueplane.a.b", "a.b")
    assert target.path == "C.d"


def test_no_method_is_measured_twice() -> None:
    places = [(module, target.path) for target in TARGETS for module in target.modules]
    assert len(places) == len(set(places))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"where": "a.b"}, "where must be"),
        ({"where": "a.b:"}, "where must be"),
        ({"where": "a b:c"}, "where must be"),
        ({"name": ""}, "a write needs a name"),
        ({"argument": ""}, "argument is missing"),
        ({"records": "hook", "name": "", "argument": ""}, "argument is missing"),
        ({"records": "monitor", "argument": "", "fails": "state"}, "argument is missing"),
        ({"fails": "falls-back"}, "fallback is missing"),
        ({"records": "song"}, "records"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_an_incomplete_target_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Target(**{**GOOD, **changed})

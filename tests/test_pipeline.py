"""Targets are data: complete, or refused when the settings are read."""

from typing import Any

import pytest

from blueplane_doctor.pipeline import (
    TARGETS,
    Target,
    claude_project_folder,
    finds_transcripts,
    folders_looked_for,
)
from blueplane_doctor.records.field_checks import InvalidRecord

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
    with pytest.raises(InvalidRecord, match=said):
        Target(**{**GOOD, **changed})


@pytest.mark.parametrize(
    ("workspace", "folder", "is_found"),
    [
        ("/home/me/site", "-home-me-site", True),
        ("/home/me/my-app", "-home-me-my-app", True),
        ("/home/me/my_app", "-home-me-my-app", False),
        ("/home/me/site.v2", "-home-me-site-v2", False),
        ("/home/me/my app", "-home-me-my-app", False),
        ("/home/me/caf\u00e9", "-home-me-caf-", False),
        ("C:\\code\\app", "C--code-app", False),
    ],
)
def test_the_server_finds_the_transcripts_of_a_path_of_letters_and_digits(
    workspace: str, folder: str, is_found: bool
) -> None:
    assert claude_project_folder(workspace) == folder
    assert finds_transcripts(workspace) is is_found


def test_the_server_looks_with_and_without_the_first_dash() -> None:
    assert folders_looked_for("/home/me/site.v2") == ("-home-me-site.v2", "home-me-site.v2")

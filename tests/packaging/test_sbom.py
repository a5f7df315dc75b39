"""The SBOM: valid by its own library, and complete."""

import json

import pytest
from packaging.utils import canonicalize_name

from tests.packaging.conftest import ROOT, Artifacts
from tests.packaging.test_pins import pins

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_it_is_valid(artifacts: Artifacts) -> None:
    # Three seconds to load, for the grammars of addresses, which collecting tests need not wait for.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = artifacts.one("*.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_names_every_part_with_its_licence_and_what_needs_it(artifacts: Artifacts) -> None:
    bill = json.loads(artifacts.one("*.cdx.json").read_text())
    named = {canonicalize_name(part["name"]): part for part in bill["components"]}
    pinned = pins(ROOT / "packaging" / "requirements" / "zipapp.txt")
    here = {name for name, wanted in pinned.items() if wanted.marker is None or wanted.marker.evaluate()}
    assert set(named) == here | {"blueplane-doctor", "blueplane-doctor-extras"}
    assert [name for name, part in named.items() if not part.get("licenses")] == []
    assert any(entry.get("dependsOn") for entry in bill["dependencies"])


def test_it_says_nothing_of_the_machine_that_built_it(artifacts: Artifacts) -> None:
    text = artifacts.one("*.cdx.json").read_text()
    assert "file:" not in text
    assert str(ROOT) not in text

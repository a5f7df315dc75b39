"""docs/TROUBLESHOOTING.md is what the checks say today, and each of its sections says what a tired person needs."""

import re

import pytest

from blueplane_doctor.checkapi import CheckSpec
from blueplane_doctor.model import Status
from tests.checks.builders import assert_sound, built_in, healthy_records
from tests.checks.unhealthy import UNHEALTHY
from tests.docs.troubleshooting import TARGET, text

CHECKS = [pytest.param(spec, id=spec.id) for spec in built_in().values()]


def test_it_is_what_the_checks_say() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run `make docs`, and read the difference"


@pytest.mark.parametrize("spec", CHECKS)
def test_every_check_has_something_to_quote(spec: CheckSpec) -> None:
    found = spec.run(healthy_records() | UNHEALTHY[spec.id])
    assert_sound(found)
    assert found.status in (Status.YELLOW, Status.ORANGE, Status.RED)


@pytest.mark.parametrize("spec", CHECKS)
def test_every_docstring_says_what_it_means_and_what_causes_it(spec: CheckSpec) -> None:
    title, meaning, causes = spec.doc.split("\n\n", 1)[0], *spec.doc.partition("\n\n")[2].split("Causes:\n")
    assert title and len(meaning.split()) > 8
    assert all(re.match(r"- |  \S", line) for line in causes.splitlines())


def test_every_link_leads_to_a_section() -> None:
    document = TARGET.read_text(encoding="utf-8")
    sections = set(re.findall(r"^## (\S+)$", document, re.MULTILINE))
    assert sections == set(built_in())
    assert set(re.findall(r"\]\(#([^)]+)\)", document)) == sections

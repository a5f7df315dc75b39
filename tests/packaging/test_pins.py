"""The pins: they are what pyproject.toml allows, every one has hashes, and no index is named."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
BASE = PROJECT["project"]["dependencies"]
OPTIONAL = ("demo", "instrument", "serve", "otel", "notify")
FILES = sorted((ROOT / "packaging" / "requirements").glob("*.txt"))
WANTED = {
    "base": BASE,
    "demo": [*BASE, *EXTRAS["demo"]],
    "serve": [*BASE, *EXTRAS["serve"]],
    "all": [*BASE, *(wanted for extra in OPTIONAL for wanted in EXTRAS[extra])],
    "zipapp": [*BASE, *EXTRAS["demo"], *EXTRAS["serve"], *GROUPS["zipapp"]],
    "executable": [*BASE, *EXTRAS["demo"], *EXTRAS["serve"], *GROUPS["executable"]],
    "build": GROUPS["build"],
    "backend": GROUPS["backend"],
    "dev": [*BASE, *EXTRAS["demo"], *EXTRAS["test"], *EXTRAS["dev"], *GROUPS["backend"]],
}


def pins(file: Path) -> dict[str, Requirement]:
    """The requirements of a file by name."""
    lines = re.sub(r"\\\n\s*", "", file.read_text()).splitlines()
    found = [Requirement(line.split(" --hash=")[0]) for line in lines if line.strip()]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def test_every_set_is_known_here() -> None:
    assert {file.stem for file in FILES} == set(WANTED)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_pins_are_what_the_project_asks_for(file: Path) -> None:
    there = pins(file)
    for wanted in map(Requirement, WANTED[file.stem]):
        (pinned,) = there[canonicalize_name(wanted.name)].specifier
        assert pinned.operator == "=="
        assert wanted.specifier.contains(pinned.version), f"{wanted}, and {pinned} is pinned: make pins"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_pin_has_hashes_and_no_index_is_named(file: Path) -> None:
    for block in re.split(r"\n(?=\S)", file.read_text().strip()):
        first, *hashes = block.splitlines()
        assert "==" in first
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes), block


@pytest.mark.parametrize("name", ["base", "demo", "serve", "zipapp", "executable", "dev", "backend"])
def test_the_sets_agree_on_versions(name: str) -> None:
    everything = pins(ROOT / "packaging" / "requirements" / "all.txt")
    for requirement in pins(ROOT / "packaging" / "requirements" / f"{name}.txt").values():
        known = everything.get(canonicalize_name(requirement.name), requirement)
        assert known.specifier == requirement.specifier


def test_the_extra_all_is_all_the_others() -> None:
    assert EXTRAS["all"] == [f"blueplane-doctor[{','.join(sorted(OPTIONAL))}]"]
    assert set(EXTRAS) == {*OPTIONAL, "all", "test", "dev"}


INSTALLERS = ("Makefile", "action.yml", ".ci/run", ".ci/fetch-redis-stack", "packaging/Dockerfile")


@pytest.mark.parametrize("name", INSTALLERS)
def test_nothing_is_fetched_from_an_index_without_a_hash(name: str) -> None:
    """A requirement comes with --require-hashes; without one, pip may fetch nothing at all."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text())
    for line in re.split(r"\n|&&", text):
        fetches = re.search(r"\bpip\b.* (install|download) |pip\[@\]", line)
        if fetches and "pip=(" not in line:
            assert "--require-hashes" in line or "--no-index" in line or "--no-build-isolation" in line, line


def test_the_servers_of_the_tests_have_hashes() -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / ".ci" / "redis-stack.txt").read_text().strip())
    assert len(blocks) == 2
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+ \\\n    --hash=sha256:[0-9a-f]{64}", block) for block in blocks)

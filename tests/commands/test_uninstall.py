"""`uninstall`: it undoes what install did, step by step and from everywhere, and nothing else."""

import json
from pathlib import Path

import pytest

from tests.doctor_command import run
from tests.installing.conftest import tree


@pytest.mark.slow
def test_only_the_named_steps_are_done(home: Path) -> None:
    assert run(["install", "--yes", "--only", "hooks", "--only", "database"]).returncode == 0
    assert ".config" not in tree(home)
    assert run(["uninstall", "--yes", "--only", "hooks"]).returncode == 0
    assert ".cursor" not in tree(home) and ".blueplane/telemetry.db" in tree(home)
    assert run(["uninstall", "--yes"]).returncode == 0
    assert tree(home) == {}
    again = run(["uninstall", "--yes"])
    assert (again.returncode, again.stdout.startswith("nothing to undo")) == (0, True)


@pytest.mark.slow
def test_paths_that_were_given_relative_hold_from_everywhere(home: Path) -> None:
    (home / "work").mkdir()
    options = ["--home", "my home", "install", "--yes", "--only", "hooks", "--only", "database"]
    assert run(options, cwd=home / "work").returncode == 0
    assert str(home / "work" / "my home") in (home / ".cursor" / "hooks.json").read_text()
    assert run(["--home", "work/my home", "uninstall", "--yes"], cwd=home).returncode == 0
    assert set(tree(home)) == {"work"}


def test_a_dry_run_shows_what_would_go_and_leaves_it(home: Path) -> None:
    assert run(["install", "--yes", "--only", "hooks"]).returncode == 0
    installed = tree(home)
    shown = run(["uninstall", "--dry-run"])
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "hooks.json" in shown.stdout
    assert tree(home) == installed


@pytest.mark.slow
def test_with_nobody_to_ask_nothing_is_undone(home: Path) -> None:
    assert run(["install", "--yes", "--only", "hooks"]).returncode == 0
    installed = tree(home)
    refused = run(["uninstall"])
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert tree(home) == installed


@pytest.mark.slow
def test_what_somebody_else_added_since_stays(home: Path) -> None:
    assert run(["install", "--yes", "--only", "hooks"]).returncode == 0
    path = home / ".cursor" / "hooks.json"
    content = json.loads(path.read_text())
    content["hooks"]["stop"].append({"command": "their own"})
    path.write_text(json.dumps(content))
    assert run(["uninstall", "--yes"]).returncode == 0
    assert json.loads(path.read_text())["hooks"] == {"stop": [{"command": "their own"}]}

"""`export`: rules and dashboards from the scales in force, on stdout or into one file."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from blueplane_doctor.cli import app
from blueplane_doctor.plugins.discovery import find_checks


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def export(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--home", str(home), "export", *words])


def alerts(text: str) -> dict[str, str]:
    """Expressions of all rules, by the alert's name."""
    rules: dict[str, str] = {}
    for group in yaml.safe_load(text)["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                rules[rule["alert"]] = rule["expr"]
    return rules


def test_thresholds_of_the_settings_are_in_the_rules(home: Path) -> None:
    before = alerts(export(home, "prometheus-rules").stdout)
    (home / "doctor.yaml").write_text("thresholds: {queue-depth: {red: 54321}}\n")
    ended = export(home, "prometheus-rules")
    assert (ended.exit_code, ended.stderr) == (0, "")
    after = alerts(ended.stdout)
    changed = [name for name in after if after[name] != before[name]]
    assert changed
    assert all("QueueDepth" in name for name in changed)
    assert any("54321" in after[name] for name in changed)


def test_a_selection_holds(home: Path) -> None:
    everything = alerts(export(home, "prometheus-rules").stdout)
    chosen = alerts(export(home, "prometheus-rules", "--select", "wal-size").stdout)
    others = alerts(export(home, "prometheus-rules", "--ignore", "wal-size").stdout)
    assert set(chosen) < set(everything)
    # Some rules are about the doctor itself: every selection has them.
    assert set(chosen) - set(others) == {"BlueplaneWalSizeYellow", "BlueplaneWalSizeOrange", "BlueplaneWalSizeRed"}


def test_a_dashboard_is_one_json_document_with_every_check(home: Path) -> None:
    ended = export(home, "grafana")
    assert (ended.exit_code, ended.stderr) == (0, "")
    dashboard = json.loads(ended.stdout)
    assert all(spec.id in ended.stdout for spec in find_checks().checks)
    assert dashboard["panels"]


@pytest.mark.parametrize("name", ["prometheus-rules", "grafana"])
def test_a_file_gets_what_stdout_would(name: str, home: Path, tmp_path: Path) -> None:
    shown = export(home, name).stdout
    ended = export(home, name, "-o", str(tmp_path / "out"))
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert (tmp_path / "out").read_text(encoding="utf-8") == shown


def test_two_files_are_one_too_many(home: Path, tmp_path: Path) -> None:
    ended = export(home, "grafana", "-o", str(tmp_path / "a"), "-o", str(tmp_path / "b"))
    assert ended.exit_code == 2
    assert "this command writes one file" in ended.stderr
    assert list(tmp_path.iterdir()) == [home]

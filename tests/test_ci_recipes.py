"""action.yml and the recipes of docs/CI.md, tried as far as they can be without their hosts."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.main import get_command

from blueplane_doctor.cli import app
from blueplane_doctor.demo.faults import healthy, poison_duplicate
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.plugins.discovery import find_formats
from tests.reports.test_prometheus import promtool
from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GUIDE = (ROOT / "docs" / "CI.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def steps_of(document: Any) -> Iterator[dict[str, Any]]:
    """Every step and job of a workflow, an action or a GitLab file that has something to run."""
    if isinstance(document, dict):
        if isinstance(document.get("run"), str) or isinstance(document.get("script"), list):
            yield document
        for value in document.values():
            yield from steps_of(value)
    if isinstance(document, list):
        for value in document:
            yield from steps_of(value)


def scripts() -> list[str]:
    """Every shell text of the action and the guide."""
    documents = [ACTION, *(yaml.safe_load(text) for kind, text in FENCES if kind == "yaml")]
    steps = [step for document in documents for step in steps_of(document)]
    found = [step.get("run") or "\n".join(step["script"]) for step in steps]
    found += [line.split(" ", 5)[5] for kind, text in FENCES if kind == "cron" for line in text.splitlines()]
    return found + [text.partition("=")[2] for kind, text in FENCES if kind == "cfg"]


def options_of(command: str = "") -> set[str]:
    program: Any = get_command(app)
    chosen = program.get_command(typer.Context(program), command) if command else program
    return {name for parameter in chosen.params for name in (*parameter.opts, *parameter.secondary_opts)}


def bash(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it as GitHub's runner does."""
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder), **variables}
    program = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(program, capture_output=True, text=True, timeout=100, check=False, env=own, cwd=folder)


def test_there_are_recipes_to_try() -> None:
    assert len(scripts()) >= 8
    assert {kind for kind, _ in FENCES} == {"yaml", "cron", "cfg"}


@pytest.mark.parametrize("script", scripts())
def test_every_script_is_shell(script: str) -> None:
    assert not EXPRESSION.search(script), "an expression in a script's text would be run"
    ended = subprocess.run(
        ["bash", "-n", "-c", script], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("script", [script for script in scripts() if "blueplane-doctor" in script])
def test_every_option_formats_and_suffix_exists(script: str) -> None:
    used = {word for text in script.splitlines() if "pip" not in text for word in re.findall(r"(?<!\S)--[a-z-]+", text)}
    assert used <= options_of() | options_of("convert")
    assert set(re.findall(r"--format (\w+)", script)) <= set(find_formats())
    suffixes = {suffix for form in find_formats().values() for suffix in form.suffixes}
    files = re.findall(r'--output "?(\S+?)"?(?=[\s)]|$)', script)
    assert {Path(name).suffix for name in files} <= suffixes


def test_the_action_names_what_it_has() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", text)) == set(ACTION["inputs"])
    assert {"exit-code", "html", "junit", "json"} == set(ACTION["outputs"])
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.examine.outputs.{name} }}}}"
    for step in ACTION["runs"]["steps"]:
        assert ("uses" in step) != (step.get("shell") == "bash")


def test_the_guide_gives_the_action_only_what_it_takes() -> None:
    documents = [yaml.safe_load(text) for kind, text in FENCES if kind == "yaml"]
    steps = [step for d in documents for step in d.get("jobs", {}).get("pipeline", {}).get("steps", [])]
    [own] = [step for step in steps if step.get("uses") == "./blueplane-doctor"]
    [fetched] = [step for step in steps if step.get("with", {}).get("path") == "blueplane-doctor"]
    assert steps.index(fetched) < steps.index(own)
    assert set(own["with"]) <= set(ACTION["inputs"])
    assert set(re.findall(r"steps\.doctor\.outputs\.(\w+)", GUIDE)) <= set(ACTION["outputs"])


def installing(folder: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The action's installation with a stand-in for pip, and the lines that it was called with."""
    [step] = [step for step in ACTION["runs"]["steps"] if step.get("name") == "Install blueplane-doctor"]
    assert step["env"] == {
        "VERSION": "${{ inputs.version }}",
        "SHA256": "${{ inputs.sha256 }}",
        "OWN": "${{ github.action_path }}",
    }
    recorded = folder / "calls"
    recorded.touch()
    # Files of requirements are shown by their content: the action removes nothing, but their names differ each time.
    (folder / "python").write_text(
        '#!/bin/sh\necho "$*" >> "$CALLS"\nfor last; do :; done\n'
        'case "$last" in */tmp.*) cat "$last" >> "$CALLS";; esac\n'
    )
    (folder / "python").chmod(0o755)
    variables = {"VERSION": "", "SHA256": "", "OWN": str(ROOT), "CALLS": str(recorded)}
    ended = bash(step["run"], folder, PATH=f"{folder}:{os.environ['PATH']}", **(variables | inputs))
    return ended, recorded.read_text().splitlines()


def test_the_action_installs_itself_and_everything_it_needs_by_hash(tmp_path: Path) -> None:
    ended, calls = installing(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert all(call.startswith("-I -m pip install ") for call in calls)
    pins = ROOT / "packaging" / "requirements"
    assert calls[0].endswith(f"--require-hashes -r {pins}/base.txt")
    assert calls[1].endswith(f"--require-hashes -r {pins}/backend.txt")
    assert calls[2].endswith(f"--no-deps --no-build-isolation {ROOT}")


def test_the_action_installs_the_version_asked_for_by_its_checksum(tmp_path: Path) -> None:
    ended, calls = installing(tmp_path, VERSION="1.2.0", SHA256="a" * 64)
    assert ended.returncode == 0, ended.stderr
    assert "--no-deps --require-hashes" in calls[1]
    assert calls[2:] == [f"blueplane-doctor==1.2.0 --hash=sha256:{'a' * 64}"]


def test_the_action_refuses_a_version_without_its_checksum(tmp_path: Path) -> None:
    ended, calls = installing(tmp_path, VERSION="1.2.0")
    assert (ended.returncode, calls) == (2, [])
    assert "sha256" in ended.stdout


def test_nothing_has_a_placeholder_to_be_replaced() -> None:
    assert "OWNER" not in GUIDE + (ROOT / "action.yml").read_text(encoding="utf-8")


def examine(pipeline: Pipeline, folder: Path, **inputs: str) -> tuple[int, str, dict[str, str], str]:
    """The action's own step: its exit code, what it printed, its outputs, and the job summary."""
    [step] = [step for step in ACTION["runs"]["steps"] if step.get("id") == "examine"]
    given = dict.fromkeys(step["env"], "") | {"REDIS_URL": pipeline.redis_url, "BLUEPLANE_HOME": str(pipeline.home)}
    runner = {"RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "output")}
    (folder / "output").write_text("")
    (folder / "summary").write_text("")
    ended = bash(step["run"], folder, **runner, GITHUB_STEP_SUMMARY=str(folder / "summary"), **(given | inputs))
    outputs = dict(line.split("=", 1) for line in (folder / "output").read_text().splitlines())
    return ended.returncode, ended.stdout + ended.stderr, outputs, (folder / "summary").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_action_examines_a_pipeline(pipeline: Pipeline, tmp_path: Path) -> None:
    poison_duplicate(pipeline)
    code, said, outputs, summary = examine(pipeline, tmp_path)
    assert (code, outputs["exit-code"]) == (1, "1")
    assert said.startswith("::")
    assert summary.startswith("## ")
    assert Path(outputs["html"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert Path(outputs["junit"]).read_text(encoding="utf-8").startswith("<?xml")
    assert Path(outputs["json"]).suffix == ".json"


@pytest.mark.slow
def test_the_action_passes_a_usage_error_on(pipeline: Pipeline, tmp_path: Path) -> None:
    code, said, outputs, summary = examine(pipeline, tmp_path, FAIL_ON="purple $(touch made)")
    assert (code, outputs, summary) == (2, {"exit-code": "2"}, "")
    assert "fail-on" in said
    assert not (tmp_path / "made").exists()


@pytest.mark.slow
def test_the_cron_lines_run(pipeline: Pipeline, tmp_path: Path) -> None:
    healthy(pipeline)
    variables = {"BLUEPLANE_DOCTOR_REDIS_URL": pipeline.redis_url, "BLUEPLANE_DOCTOR_HOME": str(pipeline.home)}
    [mail, textfile] = [line.split(" ", 5)[5] for kind, text in FENCES if kind == "cron" for line in text.splitlines()]
    assert "%" not in mail + textfile  # cron would make line ends of them
    ended = bash(mail, tmp_path, **variables, BLUEPLANE_DOCTOR_SELECT="queue")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    ended = bash(mail, tmp_path, **variables, BLUEPLANE_DOCTOR_SELECT="no-such-check")
    assert ended.stdout != ""
    bash(textfile.replace("/var/lib/prometheus/node-exporter", str(tmp_path)), tmp_path, **variables)
    metrics = (tmp_path / "blueplane.prom").read_bytes()
    checked = subprocess.run(
        [promtool(), "check", "metrics"], input=metrics, capture_output=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_the_alerts_are_rules_of_prometheus_on_metrics_that_exist(tmp_path: Path) -> None:
    from blueplane_doctor.reports.base import View
    from tests.reports.hostile import compared

    [rules] = [text for kind, text in FENCES if kind == "yaml" and text.startswith("groups:")]
    (tmp_path / "rules.yml").write_text(rules)
    program = [promtool(), "check", "rules", str(tmp_path / "rules.yml")]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    exposed = find_formats()["prometheus"].render(compared(), View())
    assert all(f"# HELP {name} " in exposed for name in re.findall(r"blueplane_doctor_\w+", rules))

"""docs/CHECKS.md is what the docstrings say today; README's check and the document's examples work as they stand."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.plugins.discovery import find_monitors
from tests.docs.checks import CAUSE, CHECK, MONITOR, TARGET, text
from tests.preloaded import preloaded_doctor

ROOT = Path(__file__).parents[2]


def test_it_is_what_the_docstrings_say() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run `make docs`, and read the difference"


def test_every_record_has_a_section() -> None:
    assert re.findall(r"^### (\w+)$", TARGET.read_text(encoding="utf-8"), re.MULTILINE) == sorted(find_monitors())


def write(folder: Path, name: str, content: str) -> Path:
    """A file that nobody else may write to, in a folder of its own; the folder."""
    folder.mkdir(mode=0o755)
    write_into(folder, name, content)
    return folder


def write_into(folder: Path, name: str, content: str) -> None:
    """The same, in a folder that is there."""
    file = folder / name
    file.write_text(content, encoding="utf-8")
    file.chmod(0o644)


def doctor(*words: object) -> dict[str, Any]:
    """The JSON report of a run with these options."""
    command = [*preloaded_doctor(), *map(str, words), "--format", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


@pytest.mark.slow
def test_a_monitor_of_ones_own_is_read_judged_reported_and_kept(pipeline: Pipeline, tmp_path: Path) -> None:
    options = [
        "--checks",
        write(tmp_path / "my_checks", "check_disk.py", CHECK),
        "--monitors",
        write(tmp_path / "my_monitors", "monitor_disk.py", MONITOR),
        "--select",
        "home-space",
    ]
    kept = tmp_path / "evidence.json"
    live = doctor("--home", pipeline.home, "--redis-url", pipeline.redis_url, *options, "--save-evidence", kept)
    (finding,) = live["findings"]
    assert finding["id"] == "home-space"
    assert finding["observed"] == live["metrics"]["disk"]["free_mb"] > 0
    assert json.loads(kept.read_text())["records"]["disk"] == live["metrics"]["disk"]
    again = doctor("--from-evidence", kept, *options)
    assert again["metrics"]["disk"] == live["metrics"]["disk"]
    assert again["findings"] == live["findings"]


@pytest.mark.slow
def test_a_cause_of_ones_own_explains_a_finding(pipeline: Pipeline, tmp_path: Path) -> None:
    folder = write(tmp_path / "my_checks", "check_disk.py", CHECK.replace("yellow=5_000", "yellow=10**12"))
    write_into(folder, "cause_disk.py", CAUSE)
    options = ["--checks", folder, "--monitors", write(tmp_path / "my_monitors", "monitor_disk.py", MONITOR)]
    report = doctor("--home", pipeline.home, "--redis-url", pipeline.redis_url, *options)
    [cause] = [cause for cause in report["causes"] if cause["id"] == "old-logs"]
    assert cause["title"] == "Old logs fill the disk"
    assert cause["explains"] == ["home-space"]
    assert not cause["certain"]
    assert "old-logs" in report["known_causes"]
    [finding] = [finding for finding in report["findings"] if finding["id"] == "home-space"]
    assert finding["cause"] == "old-logs"


def test_a_monitor_in_the_home_needs_no_option(pipeline: Pipeline) -> None:
    write(pipeline.home / "checks", "check_disk.py", CHECK)
    write(pipeline.home / "monitors", "monitor_disk.py", MONITOR)
    report = doctor("--home", pipeline.home, "--redis-url", pipeline.redis_url, "--select", "home-space")
    assert report["metrics"]["disk"]["free_mb"] > 0


@pytest.mark.slow
def test_the_check_in_the_readme_works_as_it_stands(pipeline: Pipeline, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(
        r"^```python\n(from blueplane_doctor import Finding.*?)^```", readme, re.MULTILINE | re.DOTALL
    )
    folder = write(tmp_path / "mine", "check_crowd.py", example)
    report = doctor(
        "--home", pipeline.home, "--redis-url", pipeline.redis_url, "--checks", folder, "--select", "consumer-crowd"
    )
    (finding,) = report["findings"]
    assert (finding["id"], finding["area"], finding["status"]) == ("consumer-crowd", "queue", "green")


@pytest.mark.slow
@pytest.mark.parametrize("mode", [0o020, 0o002], ids=["group", "everybody"])
def test_a_monitor_that_others_may_change_is_refused(mode: int, pipeline: Pipeline, tmp_path: Path) -> None:
    folder = write(tmp_path / "my_monitors", "monitor_disk.py", MONITOR)
    file = folder / "monitor_disk.py"
    file.chmod(file.stat().st_mode | mode)
    report = doctor(
        "--home", pipeline.home, "--redis-url", pipeline.redis_url, "--monitors", folder, "--select", "queue-depth"
    )
    problem = next(finding for finding in report["findings"] if finding["id"] == "monitor-file:monitor_disk.py")
    assert problem["status"] == "error"
    assert "refused: other users may write to monitor_disk.py" in problem["cause"]
    assert "disk" not in report["metrics"]

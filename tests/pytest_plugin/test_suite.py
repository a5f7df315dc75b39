"""Which checks become tests, and under which ids."""

from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from tests.pytest_plugin.support import BUILT_IN, OWN_CHECK, examining, ids

ROOT = Path(__file__).parents[2]
SPY = """
import sys

def pytest_sessionfinish():
    print("MODULES", [name for name in sys.modules if name.startswith("check")])
"""
COLLECT = ("--blueplane", "--collect-only", "-q", "-p", "no:cacheprovider")


def collected(pytester: pytest.Pytester, *arguments: object) -> list[str]:
    """The ids that such a run collects."""
    return ids(pytester.runpytest_subprocess(*COLLECT, *map(str, arguments)))


def test_without_a_path_there_are_the_built_in_checks_beside_ones_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(check_own=OWN_CHECK, test_mine="def test_mine(): pass")
    found = collected(pytester)
    assert found[:2] == ["check_own.py::own-groups", "test_mine.py::test_mine"]
    assert set(found[2:]) == {f"blueplane::{check_id}" for check_id in BUILT_IN}


@pytest.mark.slow
def test_a_path_means_that_path_alone(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("health")
    (folder / "check_own.py").write_text(OWN_CHECK)
    assert collected(pytester, "health") == ["health/check_own.py::own-groups"]
    assert collected(pytester, "health/check_own.py::own-groups") == ["health/check_own.py::own-groups"]
    assert len(collected(pytester, "health", "blueplane")) == len(BUILT_IN) + 1


@pytest.mark.slow
def test_a_script_that_is_only_named_like_a_check_is_not_run(pytester: pytest.Pytester) -> None:
    pytester.mkdir("scripts").joinpath("check_links.py").write_text("open('was-run', 'w')\n")
    assert collected(pytester)
    assert not (pytester.path / "was-run").exists()
    collected(pytester, "scripts")
    assert (pytester.path / "was-run").exists(), "whoever names the folder means it"


@pytest.mark.slow
def test_the_settings_folders_are_collected(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = pytester.mkdir("elsewhere")
    (mine / "health.py").write_text(OWN_CHECK)
    assert "blueplane::own-groups" in collected(pytester, "--blueplane-checks", mine / "health.py")
    monkeypatch.setenv("BLUEPLANE_DOCTOR_CHECKS", str(mine / "health.py"))
    assert "blueplane::own-groups" in collected(pytester)


@pytest.mark.slow
def test_a_check_is_collected_once(pytester: pytest.Pytester) -> None:
    pytester.mkdir("health").joinpath("check_own.py").write_text(OWN_CHECK)
    found = collected(pytester, "--blueplane-checks", "health", "--blueplane-select", "mine")
    assert found == ["health/check_own.py::own-groups"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--blueplane-select", "queue-depth,wal-size"], {"queue-depth", "wal-size"}),
        (
            ["--blueplane-select", "redis", "--blueplane-ignore", "clock-*,redis-c*,redis-m*,redis-w*"],
            {"redis-durability", "redis-reachable"},
        ),
        (["-k", "queue-depth"], {"queue-depth"}),
        (["-m", "blueplane and not blueplane"], set()),
        (["blueplane::queue-depth"], {"queue-depth"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_selection(pytester: pytest.Pytester, arguments: list[str], expected: set[str]) -> None:
    assert set(collected(pytester, *arguments)) == {f"blueplane::{check_id}" for check_id in expected}


@pytest.mark.slow
def test_an_id_as_pytest_shows_it_from_a_folder_below(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]")
    pytester.chdir()
    below = pytester.mkdir("below")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(below)
        result = pytester.runpytest_subprocess(*COLLECT, "../blueplane::queue-depth")
    result.stdout.fnmatch_lines(["1 test collected*"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--blueplane-select", "quue"], "quue is no check, no area and no pattern; did you mean queue?"),
        (["blueplane::quue"], "not found: blueplane::quue"),
    ],
    ids=["select", "id"],
)
def test_what_means_no_check_is_refused(pytester: pytest.Pytester, arguments: list[str], told: str) -> None:
    result = pytester.runpytest_subprocess("--blueplane", *arguments)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"*{told}"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--blueplane-fail-on", "pink"], "--blueplane-fail-on: must be yellow, orange, red or never"),
        (["--blueplane-settings", "nowhere.yaml"], "*nowhere.yaml: no such file"),
        (["--blueplane-from-evidence", "nowhere.json"], "*nowhere.json cannot be read*"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_settings_that_cannot_be_used(pytester: pytest.Pytester, arguments: list[str], told: str) -> None:
    result = pytester.runpytest_subprocess("--blueplane", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {told}"])


@pytest.mark.slow
def test_checks_means_the_built_in_ones_where_there_is_no_such_folder(pytester: pytest.Pytester) -> None:
    assert set(collected(pytester, "checks/")) == {f"blueplane::{check_id}" for check_id in BUILT_IN}


@pytest.mark.slow
def test_inside_a_checkout_no_module_is_named_checks(
    pytester: pytest.Pytester, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(spy=SPY)
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")
    monkeypatch.chdir(ROOT)
    result = pytester.runpytest_subprocess(*examining(pipeline), "-p", "spy", "-v", "checks/", "checks/check_queue.py")
    result.stdout.fnmatch_lines(["checks/check_queue.py::queue-depth PASSED*", "*MODULES [[][]]*"])
    assert f"{len(BUILT_IN)} items" in result.stdout.str()


@pytest.mark.slow
def test_files_that_cannot_be_used_are_errors_among_the_others(pytester: pytest.Pytester, pipeline: Pipeline) -> None:
    folder = pytester.mkdir("health")
    (folder / "check_broken.py").write_text("1 / 0")
    (folder / "check_own.py").write_text(OWN_CHECK)
    (folder / "check_twin.py").write_text(OWN_CHECK)
    result = pytester.runpytest_subprocess(*examining(pipeline), "health", "-v")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines_random(
        [
            "health/check_own.py::own-groups PASSED*",
            "cause: *check_broken.py: line 1: ZeroDivisionError",
            "cause: *check_twin.py: check_own_groups: the id own-groups is taken by a check of *check_own.py",
        ]
    )

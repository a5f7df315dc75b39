"""`checks`: the list with its scales, one check in words, and files that cannot be loaded."""

import json
from pathlib import Path

import pytest
import yaml

from blueplane_doctor.plugins.discovery import find_checks
from tests.doctor_command import assert_refused, doctor
from tests.parameters import one_quick


@pytest.fixture
def empty_home(tmp_path: Path) -> list[str]:
    """Options that name a home, for a command that reads no Redis."""
    home = tmp_path / "home"
    home.mkdir()
    return ["--home", str(home)]


@pytest.mark.slow
def test_checks_lists_every_check(empty_home: list[str], tmp_path: Path) -> None:
    (tmp_path / "home" / "doctor.yaml").write_text("thresholds: {queue-depth: {yellow: 5}}")
    ended = doctor(*empty_home, "checks")
    assert (ended.returncode, ended.stderr) == (0, "")
    listed, _, causes = ended.stdout.partition("\n\n")
    rows = {line.split()[1]: line for line in listed.splitlines()[2:]}
    assert set(rows) == {spec.id for spec in find_checks().checks}
    named = [line.split()[1] for line in causes.splitlines()[2:]]
    assert sorted(named) == sorted(spec.id for spec in find_checks().causes)
    assert "redis-unreachable" in named
    assert "yellow ≥ 5 and < 10,000" in rows["queue-depth"]
    assert "doctor.yaml" in rows["queue-depth"]
    assert "default" in rows["wal-size"]


@pytest.mark.slow
def test_checks_names_files_that_cannot_be_loaded(empty_home: list[str], tmp_path: Path) -> None:
    bad = tmp_path / "check_bad.py"
    bad.write_text("\ndef check_x(:\n")
    bad.chmod(0o644)
    ended = doctor(*empty_home, "--checks", bad, "checks")
    assert ended.returncode == 3
    assert "check_bad.py: line 2: " in ended.stderr


@pytest.mark.slow
def test_checks_with_an_id_gives_words_scale_and_settings(empty_home: list[str]) -> None:
    ended = doctor(*empty_home, "checks", "queue-depth")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("queue-depth (queue)\n\nMessages that no writer has finished with.\n")
    assert "  yellow  ≥ 1,000 and < 10,000 messages\n" in ended.stdout
    assert ended.stdout.endswith(
        "Reads: queue, locations. Defined in: built-in.\n"
        "What it finds now, and what to do about it: blueplane-doctor --select queue-depth\n"
    )
    shown = ended.stdout.partition("doctor.yaml:\n\n")[2].partition("\n\n")[0]
    assert yaml.safe_load(shown) == {"thresholds": {"queue-depth": {"yellow": 1000, "orange": 10_000, "red": 50_000}}}


@pytest.mark.parametrize(
    ("word", "hint"),
    one_quick([("queue-depht", "did you mean queue-depth?"), ("xyzzy", "see: blueplane-doctor checks")]),
)
def test_checks_of_an_id_that_is_not_there(word: str, hint: str, empty_home: list[str]) -> None:
    assert_refused(doctor(*empty_home, "checks", word), 2, f"there is no check and no cause {word!r}", hint)


@pytest.mark.slow
def test_a_selection_lists_the_causes_that_it_can_show(empty_home: list[str]) -> None:
    ended = doctor(*empty_home, "-f", "json", "--select", "redis-reachable", "checks")
    kinds = [(one["kind"], one["id"]) for one in json.loads(ended.stdout)]
    assert kinds == [("check", "redis-reachable"), ("cause", "redis-unreachable")]


def test_a_cause_is_explained_by_its_signs_and_by_what_follows(empty_home: list[str]) -> None:
    ended = doctor(*empty_home, "checks", "redis-unreachable")
    assert (ended.returncode, ended.stderr) == (0, "")
    [spec] = [spec for spec in find_checks().causes if spec.id == "redis-unreachable"]
    assert ended.stdout.startswith(f"redis-unreachable (a cause, redis)\n\n{spec.title}.\n")
    assert "Shown by: redis-reachable\nMay bring: " in ended.stdout
    assert "Keeps other checks from being judged.\n" in ended.stdout
    assert "Whether it is there now: blueplane-doctor --select redis-reachable\n" in ended.stdout


@pytest.mark.slow
def test_checks_names_cause_files_with_mistakes(empty_home: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir(mode=0o755)
    bad = folder / "cause_bad.py"
    bad.write_text("\ndef cause_x(:\n")
    bad.chmod(0o644)
    ended = doctor(*empty_home, "--checks", folder, "checks")
    assert ended.returncode == 3
    assert "cause_bad.py: line 2: " in ended.stderr


@pytest.mark.slow
def test_an_id_that_a_check_and_a_cause_have_explains_both(empty_home: list[str]) -> None:
    ended = doctor(*empty_home, "checks", "retry-storm")
    assert ended.stdout.startswith("retry-storm (queue)\n")
    assert "\n\nretry-storm (a cause, messages)\n" in ended.stdout

"""The environment under which a command measures itself, and what is refused before it starts."""

import json
import os
from pathlib import Path

import pytest

from blueplane_doctor.errors import SettingsError, UsageError
from blueplane_doctor.pipeline import TARGETS
from blueplane_doctor.recording.instrumentation import VARIABLE, WARNER_VARIABLE
from blueplane_doctor.recording.launching import AUTOLOAD, check_url, environment_for, launch


def test_the_environment_is_put_first_and_only_once(tmp_path: Path) -> None:
    once = environment_for("redis://a", [], {"PYTHONPATH": "/x", WARNER_VARIABLE: "1"}, tmp_path)
    assert once["PYTHONPATH"] == os.pathsep.join([str(AUTOLOAD), "/x"])
    assert environment_for("redis://b", [], once, tmp_path)["PYTHONPATH"] == once["PYTHONPATH"]
    assert json.loads(environment_for("redis://b", [], once, tmp_path)[VARIABLE])["redis_url"] == "redis://b"
    assert WARNER_VARIABLE not in once


def test_targets_reach_the_command_with_all_that_is_computed_of_them(tmp_path: Path) -> None:
    passed = json.loads(environment_for("redis://a", TARGETS, {}, tmp_path)[VARIABLE])
    assert [target["where"] for target in passed["targets"]] == [target.where for target in TARGETS]
    assert all(target["modules"] and target["path"] for target in passed["targets"])


SECRET = "hunter2-s3cret"


@pytest.mark.parametrize(
    "url",
    [f"redis://:{SECRET}@h:1/0", f"redis://{SECRET}@h:1/0", f"redis://:{SECRET}/?@h", f"unix:///s?password={SECRET}"],
    ids=["password", "as-user-name", "odd", "parameter"],
)
def test_a_password_is_in_a_private_file_and_in_no_environment(url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    given = {"BLUEPLANE_DOCTOR_REDIS_URL": url, "BLUEPLANE_DOCTOR_HOME": str(home)}
    measured = environment_for(url, [], given, home)
    assert SECRET not in json.dumps(measured)
    assert measured["BLUEPLANE_DOCTOR_HOME"] == str(home)
    (file,) = home.iterdir()
    assert json.loads(measured[VARIABLE])["redis_url_file"] == str(file)
    assert file.read_text() == url
    assert (file.stat().st_mode & 0o777, home.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_changed_password_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    files = set()
    for url in ("redis://:old@h:1/0", "redis://:new@h:1/0?db=0", "redis://:new@h:2/0"):
        files.add(json.loads(environment_for(url, [], {}, tmp_path)[VARIABLE])["redis_url_file"])
    assert len(files) == 2
    assert {Path(file).name for file in files} == {path.name for path in tmp_path.iterdir()}


def test_a_home_that_cannot_hold_the_password_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        environment_for(f"redis://:{SECRET}@h", [], {}, tmp_path / "home")


def test_a_home_of_others_does_not_say_where_is_recorded(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(UsageError, match="others decide"):
        environment_for(f"redis://:{SECRET}@h", [], {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_is_refused_before_the_command_runs() -> None:
    check_url("redis://localhost:6379/0")
    with pytest.raises(SettingsError, match="not in a cluster"):
        check_url("redis+cluster://localhost:7000")


def test_a_command_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be run"):
        launch(["/nowhere/program"], dict(os.environ))

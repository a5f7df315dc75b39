"""The environment under which a command measures itself, and what is refused before it starts."""

import json
import os

import pytest

from blueplane_doctor.errors import SettingsError, UsageError
from blueplane_doctor.pipeline import TARGETS
from blueplane_doctor.recording.instrumentation import VARIABLE, WARNER_VARIABLE
from blueplane_doctor.recording.launching import AUTOLOAD, check_url, environment_for, launch


def test_the_environment_is_put_first_and_only_once() -> None:
    once = environment_for("redis://a", [], {"PYTHONPATH": "/x", WARNER_VARIABLE: "1"})
    assert once["PYTHONPATH"] == os.pathsep.join([str(AUTOLOAD), "/x"])
    assert environment_for("redis://b", [], once)["PYTHONPATH"] == once["PYTHONPATH"]
    assert json.loads(environment_for("redis://b", [], once)[VARIABLE])["redis_url"] == "redis://b"
    assert WARNER_VARIABLE not in once


def test_targets_reach_the_command_with_all_that_is_computed_of_them() -> None:
    passed = json.loads(environment_for("redis://a", TARGETS, {})[VARIABLE])
    assert [target["where"] for target in passed["targets"]] == [target.where for target in TARGETS]
    assert all(target["modules"] and target["path"] for target in passed["targets"])


def test_a_cluster_is_refused_before_the_command_runs() -> None:
    check_url("redis://localhost:6379/0")
    with pytest.raises(SettingsError, match="not in a cluster"):
        check_url("redis+cluster://localhost:7000")


def test_a_command_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be run"):
        launch(["/nowhere/program"], dict(os.environ))

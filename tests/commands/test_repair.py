"""`repair` as a process: a plan, and what is done with it."""

import json

import pytest

from blueplane_doctor.commands import repair as command
from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from tests.doctor_command import Ended, assert_refused, run
from tests.repair.pipelines import living, store_of, writers_at_work
from tests.repair.test_store import PLAN


def repair(pipeline: Pipeline, *words: str) -> Ended:
    return run(["--home", str(pipeline.home), "--redis-url", pipeline.redis_url, "repair", *words])


def test_a_plan_and_its_application(pipeline: Pipeline) -> None:
    with living(pipeline) as lives:
        FAULTS["poison-duplicate"].apply(lives)
        plan = repair(lives)
        assert plan.returncode == 0, plan.stderr
        (identity,) = store_of(lives).ids()
        assert f"Plan {identity}" in plan.stdout
        # As it is printed it finds the same pipeline; a socket's path and another home stay as placeholders in a file.
        command = f"Do it: blueplane-doctor --home <home> --redis-url <redis-url> repair --apply {identity}"
        assert command in plan.stdout
        assert_refused(repair(lives, "--apply", identity), 2, "nobody can be asked here")
        with writers_at_work(lives):
            done = repair(lives, "--apply", identity, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "delivered   39" in done.stdout
        assert repair(lives, identity).stdout.count("(stuck)") == 42  # two lines of the plan, and each of 40 items
        assert identity in repair(lives, "--list").stdout


def test_a_plan_as_json(pipeline: Pipeline) -> None:
    with living(pipeline) as lives:
        FAULTS["malformed-payloads"].apply(lives)
        plan = json.loads(repair(lives, "lost", "--format", "json").stdout)
    assert {item["action"] for item in plan["items"]} == {"keep"}


def test_what_was_done_as_json(pipeline: Pipeline) -> None:
    with living(pipeline) as lives:
        FAULTS["poison-duplicate"].apply(lives)
        saved = json.loads(repair(lives, "--save-only", "-f", "json").stdout)
        assert {item["action"] for item in saved["items"]} == {"keep"}
        plan = json.loads(repair(lives, "-f", "json").stdout)
        done = json.loads(repair(lives, "--apply", plan["id"], "--yes", "-f", "json").stdout)
        assert (done["plan"], done["done"]) == (plan["id"], {"delivered": 39, "set aside": 1})
        undone = json.loads(repair(lives, "--undo", plan["id"], "--yes", "-f", "json").stdout)
        assert undone == {"plan": plan["id"], "taken_back": 40, "stays": {}}
        listed = json.loads(repair(lives, "--list", "-f", "json").stdout)
        (kept,) = [one for one in listed if one["plan"] == plan["id"]]
        assert (kept["items"], kept["result"]["taken_back"]) == (40, 40)


def test_a_plan_that_cannot_be_read_is_said_and_the_others_are_listed(pipeline: Pipeline) -> None:
    store = store_of(pipeline)
    store.keep(PLAN)
    broken = store.keep(PLAN.model_copy(update={"id": "ffff"}))
    (broken.folder / "plan.json").write_text("{}")
    listed = repair(pipeline, "--list")
    assert (listed.returncode, listed.stdout.count("not applied")) == (0, 1)
    assert "no plan that can be read" in listed.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["stuk"], "did you mean stuck?", id="no such target"),
        pytest.param(["--apply", "zzzz", "--yes"], "there is no plan zzzz", id="no such plan"),
        pytest.param(["--newer-than", "soon"], "--newer-than", id="no age"),
        pytest.param(["--apply", "zzzz", "--yes", "--rate", "fast"], "--rate fast", id="no rate"),
        *(
            pytest.param(["--apply", "zzzz", "--yes", f"--rate={rate}"], f"--rate {rate}", id=f"rate {rate}")
            for rate in ("0", "-1", "nan", "inf", "1e-300", "0.01")
        ),
        pytest.param(["stuck", "--apply", "zzzz", "--yes"], "narrow a new plan", id="a target of a plan"),
        pytest.param(["--apply", "zzzz", "--yes", "--group", "g"], "narrow a new plan", id="a filter of a plan"),
        pytest.param(["--apply", "zzzz", "--yes", "--save-only"], "exclude each other", id="applied and saved only"),
        pytest.param(["--apply", "--timeout", "5"], "--apply needs the ID of a plan behind it", id="no plan to apply"),
        pytest.param(["--undo", "--yes"], "--undo needs the ID of a plan behind it", id="no plan to take back"),
        pytest.param(["--apply", "zzzz", "--undo", "zzzz"], "exclude each other", id="applied and taken back"),
        pytest.param(["--apply", "../../x", "--yes"], "there is no plan ../../x", id="a path for a plan"),
    ],
)
def test_mistakes(pipeline: Pipeline, words: list[str], said: str) -> None:
    assert_refused(repair(pipeline, *words), 2, said)


def test_another_database_of_the_same_redis_is_not_written_to(pipeline: Pipeline) -> None:
    other = f"{pipeline.redis_url}?db=5"
    with living(pipeline) as lives:
        FAULTS["poison-duplicate"].apply(lives)
        plan = json.loads(repair(lives, "-f", "json").stdout)
        for step in ("--apply", "--undo"):
            refused = repair(lives, step, plan["id"], "--yes", "--write-url", other)
            assert refused.returncode != 0
            assert "is not the one that was examined" in refused.stderr
        assert lives.client.info("keyspace").keys() == {"db0"}


def test_a_no_is_answered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "confirmed", lambda question, hint: False)
    assert not command._agreed("Apply it?")
    assert capsys.readouterr().err == "Nothing was changed.\n"

"""Who may change the examined pipeline: `repair` with a user of its own, and nothing else."""

import ast
from pathlib import Path

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import ExitCode, SourceRefused
from blueplane_doctor.repair.applying import RIGHTS
from blueplane_doctor.repair.running import run_plan, save_alone
from blueplane_doctor.settings.values import Settings
from tests.doctor_command import run
from tests.helpers import settings_for
from tests.repair.pipelines import planned, store_of, writers_at_work

ROOT = Path(__file__).parents[2]
READ_ONLY = (
    "-@all +ping +info +xlen +xpending +xrange +xrevrange +xinfo|stream +xinfo|groups +xinfo|consumers +multi +exec "
    "%R~telemetry:*"
)
"""docs/design: what the doctor itself needs."""
WITH_A_WRITING_CONNECTION = {
    "blueplane_doctor.history.health_storage": "keys of its own prefix",
    "blueplane_doctor.history.status_log": "keys of its own prefix",
    "blueplane_doctor.history.stream_store": "keys of its own prefix",
    "blueplane_doctor.history.timeseries_store": "keys of its own prefix",
    "blueplane_doctor.installing.redis_step": "makes the stream and groups that are missing, by `install`",
    "blueplane_doctor.recording.delivery": "keys of its own prefix",
    "blueplane_doctor.judging.sampler": "keys of its own prefix",
    "blueplane_doctor.sources.redis_room": "asks INFO before somebody else writes",
    "blueplane_doctor.sources.redis_source": "refuses every command that is not in READ_COMMANDS",
}
"""Modules outside repair/ and connection/ that open or are handed a connection, and why they may."""


def user(pipeline: Pipeline, rights: str) -> str:
    """The pipeline's URL with a user of these rights."""
    pipeline.client.execute_command("ACL", "SETUSER", "tester", "reset", "on", ">secret", *rights.split())
    return pipeline.redis_url.replace("unix://", "unix://tester:secret@").replace("redis://", "redis://tester:secret@")


def with_url(pipeline: Pipeline, url: str) -> Settings:
    return settings_for(pipeline).model_copy(update={"redis_url": url})


def test_the_user_that_the_plan_prints_can_do_all_of_it(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    url = user(live_pipeline, RIGHTS)
    with writers_at_work(live_pipeline):
        outcome = run_plan(with_url(live_pipeline, url), store_of(live_pipeline), plan.id, url, patience=20)
    assert outcome.exit_code is ExitCode.OK, outcome.text


def test_with_rights_to_read_messages_are_saved_and_nothing_is_changed(live_pipeline: Pipeline) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    plan = planned(live_pipeline)
    url = user(live_pipeline, READ_ONLY)
    settings = with_url(live_pipeline, url)
    store = store_of(live_pipeline)
    assert save_alone(settings, plan, store.files(plan.id)) == 40
    with pytest.raises(SourceRefused) as error:
        run_plan(settings, store, plan.id, url)
    assert "ACL SETUSER" in error.value.hint
    assert live_pipeline.client.xlen(live_pipeline.queue) == 40


def test_modules_that_could_write_to_redis_are_known() -> None:
    """All others get RedisSource, which sends what reads and nothing else."""
    found = set()
    for file in sorted((ROOT / "blueplane_doctor").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        if module.startswith(("blueplane_doctor.connection.", "blueplane_doctor.repair.")):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "blueplane_doctor.connection.redis_connection":
                found.add(module)
    assert found == set(WITH_A_WRITING_CONNECTION)


def test_modules_that_could_write_to_a_database_are_known() -> None:
    """The examined one is opened by DatabaseSource alone, `mode=ro`; the installer makes one where there is none."""
    found = set()
    for file in sorted((ROOT / "blueplane_doctor").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        if "sqlite3.connect(" in file.read_text(encoding="utf-8") and ".demo." not in module:
            found.add(module)
    assert found == {"blueplane_doctor.sources.database_source"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dlq", "list"],
        ["dlq", "stats"],
        ["trace", "--state", "stuck"],
        ["history"],
        ["settings"],
        ["support"],
        ["checks"],
        ["repair"],
        ["repair", "--save-only"],
        ["repair", "--list"],
    ],
    ids=" ".join,
)
def test_no_other_command_changes_the_pipeline(live_pipeline: Pipeline, tmp_path: Path, words: list[str]) -> None:
    FAULTS["poison-duplicate"].apply(live_pipeline)
    before = _content(live_pipeline)
    command = ["--home", str(live_pipeline.home), "--redis-url", live_pipeline.redis_url, *words]
    run(command, cwd=tmp_path)
    assert _content(live_pipeline) == before


def _content(pipeline: Pipeline) -> tuple[dict[str, object], bytes]:
    keys = {str(name): pipeline.client.dump(name) for name in pipeline.client.scan_iter()}
    return keys, pipeline.database.read_bytes()

"""`support`: one zip that lists what is in it, is the same for the same evidence, and replaces nothing by surprise."""

import json
import os
import stat
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from blueplane_doctor.cli import app
from blueplane_doctor.demo.faults import poison_duplicate
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.diagnose import Doctor
from blueplane_doctor.settings import load
from blueplane_doctor.support.bundle import MANIFEST, bundled, described, settings_list, zipped

KNOWN = frozenset({"queue-depth"})
FILES = {
    *(MANIFEST, "evidence.json", "report.html", "report.json"),
    *("server-log-errors.txt", "settings.json", "versions.json"),
}


def support(pipeline: Pipeline, output: Path) -> Result:
    before = ["--home", str(pipeline.home), "--redis-url", pipeline.redis_url]
    return CliRunner().invoke(app, [*before, "support", "-o", str(output)])


def test_a_sick_pipeline_gives_a_whole_bundle_and_exit_code_0(pipeline: Pipeline, tmp_path: Path) -> None:
    poison_duplicate(pipeline)
    pipeline.log("ERROR", "Failed to write batch")
    output = tmp_path / "bundle.zip"
    ended = support(pipeline, output)
    assert ended.exit_code == 0, ended.output
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    with zipfile.ZipFile(output) as bundle:
        assert set(bundle.namelist()) == FILES
        files = {name: bundle.read(name) for name in FILES}
    manifest = json.loads(files[MANIFEST])
    for one in manifest["files"]:
        content = files.pop(one["name"])
        assert (one["bytes"], one["sha256"]) == (len(content), sha256(content).hexdigest())
    assert set(files) == {MANIFEST}
    assert all(reason in ended.stdout for reason in manifest["left_out"])
    assert all(name in ended.stdout for name in FILES)


def test_its_evidence_gives_its_report(pipeline: Pipeline, tmp_path: Path) -> None:
    support(pipeline, tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        bundle.extractall(tmp_path)
    again = ["--from-evidence", str(tmp_path / "evidence.json"), "--format", "json", "--home", str(pipeline.home)]
    assert CliRunner().invoke(app, again).stdout == (tmp_path / "report.json").read_text(encoding="utf-8")


def test_the_same_evidence_gives_the_same_bytes(pipeline: Pipeline) -> None:
    loaded = load({"home": pipeline.home, "redis_url": pipeline.redis_url})
    doctor = Doctor(loaded.settings)
    evidence = doctor.collect()
    made = []
    for _ in range(2):
        bundle = bundled(evidence, doctor.judge(evidence), loaded, doctor.checks)
        made.append(zipped(bundle.files))
    assert made[0] == made[1]


def test_an_earlier_bundle_is_replaced_and_nothing_else(pipeline: Pipeline, tmp_path: Path) -> None:
    output = tmp_path / "bundle.zip"
    assert support(pipeline, output).exit_code == 0
    assert support(pipeline, output).exit_code == 0
    with zipfile.ZipFile(output, "w") as photos:
        photos.writestr("photo.jpg", b"x")
    kept = output.read_bytes()
    ended = support(pipeline, output)
    assert ended.exit_code == 2
    assert "exists and is no support bundle" in ended.stderr
    assert output.read_bytes() == kept


@pytest.mark.parametrize("name", ["bundle.tar", "no/such/folder/bundle.zip"])
def test_a_place_that_cannot_be_used_is_a_usage_error(name: str, pipeline: Pipeline, tmp_path: Path) -> None:
    assert support(pipeline, tmp_path / name).exit_code == 2
    assert not list(tmp_path.glob("**/bundle*"))


def test_a_pipeline_that_is_gone_gives_a_bundle_too(tmp_path: Path) -> None:
    arguments = ["--home", str(tmp_path), "--redis-url", "redis://127.0.0.1:1/0", "support"]
    folder = Path.cwd()
    os.chdir(tmp_path)
    try:
        ended = CliRunner().invoke(app, arguments)
    finally:
        os.chdir(folder)
    assert ended.exit_code == 0
    assert "the server's log: it cannot be read" in ended.stdout
    assert (tmp_path / "blueplane-support.zip").is_file()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, 5),
        (None, None),
        ("queue-depth", "queue-depth"),
        ("telemetry:message_queue", "telemetry:message_queue"),
        ("jo's own", "(not shown, 8 characters)"),
        (["queue-depth", "jo"], ["queue-depth", "(not shown, 2 characters)"]),
        ({"id": "jo", "a b": 1}, {"id": "(not shown, 2 characters)", "other": 1}),
        ("redis://jo:pw@db1.corp:6380/0?password=x", "redis://***@***:6380"),
        ("redis://localhost:6379/0", "redis://localhost:6379"),
        ("unix:///home/jo/redis.sock", "unix://"),
        ("redis+sentinel://:pw@a:1,b:2/jo", "(not shown: a URL)"),
    ],
)
def test_what_is_not_known_is_only_measured(value: Any, shown: Any) -> None:
    assert described(value, KNOWN | {"telemetry:message_queue"}) == shown


def test_every_setting_stands_there_with_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jo.yaml").write_text("fail_on: red\nthresholds: {queue-depth: {red: 5}}\n")
    monkeypatch.setenv("BLUEPLANE_DOCTOR_TIMEOUT", "9")
    listed = settings_list(load({"home": tmp_path}, file=tmp_path / "jo.yaml"), KNOWN)
    by_name = {one["setting"]: (one["value"], one["from"]) for one in listed}
    assert by_name["fail_on"] == ("red", "a settings file")
    assert by_name["thresholds.queue-depth.red"] == (5.0, "a settings file")
    assert by_name["timeout"] == (9.0, "BLUEPLANE_DOCTOR_TIMEOUT")
    assert by_name["cursor_hooks"] == ("~/.cursor/hooks.json", "default")
    assert by_name["home"] == (f"(not shown, {len(str(tmp_path))} characters)", "flag")

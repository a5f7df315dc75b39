"""`support`: one zip that lists what is in it, and replaces nothing by surprise."""

import json
import os
import stat
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from blueplane_doctor.cli import app
from blueplane_doctor.demo.faults import poison_duplicate
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.support.bundle import MANIFEST

FILES = {
    *(MANIFEST, "evidence.json", "report.html", "report.json"),
    *("server-log-errors.txt", "settings.json", "versions.json"),
}


def support(pipeline: Pipeline, output: Path) -> Result:
    before = ["--home", str(pipeline.home), "--redis-url", pipeline.redis_url]
    return CliRunner().invoke(app, [*before, "support", "-o", str(output)])


def test_an_unhealthy_pipeline_gives_a_whole_bundle_and_exit_code_0(pipeline: Pipeline, tmp_path: Path) -> None:
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

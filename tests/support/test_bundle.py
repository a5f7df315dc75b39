"""The bundle: the same bytes for the same evidence, and of the settings what says nothing private."""

import json
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.errors import UsageError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.settings.values import load
from blueplane_doctor.support.bundle import KIND, MANIFEST, bundled, described, refuse_strangers, settings_list, zipped
from tests.hostile_files import HOSTILE, put

KNOWN = frozenset({"queue-depth"})


def test_the_same_evidence_gives_the_same_bytes(pipeline: Pipeline) -> None:
    loaded = load({"home": pipeline.home, "redis_url": pipeline.redis_url})
    doctor = Doctor(loaded.settings)
    evidence = doctor.collect()
    made = []
    for _ in range(2):
        bundle = bundled(evidence, doctor.judge(evidence), loaded, doctor.available)
        made.append(zipped(bundle.files))
    assert made[0] == made[1]


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
    monkeypatch.setenv("BLUEPLANE_DOCTOR_THRESHOLDS", '{"jo-depth": {"red": 6}}')
    listed = settings_list(load({"home": tmp_path}, file=tmp_path / "jo.yaml"), KNOWN)
    assert {"setting": "thresholds.other.red", "value": 6.0, "from": "BLUEPLANE_DOCTOR_THRESHOLDS"} in listed
    by_name = {one["setting"]: (one["value"], one["from"]) for one in listed}
    assert by_name["fail_on"] == ("red", "a settings file")
    assert by_name["thresholds.queue-depth.red"] == (5.0, "a settings file")
    assert by_name["timeout"] == (9.0, "BLUEPLANE_DOCTOR_TIMEOUT")
    assert by_name["cursor_hooks"] == ("~/.cursor/hooks.json", "default")
    assert by_name["home"] == (f"(not shown, {len(str(tmp_path))} characters)", "flag")


MANIFEST_TEXT = json.dumps({"kind": KIND}).encode()


def test_an_earlier_bundle_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(zipped({MANIFEST: MANIFEST_TEXT}))
    refuse_strangers(tmp_path / "b.zip")
    refuse_strangers(tmp_path / "none.zip")


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_zip_stays(tmp_path: Path, kind: str) -> None:
    put(kind, tmp_path / "b.zip")
    with pytest.raises(UsageError, match="is no support bundle"):
        refuse_strangers(tmp_path / "b.zip")


def damaged() -> bytes:
    """A bundle whose compressed bytes are others."""
    content = bytearray(zipped({MANIFEST: MANIFEST_TEXT * 100}))
    content[50:60] = bytes(10)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(zipped({"other": b"x"}), id="no-manifest"),
        pytest.param(zipped({MANIFEST: b"[1]"}), id="a-list"),
        pytest.param(zipped({MANIFEST: b"[" * 90_000}), id="deep"),
        pytest.param(zipped({MANIFEST: b"\xff"}), id="no-text"),
        pytest.param(zipped({MANIFEST: MANIFEST_TEXT})[:-30], id="cut"),
        pytest.param(damaged(), id="damaged"),
    ],
)
def test_what_is_no_bundle_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(UsageError, match="is no support bundle"):
        refuse_strangers(tmp_path / "b.zip")


@pytest.mark.slow
def test_a_zip_that_unpacks_to_a_gigabyte_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(MANIFEST, "w") as file:
        for _ in range(1_000):
            file.write(b" " * 1_000_000)
    assert path.stat().st_size < 1_500_000
    program = (
        "import sys\nfrom pathlib import Path\nfrom blueplane_doctor.errors import UsageError\n"
        "from blueplane_doctor.support.bundle import refuse_strangers\n"
        "try:\n    refuse_strangers(Path(sys.argv[1]))\nexcept UsageError as error:\n    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000)),
    )
    assert "is no support bundle" in ended.stdout, ended.stderr

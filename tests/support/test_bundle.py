"""The bundle: the same bytes for the same evidence, and of the settings what says nothing private."""

from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.diagnose import Doctor
from blueplane_doctor.settings import load
from blueplane_doctor.support.bundle import bundled, described, settings_list, zipped

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
    listed = settings_list(load({"home": tmp_path}, file=tmp_path / "jo.yaml"), KNOWN)
    by_name = {one["setting"]: (one["value"], one["from"]) for one in listed}
    assert by_name["fail_on"] == ("red", "a settings file")
    assert by_name["thresholds.queue-depth.red"] == (5.0, "a settings file")
    assert by_name["timeout"] == (9.0, "BLUEPLANE_DOCTOR_TIMEOUT")
    assert by_name["cursor_hooks"] == ("~/.cursor/hooks.json", "default")
    assert by_name["home"] == (f"(not shown, {len(str(tmp_path))} characters)", "flag")

"""The main job from outside: evidence kept and judged again, baselines, waivers, waiting."""

import json
import subprocess
import threading
import time
from pathlib import Path

import pytest

from blueplane_doctor.demo.faults import FAULTS, healthy
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.judging.evidence import to_json
from blueplane_doctor.judging.kept import evidence_from
from tests.parameters import one_quick
from tests.preloaded import preloaded_doctor

SELECT = ("--select", "chain,queue,dead-letters")


def doctor(*words: object) -> subprocess.CompletedProcess[str]:
    command = [*preloaded_doctor(), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def live(pipeline: Pipeline, *words: object) -> subprocess.CompletedProcess[str]:
    return doctor("--home", pipeline.home, "--redis-url", pipeline.redis_url, *SELECT, *words)


@pytest.mark.parametrize(
    "form", one_quick(["json", "table", "html", "junit", "markdown", "nagios", "prometheus", "github"])
)
def test_kept_evidence_gives_the_same_bytes(form: str, pipeline: Pipeline, tmp_path: Path) -> None:
    healthy(pipeline)
    FAULTS["malformed-payloads"].apply(pipeline)
    kept = tmp_path / "evidence.json"
    first = live(pipeline, "--format", form, "--save-evidence", kept)
    again = doctor(
        "--home", tmp_path, "--redis-url", "redis://127.0.0.1:1", "--from-evidence", kept, *SELECT, "-f", form
    )
    assert first.returncode == again.returncode
    assert again.returncode != 0
    assert again.stdout == first.stdout
    assert PRIVATE_TEXT not in kept.read_text()


@pytest.mark.slow
def test_kept_evidence_is_judged_by_other_settings(pipeline: Pipeline, tmp_path: Path) -> None:
    healthy(pipeline)
    kept, settings = tmp_path / "evidence.json", tmp_path / "doctor.yaml"
    assert live(pipeline, "--save-evidence", kept).returncode == 0
    settings.write_text("thresholds: {retry-storm: {yellow: null, orange: null, red: 0.5}}\nignore: [capture]")
    pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    assert live(pipeline, "--save-evidence", kept).returncode == 0
    again = doctor("--from-evidence", kept, "--settings", settings, *SELECT, "-f", "json")
    assert [f["id"] for f in json.loads(again.stdout)["findings"] if f["status"] == "red"] == ["retry-storm"]
    assert json.loads(again.stdout)["other_thresholds"] == ["retry-storm"]
    table = doctor("--from-evidence", kept, "--settings", settings, *SELECT)
    assert "other thresholds than those in force when the evidence was taken: retry-storm" in table.stdout


@pytest.mark.slow
def test_evidence_survives_the_way_through_json(pipeline: Pipeline, tmp_path: Path) -> None:
    healthy(pipeline)
    kept = tmp_path / "evidence.json"
    live(pipeline, "--save-evidence", kept)
    assert to_json(evidence_from(kept.read_bytes(), kept)) == kept.read_text()


@pytest.mark.slow
def test_a_baseline_lets_only_new_findings_fail(pipeline: Pipeline, tmp_path: Path) -> None:
    healthy(pipeline)
    FAULTS["malformed-payloads"].apply(pipeline)
    before = tmp_path / "before.json"
    assert live(pipeline, "-o", before).returncode == 1
    same = live(pipeline, "--baseline", before, "--fail-on", "new:orange")
    assert same.returncode == 0
    assert "chain-breaks (same)" in same.stdout
    FAULTS["dead-letter-growth"].apply(pipeline)
    new = live(pipeline, "--baseline", before, "--fail-on", "new:orange")
    assert new.returncode == 1
    assert "dead-letters (new)" in new.stdout
    assert live(pipeline, "--fail-on", "new:orange").returncode == 2, "there is nothing to compare with"


@pytest.mark.slow
def test_waiting_ends_when_all_is_well(pipeline: Pipeline) -> None:
    healthy(pipeline)
    pipeline.enqueue_cursor(12)
    entries = pipeline.deliver("processors", count=12)
    pipeline.age_pending("processors", milliseconds=60_000)

    def mend() -> None:
        time.sleep(2)
        pipeline.write(entries)
        pipeline.acknowledge("processors", [identity for identity, _ in entries])
        pipeline.drain()

    threading.Thread(target=mend).start()
    began = time.monotonic()
    assert live(pipeline, "--wait", "30s", "--every", "0.3s", "-q").returncode == 0
    assert 1.5 < time.monotonic() - began < 25


@pytest.mark.slow
def test_waiting_in_vain_ends_with_the_last_report(pipeline: Pipeline) -> None:
    FAULTS["malformed-payloads"].apply(pipeline)
    done = live(pipeline, "--wait", "1s", "--every", "0.2s", "-q")
    assert done.returncode == 1
    assert done.stdout.startswith("RED")


@pytest.mark.slow
@pytest.mark.parametrize("word", ["soon", "-1s", "5x", "inf"])
def test_a_span_that_is_none_is_refused(word: str) -> None:
    done = doctor("--wait", word)
    assert done.returncode == 2
    assert "not a span of time" in done.stderr


def test_nagios_never_takes_a_bad_setting_for_a_critical_pipeline(tmp_path: Path) -> None:
    done = doctor("--settings", tmp_path / "nowhere.yaml", "--format", "nagios")
    assert done.returncode == 3
    assert done.stdout.startswith("BLUEPLANE UNKNOWN - ")


@pytest.mark.slow
def test_older_evidence_skips_what_it_does_not_hold(pipeline: Pipeline, tmp_path: Path) -> None:
    kept = tmp_path / "evidence.json"
    live(pipeline, "--save-evidence", kept)
    again = doctor("--from-evidence", kept, "--select", "clock-skew", "-f", "json")
    (finding,) = json.loads(again.stdout)["findings"]
    assert (finding["status"], finding["cause"]) == ("skipped", "the kept evidence does not hold it")

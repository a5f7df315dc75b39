"""The headline is never better than what was judged, and every face says the same words."""

import json
from pathlib import Path

import pytest

from blueplane_doctor.model import Finding, Status, Waiver
from blueplane_doctor.verdict import VITAL, headline_of, status_of
from tests.checks.builders import built_in
from tests.truth.situation import Situation

pytestmark = pytest.mark.server


def found(check_id: str, status: str) -> Finding:
    return Finding(id=check_id, status=Status(status), summary="s", cause="why")


def run_of(**statuses: str) -> list[Finding]:
    given = dict.fromkeys(VITAL, "green") | {name.replace("_", "-"): status for name, status in statuses.items()}
    return [found(name, status) for name, status in given.items()]


@pytest.mark.parametrize("check_id", VITAL)
@pytest.mark.parametrize("status", ["unknown", "skipped", "error"])
def test_without_a_vital_verdict_nothing_is_healthy(check_id: str, status: str) -> None:
    assert check_id in built_in()
    findings = run_of(**{check_id: status})
    assert status_of(findings) is Status.UNKNOWN
    assert status_of([*findings, found("wal-size", "yellow")]) is Status.UNKNOWN
    assert status_of([*findings, found("wal-size", "orange")]) is Status.ORANGE
    assert status_of([*findings, found("wal-size", "red")]) is Status.RED
    assert "healthy is not known" in headline_of(findings) and check_id in headline_of(findings)


def test_what_is_not_vital_or_waived_hides_no_verdict() -> None:
    assert status_of(run_of(server_errors="unknown")) is Status.GREEN
    waived = found("queue-depth", "unknown").model_copy(update={"waiver": Waiver(reason="known")})
    assert status_of([found("redis-reachable", "green"), waived]) is Status.GREEN


def test_what_is_waived_or_broke_is_no_part_of_a_healthy_pipeline() -> None:
    green = run_of()
    waived = [
        found(name, status).model_copy(update={"waiver": Waiver(reason="known")})
        for name, status in [("a", "red"), ("chain-breaks", "skipped"), ("b", "green"), ("c", "unknown")]
    ]
    healthy = "the pipeline is healthy"
    assert headline_of([*green, *waived]) == f"{healthy}, but for what is waived: a (red), chain-breaks (skipped)"
    broken = [found(name, "error") for name in "wxyz"]
    expected = f"{healthy}, as far as it could be judged: 4 checks broke (w, x, y and 1 more)"
    assert headline_of([*green, *broken]) == expected
    assert headline_of([*green, *waived, *broken, found("d", "red")]) == "the pipeline is unhealthy"
    assert headline_of(waived[:1], 32) == "1 of 33 checks ran, and is waived"
    assert headline_of(waived[:2], 31) == "2 of 33 checks ran, and all are waived"


@pytest.mark.parametrize(
    ("findings", "left_out", "headline"),
    [
        ([found("disk-space", "green")], 32, "1 of 33 checks ran, and is green"),
        ([found("disk-space", "red")], 32, "1 of 33 checks ran, and is red"),
        ([found("disk-space", "unknown")], 32, "1 of 33 checks ran, and could not be judged"),
        ([found("a", "green"), found("b", "green")], 31, "2 of 33 checks ran, and all are green"),
        ([found("a", "green"), found("b", "orange")], 31, "2 of 33 checks ran, and the worst is orange"),
        ([found("a", "green"), found("b", "unknown")], 31, "2 of 33 checks ran, and the worst is green"),
    ],
)
def test_a_selection_says_what_it_is(findings: list[Finding], left_out: int, headline: str) -> None:
    assert headline_of(findings, left_out) == headline


def test_a_selection_never_says_that_the_pipeline_is_healthy(tmp_path: Path) -> None:
    with Situation("redis-7.0", tmp_path / "p") as situation:
        situation.live_server()
        situation.healthy_work()
        examination = situation.doctor("--select", "wal-size")
        assert examination.exit_code == 0
        available = len(built_in())
        assert examination.report["headline"] == f"1 of {available} checks ran, and is green"
        table = situation.doctor("--select", "wal-size", "--format", "table").stdout
        assert "1 of" in table and "healthy" not in table and "Custody" not in table


def test_an_empty_home_has_no_blueplane(tmp_path: Path) -> None:
    with Situation("redis-7.0", tmp_path / "p") as situation:
        situation.client.flushall()
        home = tmp_path / "nobody"
        home.mkdir()
        where = ("--home", str(home / ".blueplane"))
        nobody = {"BLUEPLANE_DOCTOR_HTTP_URL": "http://127.0.0.1:1"}
        examination = situation.doctor(*where, **nobody)
        assert examination.exit_code == 3
        assert examination.report["status"] == "unknown"
        assert examination.report["headline"].startswith("No Blueplane found in ")
        table = situation.doctor(*where, "--format", "table", **nobody)
        assert table.exit_code == 3
        assert table.stdout.startswith("UNKNOWN: No Blueplane found in ")
        assert "start the Blueplane server once" in json.dumps(examination.report)
        assert examination.report["counts"]["red"] == 0

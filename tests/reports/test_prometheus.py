"""The text format, through Prometheus' own linter and parser."""

import os
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from blueplane_doctor.model import Report, Status
from blueplane_doctor.monitoring.chain_of_custody import ChainHealth
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.prometheus import render
from tests.reports import samples
from tests.reports.hostile import POISONS, REPORTS


def promtool() -> str:
    """The linter; without it the test is skipped, but in CI fails."""
    program = shutil.which("promtool")
    if program is None:
        reason = "needs promtool: apt install prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return program


def values(report: Report) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """For each metric, its samples by their labels."""
    read: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(render(report, View())):
        read[family.name.removeprefix("blueplane_doctor_")] = {
            tuple(sorted(sample.labels.items())): sample.value for sample in family.samples
        }
    return read


@pytest.mark.parametrize("report", REPORTS)
def test_promtool_finds_nothing_to_say(report: str) -> None:
    text = render(REPORTS[report](), View()).encode()
    ended = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_names_do_not_depend_on_what_was_found() -> None:
    assert set(values(samples.empty())) == set(values(samples.mixed())) == set(values(samples.healthy()))


def test_every_status_has_its_code() -> None:
    statuses = values(samples.mixed())["check_status"]
    by_id = {dict(labels)["id"]: value for labels, value in statuses.items()}
    codes = {f.id: f.status.severity for f in samples.mixed().findings}
    assert by_id == codes
    assert set(by_id.values()) == {-1, 0, 1, 2, 3}


def test_the_run_tells_when_and_how_long_and_how_many() -> None:
    read = values(samples.mixed())
    assert read["report_timestamp_seconds"] == {(): 1773480413.589}
    assert read["report_duration_seconds"] == {(): 0.1824}
    assert read["report_status"] == {(): 3}
    assert read["report_findings"][(("status", "red"),)] == 3


def test_every_known_cause_has_a_number_and_two_of_one_id_count_once() -> None:
    report = samples.mixed()
    twice = [*report.causes, report.causes[1].model_copy(update={"status": Status.YELLOW})]
    read = values(report.model_copy(update={"causes": twice}))
    active = {dict(labels)["cause"]: value for labels, value in read["cause_active"].items()}
    assert active == {"database-locked": 1, "malformed-payloads": 1, "server-down": 0}
    statuses = {dict(labels)["cause"]: value for labels, value in read["cause_status"].items()}
    assert statuses == {"database-locked": 3, "malformed-payloads": 3, "server-down": 0}
    assert set(values(samples.healthy())["cause_active"].values()) == {0}


def test_a_check_tells_the_cause_that_it_follows_from() -> None:
    read = values(samples.mixed())
    pairs = {(dict(labels)["id"], dict(labels)["cause"]) for labels in read["check_cause_info"]}
    assert pairs == {
        ("chain-breaks", "malformed-payloads"),
        ("stuck-consumers", "database-locked"),
        ("queue-depth", "database-locked"),
    }


def test_records_are_told_in_base_units() -> None:
    read = values(samples.mixed())
    assert read["consumer_lag_seconds"] == {(): 431}
    assert read["write_latency_p95_seconds"] == {(): 0.0042}
    assert read["write_success_ratio"] == {(): 0.99974}
    assert read["database_wal_size_bytes"] == {(): 4_124_000}
    assert read["dead_letters_messages"] == {(): 37}
    assert read["chain_breaks_messages"] == {(): 1234}
    assert read["chain_status"] == {(): 3}
    assert read["chain_messages"][(("state", "stuck"),)] == 96


def test_what_is_not_known_is_left_out() -> None:
    read = values(samples.mixed())
    assert read["server_log_errors_per_second"] == {}
    assert (("state", "trimmed_unread"),) not in read["chain_messages"]


def test_what_belongs_to_a_group_has_its_name_as_a_label() -> None:
    groups = {group["name"]: group for group in samples.mixed().metrics["queue"]["groups"]}  # type: ignore[index]
    pending = values(samples.mixed())["group_pending_messages"]
    assert pending[(("group", "processors"),)] == groups["processors"]["pending"]
    assert (("group", "session_monitors"),) not in pending


def test_every_state_of_the_chain_has_a_code() -> None:
    for status, code in (("healthy", 0), ("degraded", 2), ("broken", 3), ("unknown", -1)):
        chain = ChainHealth.model_validate(samples.healthy().metrics["chain"] | {"chain_status": status})
        report = samples.healthy().model_copy(update={"metrics": {"chain": chain.model_dump()}})
        assert values(report)["chain_status"] == {(): code}


def test_waivers_and_changes_are_told() -> None:
    read = values(REPORTS["compared"]())
    [reason] = [dict(labels)["reason"] for labels in read["check_waiver_info"] if ("id", "dead-letters") in labels]
    assert reason == "Known since the move; ticket OPS-12"
    assert (("area", "chain"), ("change", "new"), ("id", "chain-breaks")) in read["check_change_info"]


def test_a_label_cannot_add_a_sample() -> None:
    report = REPORTS["hostile-exposition"]()
    assert "fake_metric" in POISONS["exposition"]
    assert "fake_metric" not in "".join(values(report))
    assert len(values(report)["check_status"]) == len(report.findings)

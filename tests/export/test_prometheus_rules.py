"""Alerting rules: one for each level of each scale, and Prometheus' own tools agree with them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from blueplane_doctor.checkapi import CheckSpec, Scale
from blueplane_doctor.export.prometheus_rules import alert_name, expression, render, rules_of
from blueplane_doctor.model import Status
from blueplane_doctor.plugins.discovery import find_checks, selected
from blueplane_doctor.settings.values import Settings
from tests.export.support import promtool

CHECKS = selected(find_checks().checks, Settings())
CAUSES = find_checks().causes


def spec(check_id: str, **thresholds: float) -> CheckSpec:
    settings = Settings(thresholds={check_id: dict(thresholds)} if thresholds else {})
    return next(s for s in selected(find_checks().checks, settings) if s.id == check_id)


def test_every_level_of_every_scale_has_its_rule() -> None:
    rules = [rule for group in yaml.safe_load(render(CHECKS, CAUSES))["groups"] for rule in group["rules"]]
    wanted = {
        alert_name(check, level)
        for check in CHECKS
        for level in ("yellow", "orange", "red")
        if check.scale and (level in check.scale.bounds or Status(level) in check.scale.words.values())
    }
    names = [rule["alert"] for rule in rules]
    assert wanted <= set(names)
    assert len(names) == len(set(names)) == len(wanted) + len(CAUSES) + 3


@pytest.mark.parametrize(
    ("check_id", "level", "said"),
    [
        ("queue-depth", "yellow", '{id="queue-depth"} >= 1000 and'),
        ("queue-depth", "red", '{id="queue-depth"} > 50000 and'),
        ("write-success", "red", '{id="write-success"} < 90 and'),
        ("server-alive", "red", 'blueplane_doctor_check_status{id="server-alive"} == 3'),
    ],
)
def test_the_edge_is_the_scales_own(check_id: str, level: str, said: str) -> None:
    assert said in expression(spec(check_id), level)


def test_settings_change_the_rules() -> None:
    assert " >= 7 and" in expression(spec("queue-depth", yellow=7), "yellow")


def test_a_check_without_a_scale_alerts_by_its_status() -> None:

    rules = rules_of(spec("queue-depth")._replace(scale=None))
    assert [rule["expr"].partition(" unless ")[0][-4:] for rule in rules] == ["== 1", "== 2", "== 3"]
    assert rules_of(spec("queue-depth")._replace(scale=Scale.rising(unit="x"))) == []


def test_promtool_finds_nothing_wrong(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(render(CHECKS, CAUSES), encoding="utf-8")
    checked = promtool("check", "rules", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _case(values: dict[str, str], at: str, alerts: dict[str, bool]) -> dict[str, Any]:
    return {
        "interval": "15s",
        "input_series": [{"series": name, "values": text} for name, text in values.items()],
        "alert_rule_test": [
            {
                "eval_time": at,
                "alertname": name,
                "exp_alerts": [{"exp_labels": _labels(name)}] if fires else [],
            }
            for name, fires in alerts.items()
        ],
    }


def _labels(alert: str) -> dict[str, str]:
    check = next(c for c in CHECKS if any(alert == alert_name(c, level) for level in ("yellow", "orange", "red")))
    level = next(level for level in ("yellow", "orange", "red") if alert.lower().endswith(level))
    severity = {"yellow": "info", "orange": "warning", "red": "critical"}[level]
    unit = check.scale.unit if check.scale else ""
    ours = {"id": check.id, "area": check.area, "check": check.id, "severity": severity, "unit": unit}
    return ours | {"instance": "box", "job": "b"}


@pytest.mark.slow
def test_promtool_sees_them_fire_and_keep_still(tmp_path: Path) -> None:
    rules = yaml.safe_load(render(CHECKS, CAUSES))
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule.pop("annotations")  # what is tested is when, not in which words
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")

    def depth(value: str, status: str) -> dict[str, str]:
        names = 'id="queue-depth",area="queue",instance="box",job="b"'
        return {
            f'blueplane_doctor_check_observed_value{{{names},unit="messages"}}': f"{value}x40",
            f"blueplane_doctor_check_status{{{names}}}": f"{status}x40",
        }

    names = 'id="write-throughput",area="database",instance="box",job="b"'
    idle = {
        f'blueplane_doctor_check_observed_value{{{names},unit="rows/s"}}': "0x40",
        f"blueplane_doctor_check_status{{{names}}}": "0x40",
    }
    red, orange = "BlueplaneQueueDepthRed", "BlueplaneQueueDepthOrange"
    tests = [
        _case(depth("50001", "3"), "5m", {red: True, orange: False}),
        _case(depth("50000", "2"), "6m", {red: False, orange: True}),
        _case(depth("50001", "3"), "30s", {red: False}),
        _case(depth("12", "0"), "9m", {red: False, orange: False}),
        _case(idle, "9m", {"BlueplaneWriteThroughputRed": False}),
    ]
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}), encoding="utf-8")
    tested = promtool("test", "rules", file)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    tests[0]["alert_rule_test"][0]["exp_alerts"] = []
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}), encoding="utf-8")
    assert promtool("test", "rules", file).returncode != 0, "or this test sees nothing"


def test_an_alert_never_begins_with_what_is_right() -> None:
    for spec in find_checks().checks:
        for rule in rules_of(spec):
            assert not rule["annotations"]["summary"].startswith(spec.title)
            assert rule["annotations"]["summary"].startswith(f"{spec.id} is ")


def _inhibit_rules() -> list[dict[str, Any]]:
    commented = [line.removeprefix("# ") for line in render(CHECKS, CAUSES).splitlines() if line.startswith("#")]
    rules = yaml.safe_load("\n".join(commented[commented.index("inhibit_rules:") :]))["inhibit_rules"]
    return list(rules)


def test_what_a_cause_keeps_from_being_read_wakes_nobody_again() -> None:
    unread, levels = _inhibit_rules()
    [source] = unread["source_matchers"]
    assert set(source.removeprefix('cause=~"').removesuffix('"').split("|")) == {
        spec.id for spec in CAUSES if "*" in spec.brings
    }
    assert "redis-unreachable" in source
    assert unread["target_matchers"] == ['alertname="BlueplaneHealthUnknown"']
    assert 'check!=""' in levels["source_matchers"], "a label that both lack is equal: causes would inhibit each other"
    assert 'check!=""' in levels["target_matchers"]


def test_every_cause_has_one_rule_whose_urgency_is_that_of_its_findings() -> None:
    groups = {group["name"]: group["rules"] for group in yaml.safe_load(render(CHECKS, CAUSES))["groups"]}
    rules = groups["blueplane-doctor-causes"]
    assert [rule["labels"]["cause"] for rule in rules] == sorted(spec.id for spec in CAUSES)
    for rule in rules:
        assert f'blueplane_doctor_cause_active{{cause="{rule["labels"]["cause"]}"}} == 1' in rule["expr"]


def test_a_selection_has_rules_of_the_causes_that_it_can_show() -> None:
    one = [spec("redis-reachable")]
    names = {rule["alert"] for group in yaml.safe_load(render(one, CAUSES))["groups"] for rule in group["rules"]}
    assert {"BlueplaneCauseRedisUnreachable", "BlueplaneRedisReachableRed"} <= names
    assert "BlueplaneCausePoisonMessage" not in names


def test_promtool_sees_one_fault_wake_once(tmp_path: Path) -> None:
    rules = yaml.safe_load(render(CHECKS, CAUSES))
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule.pop("annotations")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    where = 'instance="box",job="b"'
    names = f'id="queue-depth",area="queue",{where}'
    of_cause = f'{{cause="server-down",{where}}}'

    def series(explained: bool, status: str) -> dict[str, str]:
        values = {
            f'blueplane_doctor_check_observed_value{{{names},unit="messages"}}': "50001x40",
            f"blueplane_doctor_check_status{{{names}}}": "3x40",
            f"blueplane_doctor_cause_active{of_cause}": "1x40" if explained else "0x40",
            f"blueplane_doctor_cause_status{of_cause}": f"{status}x40",
        }
        if explained:
            values[f'blueplane_doctor_check_cause_info{{{names},cause="server-down"}}'] = "1x40"
        return values

    def case(explained: bool, status: str, severity: str) -> dict[str, Any]:
        made = _case(series(explained, status), "5m", {"BlueplaneQueueDepthRed": not explained})
        labels = {"cause": "server-down", "area": "causes", "severity": severity, "instance": "box", "job": "b"}
        alerts = [{"exp_labels": labels}] if severity else []
        of_causes = {"eval_time": "5m", "alertname": "BlueplaneCauseServerDown", "exp_alerts": alerts}
        return made | {"alert_rule_test": [*made["alert_rule_test"], of_causes]}

    tests = [case(True, "3", "critical"), case(True, "1", "info"), case(False, "0", "")]
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}), encoding="utf-8")
    tested = promtool("test", "rules", file)
    assert tested.returncode == 0, tested.stdout + tested.stderr

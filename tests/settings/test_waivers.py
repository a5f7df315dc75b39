"""Waivers: what is waived, until when, under which condition; and which waivers are themselves worth a finding."""

from datetime import date
from pathlib import Path

import pytest

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.findings import count_statuses, exit_code_for
from blueplane_doctor.model import Finding, Status
from blueplane_doctor.settings.waivers import WaiverRule, read_waivers, waived
from blueplane_doctor.verdict import headline_of, status_of

TODAY = date(2026, 5, 10)
END = "expires: 2026-06-01"


def finding(identity: str, status: Status = Status.RED, **fields: object) -> Finding:
    return Finding(id=identity, area="queue", status=status, summary="s", **fields)  # type: ignore[arg-type]


def rule(**fields: object) -> WaiverRule:
    return WaiverRule.model_validate(
        {"id": "queue-depth", "reason": "known", "owner": "ops", "expires": "2026-06-01", **fields}
    )


def test_a_waived_finding_is_shown_and_does_not_count() -> None:
    (found,) = waived([finding("queue-depth")], [rule(owner="ops", expires="2026-06-01")], TODAY)
    assert found.status is Status.RED
    assert found.waiver
    assert (found.waiver.reason, found.waiver.owner, found.waiver.expires) == ("known", "ops", "2026-06-01")
    assert exit_code_for([found], Status.ORANGE, strict=True) == 0
    assert count_statuses([found])["red"] == 0
    assert count_statuses([found])["waived"] == 1


@pytest.mark.parametrize(
    ("expires", "holds"),
    [
        pytest.param("2026-05-11", True, id="the day before it ends"),
        pytest.param("2026-05-10", False, id="the day it ends it is back"),
        pytest.param("2026-05-09", False, id="the day after"),
    ],
)
def test_a_waiver_ends_on_its_day(expires: str, holds: bool) -> None:
    first, *others = waived([finding("queue-depth")], [rule(expires=expires)], TODAY)
    assert (first.waiver is not None) is holds
    assert [(f.area, f.status) for f in others] == ([] if holds else [("waivers", Status.YELLOW)])


@pytest.mark.parametrize(
    ("when", "met"),
    [
        pytest.param({"observed": "<= 20"}, True, id="at the limit"),
        pytest.param({"observed": "<= 19"}, False, id="above it"),
        pytest.param({"observed": 20}, True, id="a bare number"),
        pytest.param({"observed": "!= 20"}, False, id="not equal"),
        pytest.param({"stream": "telemetry:dlq"}, True, id="evidence by name"),
        pytest.param({"group.pending": "> 3"}, True, id="evidence further down"),
        pytest.param({"group.pending": "> 4"}, False, id="evidence further down, not met"),
        pytest.param({"nowhere": 1}, False, id="evidence that is not there"),
        pytest.param({"stream": "< telemetry"}, False, id="text is not compared by size"),
        pytest.param({"observed": "<= 20", "stream": "other"}, False, id="all must hold"),
    ],
)
def test_a_condition_looks_at_the_evidence(when: dict[str, object], met: bool) -> None:
    given = finding("queue-depth", observed=20, evidence={"stream": "telemetry:dlq", "group": {"pending": 4}})
    first, *others = waived([given], [rule(when=when)], TODAY)
    assert (first.waiver is not None) is met
    assert len(others) == (not met)


def test_a_waiver_that_meets_nothing_is_reported() -> None:
    green, reported = waived([finding("queue-depth", Status.GREEN)], [rule()], TODAY)
    assert green.waiver is None
    assert reported.id == "waiver:1"
    assert "matches no finding" in reported.summary


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.SKIPPED, Status.ERROR, Status.NOT_SET_UP])
def test_a_waiver_whose_check_was_not_judged_is_unknown(status: Status) -> None:
    given = finding("queue-depth", status, observed=None)
    first, reported = waived([given], [rule(when={"observed": "<= 20"})], TODAY)
    assert first == given
    assert (reported.id, reported.status, reported.remedy) == ("waiver:1", Status.UNKNOWN, None)
    assert reported.cause == "queue-depth was not judged"


def test_a_run_of_one_check_that_was_not_judged_is_unknown_beside_its_waiver() -> None:
    findings = waived([finding("queue-depth", Status.SKIPPED)], [rule(when={"observed": "<= 20"})], TODAY)
    assert status_of(findings) is Status.UNKNOWN
    assert headline_of(findings, left_out=51) == "1 of 52 checks ran, and could not be judged"


@pytest.mark.parametrize(
    ("identity", "advice"),
    [
        ("queue-dpth", "Did you mean queue-depth?"),
        ("wal_size", "Did you mean wal-size?"),
        ("entirely-else", "See the ids: blueplane-doctor checks."),
    ],
)
def test_a_mistyped_id_is_answered_with_the_id_that_is_meant(identity: str, advice: str) -> None:
    given = finding("queue-depth")
    first, reported = waived([given], [rule(id=identity)], TODAY, ["queue-depth", "wal-size"])
    assert first == given
    assert (reported.id, reported.summary) == ("waiver:1", f"The waiver for {identity} names no check")
    assert reported.remedy and reported.remedy.text == advice


def test_a_waiver_for_a_check_that_did_not_run_is_not_reported() -> None:
    given = finding("queue-depth")
    assert waived([given], [rule(id="wal-*")], TODAY, ["queue-depth", "wal-size"]) == [given]


def test_a_glob_means_many_and_the_first_waiver_keeps_what_it_has() -> None:
    findings = [finding("queue-depth"), finding("queue-headroom"), finding("wal-size")]
    found = waived(findings, [rule(id="queue-*", reason="first"), rule(reason="second")], TODAY)
    assert [f.waiver.reason if f.waiver else None for f in found] == ["first", "first", None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(f"- {{id: x, owner: o, {END}}}", "waiver 1: a waiver needs reason", id="no reason"),
        pytest.param(f"- {{id: x, reason: ' ', owner: o, {END}}}", "a waiver needs reason", id="an empty reason"),
        pytest.param(f"- {{id: x, reason: r, {END}}}", "waiver 1: a waiver needs owner", id="no owner"),
        pytest.param(f"- {{id: x, reason: r, owner: ' ', {END}}}", "a waiver needs owner", id="an empty owner"),
        pytest.param("- {id: x, reason: r, owner: o}", "waiver 1: a waiver needs expires", id="no end"),
        pytest.param("- {id: x, reason: r, owner: o, expires: null}", "a waiver needs expires", id="an empty end"),
        pytest.param("- {id: x, reason: r}", "a waiver needs owner and expires", id="neither"),
        pytest.param(
            f"- {{id: x, reason: r, ownr: o, {END}}}",
            "waiver 1: a waiver has no field 'ownr', did you mean owner?",
            id="an unknown key",
        ),
        pytest.param("- {id: x, reason: r, owner: o, expires: soon}", "waiver 1: expires", id="no day"),
        pytest.param(
            f"- {{id: x, reason: r, owner: o, {END}}}\n- {{id: y}}", "waiver 2: a waiver needs reason", id="the second"
        ),
        pytest.param("id: x", "must hold a list", id="no list"),
        pytest.param("- [", "not valid YAML", id="no YAML"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        read_waivers(file)
    assert str(file) in error.value.message
    assert said in error.value.message


def test_a_file_may_be_a_list_or_name_it(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    entry = f"{{id: x, reason: r, owner: o, {END}}}"
    for text in (f"- {entry}", f"waivers: [{entry}]"):
        file.write_text(text)
        assert [w.id for w in read_waivers(file)] == ["x"]

"""Which checks run, and with which numbers."""

import pytest

from blueplane_doctor.checkapi import CheckSpec, Scale, spec_of
from blueplane_doctor.discovery import matches, meaningless, selected, with_thresholds
from blueplane_doctor.errors import ExitCode, NoChecksError, SettingsError
from blueplane_doctor.model import Finding, Status
from blueplane_doctor.settings import Settings


def spec(check_id: str, area: str) -> CheckSpec:
    """A check that grades by a rising scale."""

    def function(scale: Scale) -> Finding:
        return Finding(status=Status.GREEN, summary="x")

    function.__name__ = "check_" + check_id.replace("-", "_")
    return spec_of(function, area, Scale.rising(yellow=10, red_above=20, unit="x"))


CHECKS = [
    spec("queue-depth", "queue"),
    spec("retry-storm", "queue"),
    spec("wal-size", "database"),
    spec("write-p95", "database"),
    spec("write-success", "database"),
]
ALL = ["wal-size", "write-p95", "write-success", "queue-depth", "retry-storm"]


@pytest.mark.parametrize(
    ("select", "ignore", "chosen"),
    [
        pytest.param([], [], ALL, id="everything-by-area-and-id"),
        pytest.param(["wal-size"], [], ["wal-size"], id="an-id"),
        pytest.param(["queue"], [], ["queue-depth", "retry-storm"], id="an-area"),
        pytest.param(["write-*"], [], ["write-p95", "write-success"], id="a-glob"),
        pytest.param(["*"], [], ALL, id="all-by-a-glob"),
        pytest.param(["wal-size", "queue"], [], ["wal-size", "queue-depth", "retry-storm"], id="several"),
        pytest.param(["queue-*"], [], ["queue-depth"], id="a-glob-means-ids-not-areas"),
        pytest.param([], ["database"], ["queue-depth", "retry-storm"], id="ignore-an-area"),
        pytest.param([], ["write-*", "wal-size"], ["queue-depth", "retry-storm"], id="ignore-several"),
        pytest.param(["database"], ["wal-size"], ["write-p95", "write-success"], id="ignore-comes-after-select"),
        pytest.param(["[qw]*-[dp]*"], [], ["write-p95", "queue-depth"], id="a-glob-with-classes"),
        pytest.param(["nonsense", "wal-size"], [], ["wal-size"], id="one-word-means-nothing"),
    ],
)
def test_selected(select: list[str], ignore: list[str], chosen: list[str]) -> None:
    assert [s.id for s in selected(CHECKS, Settings(select=select, ignore=ignore))] == chosen


def test_an_area_is_no_glob() -> None:
    assert not matches("que*", "wal-size", "queue")
    assert not matches("Wal-Size", "wal-size", "database"), "ids have one spelling"


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        (Settings(select=["queue-depht"]), "queue-depht means nothing; did you mean queue-depth?"),
        (Settings(select=["databse"]), "databse means nothing; did you mean database?"),
        (Settings(select=["xyzzy"]), "see what there is: blueplane-doctor checks"),
        (Settings(ignore=["*"]), "see what there is: blueplane-doctor checks"),
    ],
    ids=["id", "area", "nothing-like-it", "all-ignored"],
)
def test_nothing_selected(settings: Settings, hint: str) -> None:
    with pytest.raises(NoChecksError) as caught:
        selected(CHECKS, settings)
    assert caught.value.exit_code is ExitCode.NO_CHECKS
    assert caught.value.hint == hint


def test_words_that_mean_nothing() -> None:
    settings = Settings(select=["queue", "queu"], ignore=["wal-*", "zzz"])
    assert meaningless(settings, CHECKS) == ["queu", "zzz"]


def test_thresholds_reach_the_check() -> None:
    changed = {s.id: s for s in with_thresholds(CHECKS, Settings(thresholds={"wal-size": {"yellow": 5}}))}
    assert changed["wal-size"].scale and changed["wal-size"].scale.status(5) == "yellow"
    assert changed["queue-depth"].scale and changed["queue-depth"].scale.status(5) == "green"


@pytest.mark.parametrize(
    ("check_id", "level", "told", "hint"),
    [
        ("queue-depht", "yellow", "thresholds.queue-depht: there is no such check", "did you mean queue-depth?"),
        ("zzz", "yellow", "thresholds.zzz: there is no such check", "see: blueplane-doctor checks"),
        ("queue-depth", "mauve", "thresholds.queue-depth.mauve: no such level", "levels are yellow, orange, red"),
    ],
)
def test_thresholds_that_mean_nothing(check_id: str, level: str, told: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        selected(CHECKS, Settings(thresholds={check_id: {level: 5}}))
    assert (caught.value.message, caught.value.hint) == (told, hint)


def test_a_check_without_a_scale_has_no_threshold() -> None:
    def check_it() -> Finding:
        return Finding(status=Status.GREEN, summary="x")

    with pytest.raises(SettingsError, match="thresholds.it: this check has no scale"):
        with_thresholds([spec_of(check_it, "mine", None)], Settings(thresholds={"it": {"red": 1}}))

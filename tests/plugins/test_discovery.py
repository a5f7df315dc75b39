"""What is found: built-in checks, the user's own, those of other packages; and what is said of those that fail;
which checks run, and with which numbers."""

import sys
from pathlib import Path

import pytest

from blueplane_doctor.checkapi import CheckSpec, Scale, spec_of
from blueplane_doctor.errors import ExitCode, NoChecksError, SettingsError
from blueplane_doctor.model import Finding, Status
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.plugins.discovery import (
    AvailableChecks,
    find_checks,
    find_formats,
    find_monitors,
    meaningless,
    meant_by,
    modules_of,
    selected,
    with_thresholds,
)
from blueplane_doctor.privacy.public_text import hidden, place
from blueplane_doctor.settings.values import Settings

GOOD = '''
from blueplane_doctor import Finding, Scale, check

@check(area="house", scale=Scale.rising(red=1, unit="x"))
def check_house_rule(queue, scale):
    """A rule of the house."""
    return scale.grade(0, "well")
'''


def write(folder: Path, name: str, text: str = GOOD) -> Path:
    """A file of checks that nobody else may write to."""
    folder.mkdir(mode=0o755, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o644)
    return path


def own(available: AvailableChecks) -> list[str]:
    """Ids of the checks that are not built in."""
    return sorted(spec.id for spec in available.checks if spec.origin != "built-in")


def problem(available: AvailableChecks) -> Finding:
    """The one file that could not be loaded."""
    (finding,) = available.problems
    assert finding.status is Status.ERROR
    assert finding.id.startswith("check-file:")
    assert finding.remedy
    return finding


def test_built_in_checks_are_found_without_a_list() -> None:
    found = find_checks()
    assert not found.problems
    assert len({spec.id for spec in found.checks}) == len(found.checks) > 20


def test_monitors_and_formats_are_found_by_their_names() -> None:
    assert {"queue", "database", "capture", "chain", "server", "redis", "connections"} <= set(find_monitors())
    assert {"table", "json", "html"} <= set(find_formats())


def test_no_monitor_is_forgotten() -> None:
    """A class of a monitor without `MONITOR = …` in its module would never be asked."""
    modules = list(modules_of("blueplane_doctor.monitoring"))
    assert modules
    assert set(Monitor.__subclasses__()) >= set(find_monitors().values())
    for module in modules:
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == module.__name__
            if own and issubclass(value, Monitor):
                assert value is getattr(module, "MONITOR", None), f"{module.__name__} does not set MONITOR"


def test_a_folder_of_the_user(tmp_path: Path) -> None:
    write(tmp_path / "mine", "check_house.py")
    write(tmp_path / "mine", "helper.py", "raise RuntimeError('only check_*.py is loaded')")
    found = find_checks([tmp_path / "mine"])
    assert own(found) == ["house-rule"]
    spec = next(s for s in found.checks if s.id == "house-rule")
    assert (spec.area, spec.title, spec.needs, spec.origin) == (
        "house",
        "A rule of the house",
        ("queue",),
        "check_house.py",
    )


def test_a_single_file_whatever_its_name(tmp_path: Path) -> None:
    assert own(find_checks([write(tmp_path / "mine", "rules.py")])) == ["house-rule"]


def test_two_files_of_one_name_in_two_folders(tmp_path: Path) -> None:
    write(tmp_path / "a", "check_house.py")
    write(tmp_path / "b", "check_house.py", GOOD.replace("house_rule", "other_rule"))
    assert own(find_checks([tmp_path / "a", tmp_path / "b"])) == ["house-rule", "other-rule"]


def test_a_function_without_the_decorator_is_a_check_of_its_files_area(tmp_path: Path) -> None:
    text = '''
from blueplane_doctor import Finding, Status

def check_bare(queue):
    """Bare."""
    return Finding(status=Status.GREEN, summary="well")

def helper():
    """No check."""

check_number = 5
'''
    found = find_checks([write(tmp_path / "mine", "check_garden.py", text)])
    assert own(found) == ["bare"]
    spec = next(s for s in found.checks if s.id == "bare")
    assert spec.area.endswith("garden")
    assert spec.scale is None


def test_an_imported_check_is_not_collected_twice(tmp_path: Path) -> None:
    text = "from blueplane_doctor.checks.check_queue import check_queue_depth\n" + GOOD
    found = find_checks([write(tmp_path / "mine", "check_house.py", text)])
    assert own(found) == ["house-rule"]
    assert not found.problems


def test_no_bytecode_is_left_in_the_users_folder(tmp_path: Path) -> None:
    write(tmp_path / "mine", "check_house.py")
    before = sys.dont_write_bytecode
    find_checks([tmp_path / "mine"])
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["check_house.py"]
    assert sys.dont_write_bytecode == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("x = 1\ndef check_x(:\n", "check_bad.py: line 2: invalid syntax", id="syntax-error"),
        pytest.param("x = 1\n\nraise RuntimeError('no')\n", "check_bad.py: line 3: RuntimeError", id="raises"),
        pytest.param("import no_such_module\n", "line 1: ModuleNotFoundError: No module named", id="missing-module"),
        pytest.param("import sys\nsys.exit(3)\n", "line 2: SystemExit", id="ends-the-process"),
        pytest.param(
            "import json\n\njson.loads('{')\n", "check_bad.py: line 3: JSONDecodeError", id="raises-in-a-library"
        ),
        pytest.param(
            "from blueplane_doctor import Scale\nScale.rising(red=0, unit='x')\n",
            "line 2: SettingsError: scale.red: 0 would always fire",
            id="scale-that-makes-no-sense",
        ),
        pytest.param("x = '\x00'\n", "check_bad.py: ", id="nul"),
    ],
)
@pytest.mark.parametrize("relative", [False, True], ids=["absolute", "relative"])
def test_a_file_that_cannot_be_loaded_is_named_with_its_line(
    text: str, told: str, relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "mine", "check_bad.py", text)
    write(tmp_path / "mine", "check_house.py")
    monkeypatch.chdir(tmp_path)
    found = find_checks([Path("mine") if relative else tmp_path / "mine"])
    finding = problem(found)
    assert finding.id == "check-file:check_bad.py"
    assert told in finding.cause
    assert "line None" not in finding.cause
    assert own(found) == ["house-rule"], "the other file still counts"


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = write(tmp_path / "mine", "check_bad.py")
    path.write_bytes(b"x = '\xff\xfe'\n")
    cause = problem(find_checks([path])).cause
    assert "check_bad.py" in cause and "line None" not in cause


def test_a_file_that_is_not_python(tmp_path: Path) -> None:
    assert "it is not a Python file" in problem(find_checks([write(tmp_path / "mine", "rules.txt")])).cause


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    name = hidden(str(tmp_path / "no"))
    assert problem(find_checks([tmp_path / "no"])).cause == f"{name}: there is no such file or folder"


def test_a_twin_is_refused_and_the_first_stays(tmp_path: Path) -> None:
    text = GOOD.replace("house_rule", "queue_depth")
    found = find_checks([write(tmp_path / "mine", "check_house.py", text)])
    finding = problem(found)
    assert finding.id == "check-file:queue-depth"
    assert "check_queue_depth: the id queue-depth is taken by a check of built-in" in finding.cause
    assert own(found) == []


@pytest.mark.parametrize("mode", [0o020, 0o002], ids=["group", "everybody"])
@pytest.mark.parametrize("loose", ["folder", "file"])
def test_code_that_others_may_change_is_refused(mode: int, loose: str, tmp_path: Path) -> None:
    text = f"open({str(tmp_path / 'was-run')!r}, 'w')\n" + GOOD
    file = write(tmp_path / "mine", "check_house.py", text)
    target = file.parent if loose == "folder" else file
    target.chmod(target.stat().st_mode | mode)
    found = find_checks([tmp_path / "mine"])
    cause = problem(found).cause
    assert "refused: other users may write to" in cause
    assert f"chmod go-w {place(target)}" in cause
    assert own(found) == []
    assert not (tmp_path / "was-run").exists()


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str, reference: str) -> None:
    """A little installed package with an entry point, on sys.path."""
    site = tmp_path / "site"
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{module}.py").write_text(text)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[blueplane_doctor.checks]\nhouse = {reference}\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, module, raising=False)


def test_checks_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, monkeypatch, "house_checks_good", GOOD, "house_checks_good")
    found = find_checks()
    assert not found.problems
    spec = next(s for s in found.checks if s.id == "house-rule")
    assert spec.origin == "package house_checks_good"


@pytest.mark.parametrize(
    ("module", "text", "reference", "told"),
    [
        ("house_checks_raises", "raise RuntimeError('no')", "house_checks_raises", "RuntimeError"),
        ("house_checks_gone", GOOD, "house_checks_gone_elsewhere", "ModuleNotFoundError"),
        ("house_checks_exits", "raise SystemExit(3)", "house_checks_exits", "SystemExit"),
        ("house_checks_value", "thing = 5", "house_checks_value:thing", "is no module"),
    ],
    ids=["raises", "missing", "exits", "not-a-module"],
)
def test_a_package_that_cannot_be_loaded_is_named(
    module: str, text: str, reference: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, monkeypatch, module, text, reference)
    finding = problem(find_checks())
    assert f"entry point {reference}" in finding.cause
    assert told in finding.cause


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


def test_a_glob_means_no_areas() -> None:
    assert not meant_by(["databas*"], CHECKS)
    assert not meant_by(["Wal-Size"], CHECKS), "ids have one spelling"


def test_a_check_that_is_called_as_its_area_is_itself_alone() -> None:
    """Else leaving `dead-letters` out would keep silent about dead-letter-growth as well."""
    checks = find_checks().checks
    assert {"dead-letters", "dead-letter-growth"} <= {c.id for c in checks if c.area == "dead-letters"}
    assert meant_by(["dead-letters"], checks) == {"dead-letters"}
    assert meant_by(["dead-letter*"], checks) == {"dead-letters", "dead-letter-growth"}


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        (
            Settings(select=["queue-depht"]),
            "queue-depht is no check, no area and no pattern; did you mean queue-depth?",
        ),
        (Settings(select=["databse"]), "databse is no check, no area and no pattern; did you mean database?"),
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


CAUSE = """
from blueplane_doctor import Cause, cause

@cause(stage="messages", shown_by=["queue-depth"])
def cause_house(queue) -> Cause | None:
    "The house is full."
    return None
"""


def cause_file(tmp_path: Path, text: str, name: str = "cause_house.py") -> Path:
    """A file of causes that nobody else may write to; its folder."""
    folder = tmp_path / "own"
    folder.mkdir(mode=0o755, exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o644)
    return folder


def test_causes_of_the_users_folder_are_found(tmp_path: Path) -> None:
    available = find_checks([cause_file(tmp_path, CAUSE)])
    [spec] = [spec for spec in available.causes if spec.id == "house"]
    assert spec.title == "The house is full"
    assert "cause_house.py" in spec.origin
    assert available.problems == []


def test_causes_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, monkeypatch, "house_causes_good", CAUSE, "house_causes_good")
    [spec] = [spec for spec in find_checks().causes if spec.id == "house"]
    assert spec.origin == "package house_causes_good"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            CAUSE.replace('"queue-depth"', '"queue-dept"'),
            "cause_house.py line 4: shown_by names 'queue-dept', which is not there, did you mean queue-depth?",
            id="a sign that is no check",
        ),
        pytest.param(
            CAUSE.replace("(queue)", "(queu)"),
            "cause_house.py line 4: there is no health record named 'queu', did you mean queue?",
            id="no record",
        ),
        pytest.param(
            CAUSE.replace('"messages"', '"mesages"'),
            "line 4: SettingsError: stage must be one of redis, database, server, messages, capture",
            id="no stage",
        ),
        pytest.param(
            CAUSE.replace('@cause(stage="messages", shown_by=["queue-depth"])', ""),
            "line 5: cause_house is not declared with @cause",
            id="not declared",
        ),
        pytest.param(
            CAUSE.replace("cause_house", "cause_redis_unreachable"),
            "cause_redis_unreachable: the id redis-unreachable is taken by a cause of built-in",
            id="an id that is taken",
        ),
    ],
)
def test_a_mistake_in_a_cause_names_file_line_and_field(tmp_path: Path, text: str, words: str) -> None:
    available = find_checks([cause_file(tmp_path, text)])
    [problem] = available.problems
    assert problem.status is Status.ERROR
    assert words in problem.cause
    assert "cause_house.py" in problem.cause
    assert [spec for spec in available.causes if spec.origin != "built-in"] == []

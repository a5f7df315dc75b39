"""A mistake in a file of checks: the message names the file, the line and the field."""

from pathlib import Path

import pytest

from blueplane_doctor.errors import NoChecksError
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import Evidence
from blueplane_doctor.model import Finding, Status
from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.settings.values import Settings
from tests.checks.builders import queue

HEAD = '''\
from blueplane_doctor import Finding, Remedy, Scale, Status, check


@check(area="house", scale=Scale.rising(yellow=1, unit="messages"))
def check_house(queue, scale):
    """The rule of the house."""
'''
"""The body begins in line 7."""
MONITOR = """\
from blueplane_doctor import Record
from blueplane_doctor.monitoring import Monitor


class HouseHealth(Record):
    size: int


class HouseMonitor(Monitor):
    name = "house"
    record = HouseHealth

    def collect(self):
        return HouseHealth()


MONITOR = HouseMonitor
"""
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def finding_of(text: str, folder: Path) -> Finding:
    """What the report says of a file of one check with this text."""
    folder.chmod(0o755)
    file = folder / "check_house.py"
    file.write_text(text)
    file.chmod(0o644)
    found = find_checks([file])
    if found.problems:
        (problem,) = found.problems
        return problem
    mine = [spec for spec in found.checks if spec.origin == "check_house.py"]
    evidence = Evidence("2026-03-14T09:26:53.589Z", records={"queue": queue()})
    report = Doctor(Settings(select=[spec.id for spec in mine]), available=found).judge(evidence)
    (finding,) = report.findings
    return finding


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(
            '    return scale.grade(5, "x", remedy=Remedy(text="Look.", command=["ls"]))',
            "check_house.py line 7: Remedy has no field 'command', did you mean commands?",
            id="field-of-remedy",
        ),
        pytest.param(
            '    remedy = Remedy(\n        commands=["ls"],\n    )\n    return scale.grade(5, "x", remedy=remedy)',
            "check_house.py line 7: Remedy needs the field 'text'",
            id="missing-field",
        ),
        pytest.param(
            '    return scale.grade(5, "x", remedy=Remedy(txt="Look."))',
            "check_house.py line 7: Remedy has no field 'txt', did you mean text?",
            id="field-of-remedy",
        ),
        pytest.param(
            '    return Finding(status=Status.RED, sumary="x", summary="y")',
            "check_house.py line 7: Finding has no field 'sumary', did you mean summary?",
            id="field-of-finding",
        ),
        pytest.param(
            '    return Finding(status="crimson", summary="x")',
            "check_house.py line 7: Finding.status: must be green, yellow, orange, red, unknown,",
            id="value-of-a-field",
        ),
        pytest.param(
            '    return scale.grade(5, "x", remedy=Remedy(text="Look.", commands="ls"))',
            "check_house.py line 7: Remedy.commands: must be a list",
            id="type-of-a-field",
        ),
        pytest.param(
            "    return scale.grade(5, 5)",
            "check_house.py line 7: Finding.summary: must be text",
            id="type-of-an-argument-of-grade",
        ),
        pytest.param(
            '    return scale.grade(queue.queue_dept, "x")',
            "check_house.py line 7: QueueHealth has no field 'queue_dept', did you mean queue_depth?",
            id="field-of-a-record",
        ),
        pytest.param(
            "    queue.queue_depth = 5",
            "check_house.py line 7: QueueHealth cannot be changed, model_copy(update=…) gives another one",
            id="change-of-a-record",
        ),
        pytest.param(
            '    return scale.grade(5, "x").model_copy(update={"summry": "y"})',
            "check_house.py line 7: Finding has no field 'summry', did you mean summary?",
            id="field-of-a-copy",
        ),
        pytest.param(
            '    return scale.grade("much", "x")',
            "check_house.py line 7: Scale.grade: the value must be a number",
            id="type-of-a-value",
        ),
        pytest.param(
            '    return scale.grade(5, "x", evidence={"where": object()})',
            "check_house.py line 4: Finding.evidence must hold numbers, texts, lists and maps",
            id="type-in-evidence",
        ),
        pytest.param(
            '    return Scale.states(green="a", red="b").grade("c", "x")',
            "check_house.py line 7: Scale.grade: the value must be one of the states a, b",
            id="unknown-state",
        ),
        pytest.param('    return "all is well"', "it returned str instead of a Finding", id="not-a-finding"),
        pytest.param("    pass", "it returned NoneType instead of a Finding", id="nothing-returned"),
    ],
)
def test_a_mistake_in_a_check_is_named_with_its_place(body: str, message: str, tmp_path: Path) -> None:
    finding = finding_of(HEAD + body + "\n", tmp_path)
    assert (finding.id, finding.status) == ("house", Status.ERROR)
    assert message in finding.cause


def test_a_parameter_that_is_no_record_is_named_with_the_record_that_is_meant(tmp_path: Path) -> None:
    text = HEAD.replace("(queue, scale)", "(queu, scale)") + '    return scale.grade(5, "x")\n'
    finding = finding_of(text, tmp_path)
    assert (finding.id, finding.status) == ("house", Status.ERROR)
    assert finding.cause == ("check_house.py line 4: there is no health record named 'queu', did you mean queue?")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            'from blueplane_doctor import Remedy\nLOOK = Remedy(text="x", comands=[])\n',
            "check_house.py: line 2: Remedy has no field 'comands', did you mean commands?",
            id="field-of-remedy",
        ),
        pytest.param(
            'from blueplane_doctor import Scale\n\nSCALE = Scale.rising(yelow=1, unit="x")\n',
            "check_house.py: line 3: TypeError: Scale.rising has no argument 'yelow', did you mean yellow?",
            id="level-of-scale",
        ),
        pytest.param(
            'from blueplane_doctor import Scale\n\nSCALE = Scale.rising(yellow="much", unit="x")\n',
            "check_house.py: line 3: TypeError: Scale.rising: the argument 'yellow' must be a number",
            id="type-of-a-level",
        ),
        pytest.param(
            'from blueplane_doctor import Scale\n\nSCALE = Scale.states(green="a", rde="b")\n',
            "check_house.py: line 3: TypeError: Scale.states has no argument 'rde', did you mean red?",
            id="colour-of-a-state",
        ),
        pytest.param(
            "from blueplane_doctor import check\n\n@check(area=5)\ndef check_house(queue): ...\n",
            "check_house.py: line 3: TypeError: check(): the argument 'area' must be a string",
            id="type-of-the-area",
        ),
        pytest.param("def check_house(queue:\n", "check_house.py: line 1: '(' was never closed", id="syntax"),
        pytest.param("@chekc\ndef f(): ...\n", "check_house.py: line 1: NameError: name 'chekc'", id="name"),
        pytest.param(
            "from blueplane_doctor import chek\n", "check_house.py: line 1: ImportError: cannot import", id="import"
        ),
    ],
)
def test_a_mistake_that_keeps_a_file_from_loading_is_named_with_its_place(
    text: str, message: str, tmp_path: Path
) -> None:
    finding = finding_of(text, tmp_path)
    assert (finding.id, finding.status) == ("check-file:check_house.py", Status.ERROR)
    assert message in finding.cause


def test_a_check_without_docstring_runs_under_its_name(tmp_path: Path) -> None:
    text = HEAD.replace('    """The rule of the house."""\n', "") + '    return scale.grade(5, "x")\n'
    assert finding_of(text, tmp_path).status is Status.YELLOW


def test_the_text_of_another_error_is_not_repeated(tmp_path: Path) -> None:
    """It may quote what was examined."""
    finding = finding_of(HEAD + '    return scale.grade(int("private text"), "x")\n', tmp_path)
    assert finding.cause == "check_house.py line 7: ValueError"


def test_a_selection_in_a_file_that_could_not_be_loaded_names_that_file(tmp_path: Path) -> None:
    file = tmp_path / "check_house.py"
    file.write_text("def check_house(queue:\n")
    file.chmod(0o644)
    with pytest.raises(NoChecksError) as caught:
        Doctor(Settings(select=["house*"], checks=[file]))
    assert caught.value.message == "no check is selected; check_house.py: line 1: '(' was never closed"


def test_a_mistake_in_a_monitor_is_named_with_the_line_of_its_own_file(tmp_path: Path) -> None:
    """Not with the line of the library that refused the record."""
    file = tmp_path / "monitor_house.py"
    file.write_text(MONITOR)
    file.chmod(0o644)
    evidence = Doctor(Settings(monitors=[file], redis_url=NOBODY_LISTENS)).collect(names=["house"])
    assert (
        evidence.missing["house"] == "the monitor broke: monitor_house.py line 14: HouseHealth needs the field 'size'"
    )

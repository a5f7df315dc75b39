"""The doctor's own errors, and the exit codes that the README promises."""

import re
from pathlib import Path

import pytest

from blueplane_doctor import errors
from blueplane_doctor.errors import EXIT_CODE_MEANINGS, DoctorError, ExitCode

README = Path(__file__).parents[1] / "README.md"
NUMBERS = {
    "OK": 0,
    "FINDINGS": 1,
    "USAGE": 2,
    "NOT_JUDGED": 3,
    "INTERNAL": 4,
    "NO_CHECKS": 5,
    "INTERRUPTED": 130,
}


def test_exit_codes_are_never_renumbered() -> None:
    assert {code.name: code.value for code in ExitCode} == NUMBERS


def test_every_exit_code_has_a_meaning() -> None:
    assert set(EXIT_CODE_MEANINGS) == set(ExitCode)


def _words(text: str) -> str:
    return re.sub(r"[`*\s]+", " ", text).strip()


@pytest.mark.parametrize("code", [pytest.param(code, id=str(code.value)) for code in ExitCode])
def test_the_readme_has_every_exit_code_with_its_meaning(code: ExitCode) -> None:
    rows = re.findall(rf"^\|\s*`?{code.value}`?\s*\|(.*)\|\s*$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert [_words(row) for row in rows] == [_words(EXIT_CODE_MEANINGS[code])]


ALL = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, DoctorError) and value is not DoctorError
]


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.__name__) for kind in ALL])
def test_an_error_is_in_the_tree_of_the_docstring(kind: type[DoctorError]) -> None:
    assert f"── {kind.__name__} " in (errors.__doc__ or "")
    error = kind("what was tried", "what to try")
    assert (error.message, error.hint, str(error)) == ("what was tried", "what to try", "what was tried")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, ExitCode.USAGE),
        (errors.SettingsError, ExitCode.USAGE),
        (errors.NoChecksError, ExitCode.NO_CHECKS),
        (errors.SourceUnreachable, ExitCode.NOT_JUDGED),
        (DoctorError, ExitCode.INTERNAL),
    ],
)
def test_an_error_knows_its_exit_code(kind: type[DoctorError], code: ExitCode) -> None:
    assert kind("x").exit_code is code

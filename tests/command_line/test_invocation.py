"""How a command ends: its exit code, and one sentence for what went wrong."""

import pytest

from blueplane_doctor.command_line.invocation import Invocation, exit_code_of
from blueplane_doctor.errors import ExitCode, SettingsError
from blueplane_doctor.settings.options import Options


def test_the_code_of_the_command_or_none_for_success() -> None:
    assert exit_code_of(lambda: 3) == 3
    assert exit_code_of(lambda: None) == ExitCode.OK


def test_an_error_of_ours_is_one_sentence_with_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks() -> int:
        raise SettingsError("it is not so", "write it so")

    assert exit_code_of(breaks) == ExitCode.USAGE
    assert capsys.readouterr().err == "blueplane-doctor: it is not so\n  try: write it so\n"


def test_a_command_that_writes_one_file_takes_one_output() -> None:
    assert Invocation(Options()).one_output() is None


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MemoryError(), ExitCode.NOT_JUDGED, "no more memory"),
        (RuntimeError("can't start new thread"), ExitCode.NOT_JUDGED, "no more threads"),
        (RuntimeError("private text"), ExitCode.INTERNAL, "internal error: RuntimeError"),
    ],
)
def test_what_the_machine_lacks_is_no_defect(
    error: Exception, code: ExitCode, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks() -> int:
        raise error

    assert exit_code_of(breaks) == code
    message = capsys.readouterr().err
    assert said in message
    assert "private" not in message

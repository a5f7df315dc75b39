"""The public names of the package, which cost nothing until they are used."""

import pytest

from blueplane_doctor import recording
from tests.recording.helpers import run_python


def test_public_names_are_there_on_first_use() -> None:
    from blueplane_doctor.recording.instrumentation import instrument
    from blueplane_doctor.recording.recorder import Recorder

    assert recording.Recorder is Recorder
    assert recording.instrument is instrument


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        recording.nothing_of_the_kind  # noqa: B018


def test_importing_it_loads_the_standard_library_alone() -> None:
    code = (
        "import sys, blueplane_doctor.recording\n"
        "print([name for name in ('redis', 'msgspec', 'pydantic', 'wrapt', 'hiredis') if name in sys.modules])"
    )
    assert run_python(code).stdout == "[]\n"

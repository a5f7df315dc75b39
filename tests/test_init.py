"""The package itself: its public names are loaded on first use, and the checks of a checkout are part of it."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import blueplane_doctor

ROOT = Path(__file__).parents[1]


def test_every_public_name_is_there_and_comes_from_the_module_that_defines_it() -> None:
    for name in blueplane_doctor.__all__:
        value = getattr(blueplane_doctor, name)
        if name != "__version__":
            home = import_module(value.__module__)
            assert getattr(home, name) is value


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Finnding'"):
        blueplane_doctor.Finnding  # noqa: B018


def test_importing_the_package_loads_none_of_its_modules() -> None:
    program = (
        "import sys, blueplane_doctor\n"
        "print(blueplane_doctor.__version__, [n for n in sys.modules if n.startswith('blueplane_doctor.')])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == (f"{blueplane_doctor.__version__} []\n", "")


@pytest.mark.skipif(not (ROOT / "checks").is_dir(), reason="these tests run beside an installed wheel")
def test_checks_and_templates_belong_to_the_package_in_a_checkout_too() -> None:
    """A left-over folder of bytecode inside the package must not hide the real one: the test is for the file."""
    checks = import_module("blueplane_doctor.checks")
    assert Path(str(checks.__file__)).name == "__init__.py"
    places = [Path(place) for place in blueplane_doctor.__path__]
    assert any((place / "templates").is_dir() for place in places)


def test_the_program_takes_no_module_from_the_folder_that_one_stands_in(tmp_path: Path) -> None:
    for name in ("json", "typer"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from here')\n")
    command = [sys.executable, "-m", "blueplane_doctor", "--version"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")

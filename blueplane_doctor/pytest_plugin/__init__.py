"""The pytest plugin (entry point `blueplane` of `pytest11`): health checks as test items, health records as fixtures.

Every pytest run of the environment loads this module, so it imports nothing but pytest and the standard library; what
it needs besides is imported by the run that asks for it.
"""

import sys

from blueplane_doctor.process import interruption

if "--blueplane" in sys.argv[1:]:
    # pytest catches Ctrl-C in its session alone; before that it would print a traceback of whatever is being imported.
    interruption.begin()

from typing import TYPE_CHECKING, Any

import pytest

from blueplane_doctor.errors import DoctorError
from blueplane_doctor.pytest_plugin.record_names import record_names
from blueplane_doctor.settings.options import OPTIONS

if TYPE_CHECKING:
    from blueplane_doctor.model import Report

_HELP = {
    "fail_on": "a check fails from this colour on: yellow, orange (default), red, never, or new:COLOUR",
    "timeout": "seconds that reading may take, default 30",
    "select": "collect only these checks: ids, areas, globs; repeatable",
    "ignore": "leave these checks out: ids, areas, globs; repeatable",
    "strict": "unknown and skipped checks fail too",
}
"""Of options that mean something a little different here; the others say what they say on the command line."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main() -> None:
    """From here on pytest itself says what was interrupted."""
    interruption.give_back()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--blueplane`, and the command line's options: `--select` is `--blueplane-select` here, and so on."""
    group = parser.getgroup("blueplane", "health checks of the Blueplane telemetry pipeline (blueplane-doctor)")
    group.addoption("--blueplane", action="store_true", help="collect every health check as a test")
    for option in OPTIONS.values():
        if not option.in_pytest:
            continue
        flag = f"--blueplane-{option.flag.removeprefix('--')}"
        help_text = _HELP.get(option.name, option.help)
        if option.metavar is None:
            destination = flag.removeprefix("--").replace("-", "_")
            group.addoption(flag, dest=destination, action="store_const", const=True, help=help_text)
            opposite = flag.replace("--blueplane-", "--blueplane-no-")
            help_text = f"the opposite of {flag}, whatever the settings say"
            group.addoption(opposite, dest=destination, action="store_const", const=False, help=help_text)
        else:
            action = "append" if option.repeatable else "store"
            group.addoption(flag, action=action, metavar=option.metavar, help=help_text)


def pytest_configure(config: pytest.Config) -> None:
    """Health checks are collected with `--blueplane` alone."""
    if config.getoption("blueplane"):
        if not hasattr(pytest, "Dir"):
            raise pytest.UsageError(f"--blueplane needs pytest 8 or newer; this is {pytest.__version__}")
        from blueplane_doctor.pytest_plugin.suite import Suite  # every pytest run passes here, most without --blueplane

        config.addinivalue_line("markers", "blueplane: a health check of the Blueplane pipeline")
        config.pluginmanager.register(Suite(config), "blueplane-suite")


def _asked_for(config: pytest.Config, part: str) -> Any:
    from blueplane_doctor.pytest_plugin.health import health_of, text_of  # with the engine, for whoever asks for it

    try:
        return getattr(health_of(config), part)
    except DoctorError as error:
        pytest.fail(text_of(error), pytrace=False)


def _record(name: str, what: str) -> Any:
    def record(request: pytest.FixtureRequest) -> Any:
        evidence = _asked_for(request.config, "evidence")
        if name not in evidence.records:
            cause = evidence.missing.get(name, "the evidence lacks it")
            pytest.skip(f"the health record {name} could not be read: {cause}")
        return evidence.records[name]

    record.__doc__ = f"{what} The test is skipped with the cause where this health record could not be read."
    return pytest.fixture(scope="session", name=f"blueplane_{name}")(record)


for _name, _what in record_names().items():
    globals()[f"blueplane_{_name}"] = _record(_name, _what)


@pytest.fixture(scope="session")
def blueplane_report(request: pytest.FixtureRequest) -> "Report":
    """The report on all selected checks, as `blueplane-doctor --format json` would give it."""
    report: Report = _asked_for(request.config, "report")
    return report

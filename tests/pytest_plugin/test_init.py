"""The plugin: its options and fixtures are there, and installed and unused it changes nothing."""

from importlib.metadata import entry_points

import pytest

from blueplane_doctor import pytest_plugin
from blueplane_doctor.pytest_plugin.record_names import record_names
from blueplane_doctor.settings.options import OPTIONS
from tests.pytest_plugin.support import OWN_CHECK

HEAVY = ("redis", "msgspec", "pydantic", "typer", "psutil", "yaml", "jinja2", "sqlite3", "blueplane_doctor.model")


def test_the_entry_point_is_declared() -> None:
    (entry,) = entry_points(group="pytest11", name="blueplane")
    assert entry.value == "blueplane_doctor.pytest_plugin"


def test_a_plain_run_loads_nothing_heavy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # other plugins may load what they like
    pytester.makepyfile(
        f"""
        import sys

        def test_nothing_heavy(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("blueplane")
            assert not pytestconfig.pluginmanager.has_plugin("blueplane-suite")
            assert [name for name in {HEAVY!r} if name in sys.modules] == []
        """
    )
    pytester.runpytest_subprocess("-p", "blueplane").assert_outcomes(passed=1)


@pytest.mark.slow
def test_check_files_are_not_collected(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(check_own=OWN_CHECK, test_mine="def test_mine(): pass")
    result = pytester.runpytest_subprocess("-v")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*blueplane::*")


def test_every_record_of_a_report_has_its_fixture() -> None:
    fixtures = {name.removeprefix("blueplane_") for name in vars(pytest_plugin) if name.startswith("blueplane_")}
    assert fixtures == {*record_names(), "report"}


@pytest.mark.slow
def test_every_option_of_the_table_that_is_for_pytest_is_there(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_subprocess("--help").stdout.str()
    for option in OPTIONS.values():
        flag = f"--blueplane-{option.flag.removeprefix('--')}"
        assert (f"{flag}=" in shown or f"{flag} " in shown) == option.in_pytest, flag

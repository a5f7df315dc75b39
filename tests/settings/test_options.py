"""The table of options: settings have a field for each, and values add up."""

from pathlib import Path

from blueplane_doctor.settings.options import COMMAND_LINE_VARIABLES, OPTIONS, Options, Scope, merged
from blueplane_doctor.settings.values import Settings


def test_every_option_that_is_a_setting_is_one() -> None:
    for option in OPTIONS.values():
        assert (option.name in Settings.model_fields) == (option.scope is Scope.SETTINGS or option.name == "waivers")
    assert "BLUEPLANE_DOCTOR_FORMAT" in COMMAND_LINE_VARIABLES
    assert "BLUEPLANE_DOCTOR_REDIS_URL" not in COMMAND_LINE_VARIABLES


def test_every_option_says_what_it_is() -> None:
    for option in OPTIONS.values():
        assert option.help.endswith(".")
        assert option.flag == f"--{option.name.replace('_', '-')}"
        assert option.repeatable == option.help.endswith("repeatable.")


def test_the_later_value_counts_and_lists_add_up() -> None:
    earlier = Options(timeout=5, select=["a"], home=Path("/a"), verbose=True)
    later = Options(timeout=7, select=["b", "c"], quiet=False)
    together = Options(timeout=7, select=["a", "b", "c"], home=Path("/a"), verbose=True, quiet=False)
    assert merged(earlier, later) == together


def test_flags_of_settings_are_as_settings_take_them() -> None:
    options = Options(select=["queue", "chain,database"], format="json", strict=False)
    assert options.settings_flags() == {"select": "queue,chain,database", "strict": False}

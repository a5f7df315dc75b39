"""Faults of hooks: each command with its file, each file with what is wrong there."""

from blueplane_doctor.capture.hook_wiring import (
    FileCommand,
    ReadFile,
    commands_that_do_not_run,
    may_tell_of_sessions,
    switched_off,
    unused_files,
)
from blueplane_doctor.sources.hook_files import CLAUDE, HookCommand, HookFile
from blueplane_doctor.sources.hook_programs import MISSING, RUNS, Program

OURS = HookCommand(CLAUDE, "SessionStart", "/x/blueplane-hook")
THEIRS = HookCommand(CLAUDE, "Stop", "/x/lint")


def test_a_command_is_told_with_its_file() -> None:
    commands = [FileCommand("one file", OURS, Program(MISSING)), FileCommand("another", THEIRS, Program(RUNS))]
    (fault,) = commands_that_do_not_run(commands)
    assert (fault.kind, fault.place, fault.entry, fault.ours) == ("command_missing", "one file", "SessionStart", True)


def test_a_file_of_a_project_that_does_not_name_us_is_its_own_affair() -> None:
    broken = HookFile(CLAUDE, is_there=True, problem="no JSON")
    files = [ReadFile("a project", broken, is_of_a_project=True), ReadFile("the user", broken)]
    assert [fault.place for fault in unused_files(files)] == ["the user"]


def test_only_managed_settings_switch_off_managed_hooks() -> None:
    switch = ReadFile("the user", HookFile(CLAUDE, is_there=True, disables_hooks=True))
    ours = ReadFile("managed", HookFile(CLAUDE, is_there=True, commands=(OURS,)), is_managed=True)
    assert list(switched_off([switch, ours])) == []
    assert [fault.kind for fault in switched_off([switch, ours._replace(is_managed=False)])] == ["hooks_disabled"]


def test_which_file_may_tell_of_sessions() -> None:
    assert may_tell_of_sessions(HookFile(CLAUDE, commands=(OURS,)))
    assert may_tell_of_sessions(HookFile(CLAUDE, problem="no JSON")), "that it is not used is told already"
    assert not may_tell_of_sessions(HookFile(CLAUDE, commands=(THEIRS, OURS._replace(event="Stop"))))

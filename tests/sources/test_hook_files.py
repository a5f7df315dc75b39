"""Hook files as the editors read them: what is strict JSON, which entry makes an editor skip all, what is off."""

import json
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.sources.hook_files import CLAUDE, CURSOR, HookFile, read_hook_file

COMMAND = {"type": "command", "command": "/opt/blueplane-hook SessionStart"}
GOOD = {"hooks": {"SessionStart": [{"hooks": [COMMAND]}]}}


def read(folder: Path, content: Any, editor: str = CLAUDE) -> HookFile:
    path = folder / "settings.json"
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    path.write_bytes(content)
    return read_hook_file(path, editor)


def claude(event: str, *hooks: Any, **matcher: Any) -> dict[str, Any]:
    return {"hooks": {event: [{"hooks": list(hooks), **matcher}]}}


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert read_hook_file(tmp_path / "none.json", CLAUDE) == HookFile(CLAUDE)


def test_a_good_file_names_its_commands(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD | {"permissions": {}, "env": {}, "somethingNew": 5})
    assert not file.problem and not file.doubt
    assert [(one.event, one.command, one.is_ours) for one in file.commands] == [
        ("SessionStart", "/opt/blueplane-hook SessionStart", True)
    ]
    hooks = {"version": 1, "hooks": {"stop": [{"command": "true"}, {"type": "prompt", "prompt": "x"}], "other": []}}
    file = read(tmp_path, hooks, CURSOR)
    assert not file.problem
    assert [(one.event, one.command, one.is_ours) for one in file.commands] == [("stop", "true", False)]


@pytest.mark.parametrize("editor", [CLAUDE, CURSOR])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xef\xbb\xbf{}", "it begins with a byte-order mark"),
        (b'{"hooks": {}} // ours', "Extra data"),
        (b'{/* ours */ "hooks": {}}', "Expecting property name"),
        (b'{"hooks": {},}', "not valid JSON"),
        (b'{"hooks": NaN}', "not usable"),
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[]", "holds no object"),
        (b'{"a": "\xff"}', "it is not UTF-8 text"),
        (b"[" * 100, "nested more than"),
    ],
)
def test_what_is_not_strict_json_is_not_no_hooks(tmp_path: Path, editor: str, content: bytes, words: str) -> None:
    file = read(tmp_path, content, editor)
    assert words in file.problem
    assert file.is_there and not file.commands


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    assert read_hook_file(tmp_path, CLAUDE).problem == "it cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("content", "entry"),
    [
        ({"hooks": []}, "hooks"),
        ({"hooks": {"Stop": {}}}, "hooks.Stop"),
        ({"hooks": {"Stop": [COMMAND]}}, "hooks.Stop[0].hooks"),
        ({"hooks": {"Stop": ["x"]}}, "hooks.Stop[0]"),
        (claude("Stop", COMMAND, matcher={"type": "always"}), "hooks.Stop[0].matcher"),
        (claude("Stop", COMMAND, {"type": "comand", "command": "x"}), "hooks.Stop[0].hooks[1].type"),
        (claude("Stop", {"command": "x"}), "hooks.Stop[0].hooks[0].type"),
        (claude("Stop", {"type": ["command"]}), "hooks.Stop[0].hooks[0].type"),
        (claude("Stop", {"type": "command"}), "hooks.Stop[0].hooks[0].command"),
        (claude("Stop", COMMAND | {"timeout": "60"}), "hooks.Stop[0].hooks[0].timeout"),
        (claude("Stop", COMMAND | {"timeout": True}), "hooks.Stop[0].hooks[0].timeout"),
        (GOOD | {"permissions": []}, "permissions"),
        (GOOD | {"env": "x"}, "env"),
        (GOOD | {"disableAllHooks": "false"}, "disableAllHooks"),
        (GOOD | {"cleanupPeriodDays": "30"}, "cleanupPeriodDays"),
    ],
)
def test_the_entry_that_makes_claude_code_skip_the_file_is_named(tmp_path: Path, content: Any, entry: str) -> None:
    file = read(tmp_path, content)
    assert file.entry == entry
    assert file.problem.startswith("it is ")
    assert not file.commands, "none of the file's hooks runs"


@pytest.mark.parametrize(
    ("content", "entry"),
    [
        ({"hooks": {"stop": {"command": "x"}}}, "hooks.stop"),
        ({"hooks": {"stop": ["x"]}}, "hooks.stop[0]"),
        ({"hooks": {"stop": [{"command": 5}]}}, "hooks.stop[0].command"),
        ({"hooks": "x"}, "hooks"),
    ],
)
def test_an_entry_that_cursor_does_not_take_is_named(tmp_path: Path, content: Any, entry: str) -> None:
    assert read(tmp_path, content, CURSOR).entry == entry


def test_a_name_that_is_not_known_is_never_shown(tmp_path: Path) -> None:
    file = read(tmp_path, {"hooks": {"SecretName": 5}})
    assert "Secret" not in file.entry and file.entry.startswith("hooks.<hidden-")


def test_a_hook_that_claude_code_may_not_know_is_a_doubt(tmp_path: Path) -> None:
    file = read(tmp_path, {"hooks": GOOD["hooks"] | {"SessionBegin": []}})
    assert not file.problem
    assert "versions that do not know it" in file.doubt
    assert not read(tmp_path, {"hooks": {"madeUp": []}}, CURSOR).doubt


def test_a_broken_file_still_tells_whether_it_names_the_pipeline(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps(GOOD).encode() + b",").names_us
    assert not read(tmp_path, b"{,").names_us


def test_what_switches_hooks_off(tmp_path: Path) -> None:
    file = read(tmp_path, {"disableAllHooks": True, "allowManagedHooksOnly": True})
    assert (file.disables_hooks, file.managed_only) == (True, True)
    file = read(tmp_path, {"disableAllHooks": False})
    assert (file.disables_hooks, file.managed_only) == (False, False)

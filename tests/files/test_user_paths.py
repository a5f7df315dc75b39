"""Paths of settings: what no file can have is refused, and relative ones begin at the file that holds them."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.files.user_paths import counted_from, usable_path
from blueplane_doctor.settings.values import load


@pytest.mark.parametrize("path", ["/a/b c", "relative", "/größe/漢字", "/" + "x" * 255, "/a\udcff"])
def test_a_path_is_kept_as_it_is(path: str) -> None:
    assert usable_path(Path(path)) == Path(path)


def test_a_tilde_is_the_user_s_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert usable_path(Path("~/x")) == tmp_path / "x"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        pytest.param("/a\0b", "no control characters", id="nul"),
        pytest.param("/a\nExecStartPre=/bin/sh", "no control characters", id="line-end"),
        pytest.param("/a\x1b[1m", "no control characters", id="terminal"),
        pytest.param("/a\x85b", "no control characters", id="next-line"),
        pytest.param("~nobody-here/x", "~ names a user who is not known here", id="no-such-user"),
        pytest.param("/" + "x" * 256, "at most 4095 bytes, a name in it 255", id="long-name"),
        pytest.param("/x" * 2_100, "at most 4095 bytes", id="long-path"),
        pytest.param("/" + "ä" * 128, "a name in it 255", id="bytes-count"),
        pytest.param("/\ud800", "it is no text", id="half-a-pair"),
    ],
)
def test_a_path_that_no_file_should_have(path: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="control characters|no file can have this name|names a user") as caught:
        usable_path(Path(path))
    assert told in str(caught.value)
    for name in ("database", "cursor_hooks"):
        with pytest.raises(SettingsError, match=f"--{name.replace('_', '-')}: "):
            load({"home": tmp_path, name: path})
    with pytest.raises(SettingsError, match="--home: "):
        load({"home": path})


def test_relative_paths_begin_at_the_file_that_holds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    home = tmp_path / "home"
    for folder in (elsewhere / "checks", home):
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    monkeypatch.chdir(elsewhere)
    file = home / "doctor.yaml"
    file.write_text("checks: [checks, ../more, /whole]\nmonitors: a, b\ndatabase: x.db\nevent_buffer: ~/b.db\n")
    file.chmod(0o644)
    settings = load({"home": Path("../home")}).settings
    beside = (elsewhere / ".." / "home").absolute()
    assert settings.checks == [beside / "checks", beside / "../more", Path("/whole")]
    assert settings.monitors == [beside / "a", beside / "b"]
    assert settings.database == beside / "x.db"
    assert settings.event_buffer == Path("~/b.db").expanduser()
    assert load({"home": Path("../home"), "database": "y.db"}).settings.database == Path("y.db"), "typed, so from here"


def test_values_of_another_type_are_left_to_the_settings(tmp_path: Path) -> None:
    values = {"checks": {"a": 1}, "database": 5, "monitors": [5, ""], "timeout": 3}
    assert counted_from(tmp_path, values) == values


@pytest.mark.parametrize("mode", [0o666, 0o606])
def test_settings_that_everybody_may_write_to_are_not_believed(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "doctor.yaml"
    file.write_text("timeout: 5")
    file.chmod(mode)
    with pytest.raises(SettingsError, match="every user may write to it") as caught:
        load({"home": tmp_path})
    assert f"chmod o-w {file}" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_root_reads_the_settings_of_another_user_and_runs_none_of_his_code(tmp_path: Path) -> None:
    file = tmp_path / "doctor.yaml"
    file.write_text("timeout: 5")
    for place in (tmp_path, file):
        os.chown(place, 65_534, 65_534)
    assert load({"home": tmp_path}).settings.timeout == 5
    file.write_text("timeout: 5\nchecks: [/usr/lib]")
    with pytest.raises(SettingsError, match="checks names code that would run with your rights") as caught:
        load({"home": tmp_path})
    assert "run this as that user" in caught.value.hint


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (["./tell", "./x"], ["/etc/blueplane/tell", "./x"]),
        ("bin/tell --loud", ["/etc/blueplane/bin/tell", "--loud"]),
        ("~/bin/tell", ["/home/me/bin/tell"]),
        (["/bin/tell"], ["/bin/tell"]),
        (["tell"], ["tell"]),
    ],
)
def test_the_program_of_a_command_is_never_taken_from_where_the_doctor_is_started(
    monkeypatch: pytest.MonkeyPatch, command: object, program: list[str]
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    for rules in ([{"command": command}], {"command": command}):
        ((rule,),) = counted_from(Path("/etc/blueplane"), {"notify": rules}).values()
        assert rule["command"] == program


@pytest.mark.parametrize("rules", ["ntfy://h/t", ["ntfy://h/t"], [{"command": 5}], [{"command": []}], [None]])
def test_other_targets_stay_as_they_are(tmp_path: Path, rules: object) -> None:
    assert counted_from(tmp_path, {"notify": rules}) == {"notify": rules}

"""The short way to the history's address ends where the whole settings end."""

from pathlib import Path

import pytest

from blueplane_doctor.commands.base import Invocation
from blueplane_doctor.commands.history import _short_way, history_url
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.settings import load

BLUEPLANE = "redis: {connection: {host: bluehost, port: 7001}}\n"


@pytest.mark.parametrize(
    ("flags", "variables", "doctor", "blueplane", "short"),
    [
        pytest.param({}, {}, "", "", False, id="nothing set: only the settings know the default"),
        pytest.param({}, {}, "", BLUEPLANE, True, id="Blueplane's own file"),
        pytest.param({}, {}, "", "redis: {connection: {host: h, port: 1, db: 3}}\n", True, id="another database"),
        pytest.param({}, {}, "", "redis: {connection: {host: bluehost}}\n", False, id="half an address"),
        pytest.param({}, {}, "", "redis: {connection: {host: '::1', port: 1}}\n", False, id="IPv6"),
        pytest.param({}, {}, "redis_url: redis://d:1/0\n", BLUEPLANE, True, id="the doctor's file comes first"),
        pytest.param({}, {}, "history_url: redis://h:1/0\n", BLUEPLANE, True, id="a history elsewhere"),
        pytest.param({}, {}, "history_url: null\n", BLUEPLANE, False, id="null"),
        pytest.param({"redis_url": "redis://f:1/0"}, {}, "history_url: redis://h:1/0\n", "", True, id="two names"),
        pytest.param({"history_url": "redis://f:1/0"}, {"HISTORY_URL": "redis://e:1"}, "", "", True, id="flag first"),
        pytest.param({}, {"HISTORY_URL": "redis://e:1"}, "history_url: redis://h:1\n", "", True, id="then environment"),
        pytest.param({}, {"REDIS_URL": "redis://e:1"}, "redis_url: redis://d:1\n", BLUEPLANE, True, id="examined one"),
        pytest.param({}, {"TIMEOUT": "3"}, "", BLUEPLANE, False, id="another variable"),
    ],
)
def test_the_short_way_agrees_with_the_settings(
    flags: dict[str, str],
    variables: dict[str, str],
    doctor: str,
    blueplane: str,
    short: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in (("doctor.yaml", doctor), ("config.yaml", blueplane)):
        if text:
            (tmp_path / name).write_text(text)
    for name, value in variables.items():
        monkeypatch.setenv(f"BLUEPLANE_DOCTOR_{name}", value)
    given = {"home": tmp_path, **flags}
    settings = load(given).settings
    assert history_url(Invocation(given)) == (settings.history_url or settings.redis_url)
    assert (_short_way(Invocation(given)) is not None) == short


@pytest.mark.parametrize("content", ["- a\n", "history_url: [\n", "history_url: 3\n", "home: /x\n"])
def test_a_file_that_cannot_be_used_is_refused_as_ever(content: str, tmp_path: Path) -> None:
    (tmp_path / "doctor.yaml").write_text(content)
    with pytest.raises(SettingsError):
        history_url(Invocation({"home": tmp_path}))


def test_a_misspelt_variable_is_refused_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUEPLANE_DOCTOR_HISTROY_URL", "redis://h:1")
    with pytest.raises(SettingsError, match="HISTROY_URL is not a setting"):
        history_url(Invocation({"home": tmp_path, "redis_url": "redis://x:1"}))


def test_a_settings_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        history_url(Invocation({"home": tmp_path}, settings_file=tmp_path / "none.yaml"))

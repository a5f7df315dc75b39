"""Rules of the settings: who is told, from which colour on, how often, and when not."""

import time
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.model import Status
from blueplane_doctor.records.field_checks import InvalidRecord
from blueplane_doctor.settings.notification_rules import NotifyRule
from blueplane_doctor.settings.values import Settings, load

SECRET = "s3cret-t0ken"


def rule(**values: Any) -> NotifyRule:
    return NotifyRule.model_validate({"url": "ntfy://host/topic", **values})


def test_a_url_alone_is_a_rule() -> None:
    settings = Settings.model_validate({"notify": ["ntfy://host/topic"]})
    (only,) = settings.notify
    assert (only.kind, only.least, only.remind_seconds) == ("ntfy", Status.ORANGE, 86_400)


def test_one_line_of_several_urls() -> None:
    settings = Settings.model_validate({"notify": "ntfy://host/topic  mailto://h?to=a,b"})
    assert [each.address for each in settings.notify] == ["ntfy://host/topic", "mailto://h?to=a,b"]


def test_a_command() -> None:
    given = NotifyRule.model_validate({"command": "notify-me --to 'a b'", "from": "red"})
    assert (given.kind, given.command, given.least) == ("command", ["notify-me", "--to", "a b"], Status.RED)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"url": "ntfy://a/b", "command": ["x"]},
        {"url": "not a url"},
        {"url": "ntfy://a b"},
        {"url": "ntfy://a/b", "from": "green"},
        {"url": "ntfy://a/b", "remind": "soon"},
        {"url": "ntfy://a/b", "remind": "1m"},
        {"url": "ntfy://a/b", "quiet": "25:00-07:00"},
        {"url": "ntfy://a/b", "quiet": "at night"},
        {"url": "ntfy://a/b", "colour": "red"},
    ],
)
def test_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord):
        NotifyRule.model_validate(values)


@pytest.mark.parametrize(
    ("quiet", "hour", "is_quiet"),
    [
        ("22:00-07:00", 21.99, False),
        ("22:00-07:00", 22.0, True),
        ("22:00-07:00", 3.0, True),
        ("22:00-07:00", 6.99, True),
        ("22:00-07:00", 7.0, False),
        ("12:30-13:00", 12.5, True),
        ("12:30-13:00", 13.0, False),
        ("", 3.0, False),
    ],
)
def test_quiet_hours_are_local(quiet: str, hour: float, is_quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        for zone, ahead in (("UTC", 0), ("Etc/GMT-5", 5)):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert rule(quiet=quiet).is_quiet(1_700_006_400 + 3600 * (hour - ahead)) is is_quiet
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_secret_is_shown() -> None:
    settings = Settings.model_validate({"notify": [f"ntfy://{SECRET}@h/t"], "heartbeat_url": f"https://h/{SECRET}"})
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()} {settings.notify[0]!r}"


@pytest.mark.parametrize(
    "text",
    [
        f"notify: ['nonsense {SECRET}']",
        f"notify: [{{url: 'ntfy://{SECRET}', from: blue}}]",
        f"notify: [{{uri: 'ntfy://{SECRET}'}}]",
        f"heartbeat_url: ftp://{SECRET}",
    ],
)
def test_no_refusal_shows_a_secret(tmp_path: Path, text: str) -> None:
    file = tmp_path / "doctor.yaml"
    file.write_text(text + "\n")
    with pytest.raises(SettingsError) as refused:
        load({"home": tmp_path})
    assert SECRET not in refused.value.message + refused.value.hint
    assert "notify" in refused.value.message or "heartbeat_url" in refused.value.message


def test_a_command_is_not_taken_from_a_file_that_others_may_change(tmp_path: Path) -> None:
    file = tmp_path / "doctor.yaml"
    file.write_text("notify: [{command: /bin/true}]\n")
    assert load({"home": tmp_path}).settings.notify
    file.chmod(0o664)
    tmp_path.chmod(0o777)
    try:
        with pytest.raises(SettingsError, match="code that would run"):
            load({"home": tmp_path})
    finally:
        tmp_path.chmod(0o755)

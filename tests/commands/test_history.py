"""`history` looks where the settings say, by the one precedence that all commands have."""

from pathlib import Path

import pytest

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.history import matching
from blueplane_doctor.errors import SettingsError, UsageError
from blueplane_doctor.settings.options import Options

BLUEPLANE = "redis: {connection: {host: bluehost, port: 7001}}\n"
DEFAULT = "redis://localhost:6379/0"


def history_url(home: Path, options: Options | None = None) -> str:
    """The Redis of the history, with a home and these options."""
    given = (options or Options()).given() | {"home": home}
    return Invocation(Options(**given)).load().settings.history_redis_url


@pytest.mark.parametrize(
    ("flags", "variables", "doctor", "blueplane", "url"),
    [
        pytest.param({}, {}, "", "", DEFAULT, id="nothing set"),
        pytest.param({}, {}, "", BLUEPLANE, "redis://bluehost:7001/0", id="Blueplane's own file"),
        pytest.param(
            {}, {}, "", "redis: {connection: {host: h, port: 1, db: 3}}\n", "redis://h:1/3", id="another database"
        ),
        pytest.param({}, {}, "", "redis: {connection: {host: bluehost}}\n", "redis://bluehost:6379/0", id="half of it"),
        pytest.param({}, {}, "", "redis: {connection: {host: '::1', port: 1}}\n", "redis://[::1]:1/0", id="IPv6"),
        pytest.param({}, {}, "redis_url: redis://d:1/0\n", BLUEPLANE, "redis://d:1/0", id="the doctor's file first"),
        pytest.param({}, {}, "history_url: redis://h:1/0\n", BLUEPLANE, "redis://h:1/0", id="a history elsewhere"),
        pytest.param({}, {}, "history_url: null\n", BLUEPLANE, "redis://bluehost:7001/0", id="null"),
        pytest.param(
            {"redis_url": "redis://f:1/0"}, {}, "history_url: redis://h:1/0\n", "", "redis://h:1/0", id="two names"
        ),
        pytest.param(
            {"history_url": "redis://f:1/0"}, {"HISTORY_URL": "redis://e:1"}, "", "", "redis://f:1/0", id="flag first"
        ),
        pytest.param(
            {}, {"HISTORY_URL": "redis://e:1"}, "history_url: redis://h:1\n", "", "redis://e:1", id="then environment"
        ),
        pytest.param(
            {}, {"REDIS_URL": "redis://e:1"}, "redis_url: redis://d:1\n", BLUEPLANE, "redis://e:1", id="examined one"
        ),
        pytest.param({}, {"TIMEOUT": "3"}, "", BLUEPLANE, "redis://bluehost:7001/0", id="another variable"),
    ],
)
def test_the_address_is_that_of_the_settings(
    flags: dict[str, str],
    variables: dict[str, str],
    doctor: str,
    blueplane: str,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in (("doctor.yaml", doctor), ("config.yaml", blueplane)):
        if text:
            (tmp_path / name).write_text(text)
    for name, value in variables.items():
        monkeypatch.setenv(f"BLUEPLANE_DOCTOR_{name}", value)
    assert history_url(tmp_path, Options(**flags)) == url


@pytest.mark.parametrize("content", ["- a\n", "history_url: [\n", "history_url: 3\n", "home: /x\n"])
def test_a_file_that_cannot_be_used_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "doctor.yaml").write_text(content)
    with pytest.raises(SettingsError):
        history_url(tmp_path)


def test_a_misspelt_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUEPLANE_DOCTOR_HISTROY_URL", "redis://h:1")
    with pytest.raises(SettingsError, match="HISTROY_URL is not a setting"):
        history_url(tmp_path, Options(redis_url="redis://x:1"))


def test_a_settings_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        history_url(tmp_path, Options(settings=tmp_path / "none.yaml"))


def test_names_and_globs_give_each_metric_once_in_the_order_given() -> None:
    known = ["queue.depth", "queue.lag", "redis.memory"]
    assert matching(["redis.*", "queue.*", "queue.lag"], known) == ["redis.memory", "queue.depth", "queue.lag"]


def test_a_name_without_its_area_is_suggested_with_it() -> None:
    with pytest.raises(UsageError) as error:
        matching(["dlq_siz"], ["queue.queue_depth", "queue.dlq_size"])
    assert "queue.dlq_size" in error.value.hint


def test_a_name_that_nobody_knows_is_not_suggested() -> None:
    """Whoever may write to Redis may have made it up."""
    with pytest.raises(UsageError) as error:
        matching(["sk_live_ab"], ["queue.queue_depth", "sk_live_abc"])
    assert "sk_live" not in error.value.hint

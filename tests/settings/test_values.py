"""Where settings come from, which comes first, and what is said of those that cannot be used."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from blueplane_doctor.checkapi import Scale
from blueplane_doctor.commands.settings import commented_defaults
from blueplane_doctor.errors import SettingsError
from blueplane_doctor.model import descriptions_of
from blueplane_doctor.plugins.discovery import find_checks, with_thresholds
from blueplane_doctor.settings.options import ENV_PREFIX
from blueplane_doctor.settings.values import Settings, load
from tests.refused_settings import refused


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty Blueplane home."""
    folder = tmp_path / ".blueplane"
    folder.mkdir()
    return folder


def blueplane(home: Path, port: int, name: str = "config.yaml") -> None:
    """Blueplane's own settings, with Redis on that port."""
    (home / name).write_text(yaml.safe_dump({"redis": {"connection": {"host": "blueplane", "port": port}}}))


def doctor(folder: Path, /, **values: Any) -> Path:
    """The doctor's own settings."""
    path = folder / "doctor.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_defaults() -> None:
    loaded = load()
    assert loaded.settings.redis_url == "redis://localhost:6379/0"
    assert loaded.settings.home == Path.home() / ".blueplane"
    assert loaded.settings.database_file == Path.home() / ".blueplane/telemetry.db"
    assert loaded.settings.buffer_file == Path.home() / ".blueplane/event_buffer.db"
    assert loaded.settings.cursor_hooks == Path.home() / ".cursor/hooks.json"
    assert loaded.origins == {}


def test_each_source_comes_before_the_next(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags, environment, doctor.yaml, config.yaml, redis.yaml, defaults: taken away one by one."""
    blueplane(home, 1, "redis.yaml")
    blueplane(home, 2)
    own = doctor(home, redis_url="redis://own:3/0")
    monkeypatch.setenv(f"{ENV_PREFIX}REDIS_URL", "redis://variable:4/0")
    flags = {"home": home, "redis_url": "redis://flag:5/0"}

    seen = [load(flags)]
    del flags["redis_url"]
    seen.append(load(flags))
    monkeypatch.delenv(f"{ENV_PREFIX}REDIS_URL")
    seen.append(load(flags))
    own.unlink()
    seen.append(load(flags))
    (home / "config.yaml").unlink()
    seen.append(load(flags))
    (home / "redis.yaml").unlink()
    seen.append(load(flags))

    assert [(s.settings.redis_url, s.origins.get("redis_url", "default")) for s in seen] == [
        ("redis://flag:5/0", "flag"),
        ("redis://variable:4/0", f"{ENV_PREFIX}REDIS_URL"),
        ("redis://own:3/0", str(own)),
        ("redis://blueplane:2/0", str(home / "config.yaml")),
        ("redis://blueplane:1/0", str(home / "redis.yaml")),
        ("redis://localhost:6379/0", "default"),
    ]


def test_nested_settings_merge_key_by_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config.yaml").write_text("streams: {message_queue: {max_length: 500}, dlq: {max_length: 50}}")
    own = doctor(home, streams={"max_length": 700}, thresholds={"queue-depth": {"yellow": 5, "red": 20_000}})
    monkeypatch.setenv(f"{ENV_PREFIX}STREAMS__QUEUE", "mine")
    loaded = load({"home": home})
    assert loaded.settings.streams.model_dump(include={"queue", "max_length", "dead_letter_max_length"}) == {
        "queue": "mine",
        "max_length": 700,
        "dead_letter_max_length": 50,
    }
    assert loaded.origins["streams.queue"] == f"{ENV_PREFIX}STREAMS__QUEUE"
    assert loaded.origins["streams.max_length"] == str(own)
    assert loaded.origins["streams.dead_letter_max_length"] == str(home / "config.yaml")
    assert loaded.origins["thresholds.queue-depth.yellow"] == str(own)


def test_a_named_file_replaces_the_doctors_own(home: Path, tmp_path: Path) -> None:
    doctor(home, timeout=5, strict=True)
    other = tmp_path / "other.yaml"
    other.write_text("timeout: 7")
    loaded = load({"home": home}, file=other)
    assert (loaded.settings.timeout, loaded.settings.strict) == (7, False)
    assert loaded.origins["timeout"] == str(other)


def test_the_home_may_come_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doctor(home, timeout=5)
    monkeypatch.setenv(f"{ENV_PREFIX}HOME", str(home))
    assert load().settings.timeout == 5


def test_a_named_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(file=tmp_path / "no.yaml").message == f"--settings {tmp_path / 'no.yaml'}: no such file"


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        load().settings.timeout = 5  # type: ignore[misc]


def test_own_checks_in_the_home_come_first(home: Path, tmp_path: Path) -> None:
    named = tmp_path / "more"
    assert load({"home": home, "checks": [named]}).settings.check_folders == [named]
    (home / "checks").mkdir()
    assert load({"home": home, "checks": [named]}).settings.check_folders == [home / "checks", named]


def uncommented(text: str) -> str:
    """The file of --init with every # taken away but those of prose."""
    return "\n".join(
        line[1:] if line.startswith("#") and (line[1:2] != " " or line[1:3] == "  ") else line
        for line in text.splitlines()
    )


def test_the_commented_file_means_nothing_until_it_is_uncommented(home: Path) -> None:
    (home / "doctor.yaml").write_text(commented_defaults())
    assert load({"home": home}).origins == {"home": "flag"}


def test_the_commented_file_holds_exactly_the_defaults(home: Path) -> None:
    path = home / "doctor.yaml"
    path.write_text(uncommented(commented_defaults()))
    named = set(yaml.safe_load(path.read_text()))
    assert named == set(Settings.model_fields) - {"home"}, "every setting is there"
    loaded, defaults = load({"home": home}).settings, Settings()
    assert loaded.model_dump(exclude={"home", "thresholds"}) == defaults.model_dump(exclude={"home", "thresholds"})
    specs = {spec.id: spec.scale for spec in find_checks().checks}
    changed: dict[str, Scale | None] = {spec.id: spec.scale for spec in with_thresholds(find_checks().checks, loaded)}
    assert changed == specs
    assert set(loaded.thresholds) == {name for name, scale in specs.items() if scale and scale.bounds}


def test_the_commented_file_explains_every_setting() -> None:
    text = commented_defaults()
    meanings = descriptions_of(Settings)
    assert meanings.keys() >= Settings.model_fields.keys()
    for name in Settings.model_fields:
        meaning = meanings[name]
        assert name in ("home", "thresholds") or f"# {meaning}\n#{name}:" in text


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"queue-depht": {"yellow": 5}}, "thresholds.queue-depht: there is no such check"),
        ({"queue-depth": {"yelow": 5}}, "thresholds.queue-depth.yelow: no such level"),
    ],
)
def test_a_threshold_that_means_nothing_is_named_with_its_file(
    thresholds: dict[str, Any], message: str, home: Path
) -> None:
    own = doctor(home, thresholds=thresholds)
    with pytest.raises(SettingsError) as caught:
        with_thresholds(find_checks().checks, load({"home": home}).settings)
    assert caught.value.message == f"{own}: {message}"
    assert caught.value.hint.startswith("did you mean ")

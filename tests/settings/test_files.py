"""The files of settings: the doctor's own in YAML, and Blueplane's in the doctor's names."""

from pathlib import Path

import pytest
import yaml

from blueplane_doctor.errors import SettingsError
from blueplane_doctor.settings.values import Settings, load
from tests.hostile_files import HOSTILE, put
from tests.refused_settings import refused


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty Blueplane home."""
    folder = tmp_path / ".blueplane"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param("redis: {connection: {host: h, port: 7000}}", "redis://h:7000/0", id="host-and-port"),
        pytest.param("redis: {connection: {port: 7000}}", "redis://localhost:7000/0", id="port-alone"),
        pytest.param("redis: {connection: {host: '::1'}}", "redis://[::1]:6379/0", id="ipv6"),
        pytest.param("connection: {host: h}", "redis://h:6379/0", id="without-redis"),
        pytest.param("redis: {host: h, port: 7000, db: 2}", "redis://h:7000/2", id="earlier-without-connection"),
        pytest.param("redis: {connection: [1]}", "redis://localhost:6379/0", id="of-another-shape"),
        pytest.param("redis:", "redis://localhost:6379/0", id="empty"),
    ],
)
def test_redis_from_blueplanes_settings(home: Path, text: str, url: str) -> None:
    (home / "config.yaml").write_text(text)
    assert load({"home": home}).settings.redis_url == url


def test_files_that_blueplane_names_do_not_count_for_its_server_writes_to_the_home(home: Path, tmp_path: Path) -> None:
    named, buffer = tmp_path / "elsewhere.db", tmp_path / "buffer.db"
    files = {"telemetry_db": str(named), "event_buffer_db": str(buffer)}
    (home / "config.yaml").write_text(yaml.safe_dump({"paths": {"database": files}}))
    assert load({"home": home}).settings.database_file == home / "telemetry.db"
    named.touch()
    buffer.touch()
    settings = load({"home": home}).settings
    assert (settings.database_file, settings.buffer_file) == (home / "telemetry.db", home / "event_buffer.db")


def test_a_server_on_all_addresses_is_asked_on_its_own(home: Path) -> None:
    (home / "config.yaml").write_text("http_endpoint: {host: 0.0.0.0, port: 9000}")
    assert load({"home": home}).settings.http_url == "http://127.0.0.1:9000"


def test_the_earlier_layouts_names(home: Path) -> None:
    (home / "redis.yaml").write_text("streams: {message_queue: {name: telemetry:events, consumer_group: processors}}")
    streams = load({"home": home}).settings.streams
    assert (streams.queue, streams.group) == ("telemetry:events", "processors")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"timeout: 5\nselect: [a\n", " line 3: not valid YAML", id="bad-yaml"),
        pytest.param(b"a: b: c\n", " line 1: not valid YAML", id="bad-mapping"),
        pytest.param(b"- a\n- b\n", ": must hold names and values, not list", id="a-list"),
        pytest.param(b"just text\n", ": must hold names and values, not str", id="text"),
        pytest.param(b"\xff\xfe\x00", ": cannot be read: ", id="not-text"),
        pytest.param(b"!!python/object/apply:os.system ['true']\n", "not valid YAML", id="code"),
        pytest.param(b"a: \x00b\n", "not valid YAML", id="control-character"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(home: Path, content: bytes, told: str) -> None:
    path = home / "doctor.yaml"
    path.write_bytes(content)
    error = refused({"home": home})
    assert error.message.startswith(str(path))
    assert told in error.message


def test_a_folder_in_place_of_the_file(home: Path) -> None:
    (home / "doctor.yaml").mkdir()
    assert "doctor.yaml: cannot be read: Is a directory" in refused({"home": home}).message


@pytest.mark.parametrize("content", ["", "# nothing but words\n", "---\n"], ids=["empty", "comments", "document"])
def test_an_empty_file_is_fine(home: Path, content: str) -> None:
    (home / "doctor.yaml").write_text(content)
    assert load({"home": home}).origins == {"home": "flag"}


def test_a_bad_config_of_blueplane_is_named(home: Path) -> None:
    (home / "config.yaml").write_text("streams: {message_queue: {max_length: lots}}")
    assert f"{home / 'config.yaml'}: streams.message_queue.max_length: " in refused({"home": home}).message


@pytest.mark.parametrize("name", ["config.yaml", "redis.yaml", "doctor.yaml"])
@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind != "dangling"])
def test_what_stands_in_the_place_of_settings_is_named(home: Path, name: str, kind: str) -> None:
    put(kind, home / name)
    assert f"{name}: cannot be read: " in refused({"home": home}).message


@pytest.mark.parametrize("name", ["config.yaml", "doctor.yaml"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param("timeout: 2026-13-45", id="no-date"),
        pytest.param("streams: &a {queue: q}", id="anchor"),
        pytest.param("timeout: " + "9" * 400, id="400-digits"),
        pytest.param("timeout: " + "9" * 5_000, id="5000-digits"),
        pytest.param("streams: " + "[" * 60 + "]" * 60, id="deep"),
    ],
)
def test_values_that_are_beyond_every_limit(home: Path, name: str, content: str) -> None:
    (home / name).write_text(content)
    assert str(home / name) in refused({"home": home}).message


@pytest.mark.parametrize("name", ["config.yaml", "redis.yaml"])
@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind != "dangling"])
def test_an_examination_does_without_a_file_of_blueplane_that_cannot_be_read(home: Path, name: str, kind: str) -> None:
    put(kind, home / name)
    settings = load({"home": home}, for_examination=True).settings
    assert settings.unused_config.startswith(f"{name}: cannot be read: ")
    assert str(home) not in settings.unused_config
    assert settings.redis_url == Settings().redis_url
    assert settings.is_stand_in("redis_url")
    named = load({"home": home, "redis_url": "redis://127.0.0.1:6391"}, for_examination=True).settings
    assert not named.is_stand_in("redis_url")


def test_an_examination_does_without_the_values_that_are_wrong_alone(home: Path) -> None:
    endpoint = "http_endpoint: {port: none}"
    redis = "redis: {connection: {port: 6391}}"
    (home / "config.yaml").write_text(f"{redis}\n{endpoint}\nstreams: {{message_queue: {{max_length: lots}}}}\n")
    settings = load({"home": home, "timeout": 7}, for_examination=True).settings
    assert (settings.redis_url, settings.timeout) == ("redis://localhost:6391/0", 7)
    assert (settings.http_url, settings.streams.max_length) == (Settings().http_url, 10_000)
    assert "config.yaml: streams.message_queue.max_length: " in settings.unused_config
    assert "config.yaml: http_endpoint: " in settings.unused_config
    assert (settings.is_stand_in("http_url"), settings.is_stand_in("redis_url")) == (True, False)


def test_the_doctors_own_file_must_be_right_for_an_examination_too(home: Path) -> None:
    (home / "config.yaml").write_text("a: [")
    (home / "doctor.yaml").write_text("timeout: soon")
    with pytest.raises(SettingsError, match="timeout"):
        load({"home": home}, for_examination=True)
    (home / "doctor.yaml").write_text("timeout: 5")
    assert load({"home": home}, for_examination=True).settings.unused_config.startswith("config.yaml: line ")


def test_settings_that_are_right_say_nothing(home: Path) -> None:
    assert load({"home": home}, for_examination=True).settings.unused_config == ""


@pytest.mark.parametrize("content", ["1: 2", "~: 1", "on: 1", "streams: {1: 2}"])
def test_names_that_are_no_text(home: Path, content: str) -> None:
    (home / "doctor.yaml").write_text(content)
    assert "a name must be text" in refused({"home": home}).message


def test_a_bad_json_variable_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUEPLANE_DOCTOR_THRESHOLDS", '{"queue-depth": {"red": ' + "9" * 400 + "}}")
    assert "BLUEPLANE_DOCTOR_THRESHOLDS: not usable: it holds a number" in refused({"home": home}).message


def test_text_that_is_not_utf_8_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "flag: redis_url: it is no text" in refused({"home": home, "redis_url": "redis://a\udcff/0"}).message
    monkeypatch.setenv("BLUEPLANE_DOCTOR_STREAMS__QUEUE", "a\udcff")
    assert "environment: streams: it is no text" in refused({"home": home}).message

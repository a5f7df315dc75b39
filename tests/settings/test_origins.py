"""Where settings come from: the environment, and the source that an error names."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from blueplane_doctor.settings.options import ENV_PREFIX
from blueplane_doctor.settings.values import load
from tests.refused_settings import SECRET, refused


@pytest.mark.parametrize("text", ["queue-depth,chain", "queue-depth chain", " queue-depth ,  chain ", '["x"]'])
def test_words_from_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{ENV_PREFIX}SELECT", text)
    assert load().settings.select == (['["x"]'] if text == '["x"]' else ["queue-depth", "chain"])


@pytest.mark.parametrize(
    ("values", "named", "hint"),
    [
        pytest.param({"redis_ulr": "x"}, "redis_ulr: there is no such setting", "redis_url", id="unknown-key"),
        pytest.param({"zzz": 1}, "zzz: there is no such setting", "settings --init", id="unknown-key-like-no-other"),
        pytest.param({"streams": {"queu": "x"}}, "streams.queu: there is no such", "queue", id="unknown-nested-key"),
        pytest.param(
            {"notify": [{f"ntfy://{SECRET}/x": {}}]}, "notify.0.ntfy://…: there is no such", "", id="url-as-key"
        ),
        pytest.param({"timeout": "soon"}, "timeout: ", "", id="wrong-type"),
        pytest.param({"timeout": 0}, "timeout: ", "", id="out-of-range"),
        pytest.param({"timeout": float("inf")}, "timeout: ", "", id="infinite"),
        pytest.param({"timeout": 1e12}, "timeout: ", "", id="longer-than-a-lock-can-wait"),
        pytest.param({"session_timeout_hours": 1e12}, "session_timeout_hours: ", "", id="before-the-first-year"),
        pytest.param({"streams": {"max_length": "many"}}, "streams.max_length: ", "", id="wrong-type-nested"),
        pytest.param({"streams": 5}, "streams: ", "", id="not-a-mapping-nested"),
        pytest.param({"fail_on": "purple"}, "fail_on: ", "yellow, orange, red or never", id="no-colour"),
        pytest.param({"fail_on": "green"}, "fail_on: ", "yellow, orange, red or never", id="green-is-no-failure"),
        pytest.param(
            {"thresholds": {"queue-depth": {"yellow": "many"}}}, "thresholds.queue-depth.yellow: ", "", id="t"
        ),
        pytest.param({"redis_url": f"http://:{SECRET}@h"}, "redis_url: ", "redis://", id="not-a-redis-url"),
        pytest.param({"redis_url": f"redis://:{SECRET}@h:port"}, "redis_url: ", "redis://", id="port-no-number"),
        pytest.param({"redis_url": f"redis://:{SECRET}@[h"}, "redis_url: ", "redis://", id="bad-address"),
        pytest.param({"redis_url": [f"redis://:{SECRET}@h"]}, "redis_url: ", "", id="a-list-with-a-secret"),
        pytest.param({"http_url": f"http://:{SECRET}@h:port"}, "http_url: ", "http://", id="http-port-no-number"),
        pytest.param({"home": "/elsewhere"}, "home cannot be set in a file", "--home", id="home-in-a-file"),
        pytest.param({"routes": [{"name": "x"}]}, "routes.0.", "", id="incomplete-route"),
        pytest.param(
            {"instrument_targets": [{"where": "a:b", "records": "song"}]}, "instrument_targets.0.records: ", "", id="s"
        ),
        pytest.param(
            {"instrument_targets": [{"where": "a.b", "records": "hook"}]}, "instrument_targets.0: where", "", id="w"
        ),
    ],
)
def test_a_bad_file_is_named_with_its_key_and_a_hint(
    tmp_path: Path, values: dict[str, Any], named: str, hint: str
) -> None:
    path = tmp_path / "doctor.yaml"
    path.write_text(yaml.safe_dump(values))
    error = refused({"home": tmp_path})
    assert str(path) in error.message
    assert named in error.message
    assert error.hint, "says what to try"
    assert hint in error.hint + error.message


def test_a_bad_flag_is_named_as_it_was_given() -> None:
    assert refused({"fail_on": "purple"}).message.startswith("--fail-on: ")


@pytest.mark.parametrize(
    ("variable", "value", "named", "hint"),
    [
        pytest.param("REDIS_ULR", "x", "REDIS_ULR is not a setting", "BLUEPLANE_DOCTOR_REDIS_URL", id="typing-error"),
        pytest.param("QQQQQQQQ", "x", "QQQQQQQQ is not a setting", "", id="like-no-other"),
        pytest.param("TIMEOUT", "soon", "BLUEPLANE_DOCTOR_TIMEOUT: timeout: ", "", id="wrong-type"),
        pytest.param("STRICT", "perhaps", "BLUEPLANE_DOCTOR_STRICT: strict: ", "", id="no-boolean"),
        pytest.param("STREAMS__QUEU", "x", "STREAMS__QUEU: streams.queu: there is no such", "queue", id="nested"),
        pytest.param("THRESHOLDS", "{no json", "BLUEPLANE_DOCTOR_THRESHOLDS", "JSON", id="bad-json"),
        pytest.param("ROUTES", "[1", "BLUEPLANE_DOCTOR_ROUTES: not valid JSON", "JSON", id="bad-json-list"),
        pytest.param("REDIS_URL", f"http://:{SECRET}@h", "BLUEPLANE_DOCTOR_REDIS_URL: ", "redis://", id="no-redis"),
    ],
)
def test_a_bad_variable_is_named_with_a_hint(
    variable: str, value: str, named: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV_PREFIX + variable, value)
    error = refused()
    assert named in error.message
    assert error.hint, "says what to try"
    assert hint in error.hint


def test_json_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{ENV_PREFIX}THRESHOLDS", json.dumps({"queue-depth": {"yellow": 5, "red": None}}))
    assert load().settings.thresholds == {"queue-depth": {"yellow": 5, "red": None}}

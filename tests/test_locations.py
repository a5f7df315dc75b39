"""Where the parts of the pipeline are: resolved addresses, quoted, and nothing private but for the terminal."""

import shlex
from pathlib import Path

import pytest

from blueplane_doctor.locations import Locations, locate, revealed
from blueplane_doctor.model import Finding, Remedy, Report, Status, Tool
from blueplane_doctor.privacy.public_text import hidden
from blueplane_doctor.settings.values import Settings, StreamSettings, load
from tests.checks.builders import built_in, healthy_records

PASSWORD = "hunter2-geheim"


def redis_cli(url: str) -> str:
    return locate(Settings(redis_url=url)).locations.redis_cli


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("redis://localhost:6379/0", "redis-cli -p 6379"),
        ("redis://127.0.0.1:6380", "redis-cli -p 6380"),
        ("redis://127.0.0.9:6380", "redis-cli -h 127.0.0.9 -p 6380"),
        ("redis://[::1]:6380/3", "redis-cli -h ::1 -p 6380 -n 3"),
        ("redis://queue.internal.example:6380/2", "redis-cli -h <redis-host> -p 6380 -n 2"),
        (f"redis://:{PASSWORD}@localhost:6380", "redis-cli -p 6380 --askpass"),
        (f"redis://doctor:{PASSWORD}@localhost:6380", "redis-cli -p 6380 --user <redis-user> --askpass"),
        (
            "rediss://localhost:6380?ssl_ca_certs=/secret/ca.pem&ssl_certfile=/secret/me.pem",
            "redis-cli -p 6380 --tls --cacert <ssl-ca-certs> --cert <ssl-certfile>",
        ),
        ("unix:///run/private/redis.sock?db=4", "redis-cli -s <redis-socket> -n 4"),
        ("redis+cluster://localhost:7001,localhost:7002", "redis-cli -c -p 7001"),
        (
            "redis+sentinel://localhost:26379,localhost:26380/my service/1",
            "redis-cli $(redis-cli -p 26379 SENTINEL get-master-addr-by-name 'my service'"
            " | xargs printf -- '-h %s -p %s') -n 1",
        ),
    ],
)
def test_redis_cli_is_told_where_to_go(url: str, command: str) -> None:
    assert redis_cli(url) == command


def test_a_socket_in_the_home_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert redis_cli(f"unix://{tmp_path}/.blueplane/redis.sock") == "redis-cli -s ~/.blueplane/redis.sock"


def test_the_usual_places_are_shown() -> None:
    assert locate(Settings()).locations == Locations(
        redis_cli="redis-cli -p 6379",
        home="~/.blueplane",
        log="~/.blueplane/server.log",
        database="~/.blueplane/telemetry.db",
        event_buffer="~/.blueplane/event_buffer.db",
        cursor_hooks="~/.cursor/hooks.json",
        server_url="http://127.0.0.1:8787",
        doctor="blueplane-doctor",
    )
    assert locate(Settings()).true_values == {}


def test_other_places_are_placeholders(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path / "my home",
        database=tmp_path / "elsewhere" / "t.db",
        http_url="http://core.internal.example:9000",
        redis_url=f"redis://:{PASSWORD}@localhost:6380",
    )
    locations, true_values = locate(settings)
    assert locations.log == "<home>/server.log"
    assert locations.database == "<database>"
    assert locations.event_buffer == "<home>/event_buffer.db"
    assert locations.server_url == "http://<server-host>:9000"
    assert locations.doctor == (
        "BLUEPLANE_DOCTOR_HTTP_URL=http://<server-host>:9000"
        " blueplane-doctor --home <home> --redis-url <redis-url> --database <database>"
    )
    home = str(tmp_path / "my home")
    database = str(tmp_path / "elsewhere" / "t.db")
    assert true_values == {
        "<home>": home,
        "<database>": database,
        "<server-host>": "core.internal.example",
        hidden(home): home,
        hidden(database): database,
    }
    assert PASSWORD not in f"{locations} {true_values}"


def test_the_true_values_are_quoted_in_commands(tmp_path: Path) -> None:
    home = tmp_path / "it's; here"
    locations, true_values = locate(Settings(home=home))
    remedy = Remedy(text=f"Look into {locations.home}.", commands=[f"tail -n 50 {locations.log}"])
    finding = Finding(id="x", status=Status.RED, summary="x", remedy=remedy)
    report = Report(
        tool=Tool(version="0"),
        generated_at="2026-03-14T09:26:53Z",
        duration_ms=0,
        status=Status.RED,
        exit_code=1,
        counts={},
        findings=[finding],
    )
    shown = revealed(report, true_values).findings[0].remedy
    assert shown is not None
    assert shown.text == f"Look into {home}."
    assert shlex.split(shown.commands[0]) == ["tail", "-n", "50", f"{home}/server.log"]


@pytest.mark.parametrize("check_id", built_in())
def test_no_remedy_names_a_place_of_its_own(check_id: str) -> None:
    """With everything elsewhere, no usual place is named in any remedy that a healthy record brings up."""
    elsewhere = Locations(
        redis_cli="redis-cli -p 1",
        home="<home>",
        log="<home>/server.log",
        database="<database>",
        event_buffer="<event-buffer>",
        cursor_hooks="<cursor-hooks>",
        server_url="http://127.0.0.1:1",
        doctor="blueplane-doctor --home <home>",
    )
    finding = built_in()[check_id].run(healthy_records() | {"locations": elsewhere})
    assert finding.remedy is None or "~/" not in f"{finding.remedy}"


def test_what_a_plain_run_finds_by_itself_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the home say it: so the command stays short, and what a flag says otherwise is in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    home = tmp_path / ".blueplane"
    home.mkdir()
    (home / "config.yaml").write_text("redis: {connection: {port: 6390}}\nhttp_endpoint: {port: 9001}\n")
    assert locate(load().settings).locations.doctor == "blueplane-doctor"
    named = load({"redis_url": "redis://127.0.0.1:6391/0"}).settings
    assert locate(named).locations.doctor == "blueplane-doctor --redis-url redis://127.0.0.1:6391/0"


def test_names_of_the_settings_are_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    streams = StreamSettings(queue="acme:events", dead_letters=["acme:dead", "telemetry:dlq"], group="processors")
    true_values = locate(Settings(streams=streams, database=tmp_path / "telemetry.db")).true_values
    assert true_values[hidden("acme:events")] == "acme:events"
    assert true_values[hidden("acme:dead")] == "acme:dead"
    assert hidden("telemetry:dlq") not in true_values
    command = f"redis-cli XLEN {hidden('acme:events')}"
    finding = Finding(
        id="x",
        area="x",
        status=Status.RED,
        summary=f"{hidden('acme:events')} is gone",
        evidence={"queue": hidden("acme:events")},
        remedy=Remedy(text="Look.", commands=[command]),
    )
    report = Report(
        tool=Tool(version="1"),
        generated_at="2026-03-14T09:26:53.000Z",
        duration_ms=1,
        status=Status.RED,
        exit_code=1,
        counts={"red": 1},
        findings=[finding],
    )
    (shown,) = revealed(report, true_values).findings
    assert shown.summary == "acme:events is gone"
    assert shown.evidence == {"queue": "acme:events"}
    assert shown.remedy == Remedy(text="Look.", commands=["redis-cli XLEN acme:events"])

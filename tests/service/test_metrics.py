"""A real Prometheus scrapes a real service."""

import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from blueplane_doctor.export.prometheus_rules import render
from blueplane_doctor.plugins.discovery import find_checks, selected
from blueplane_doctor.settings.values import Settings
from tests.export.support import promtool, require_program
from tests.service.support import Served
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow


def test_the_format_is_what_promtool_wants(served: Served) -> None:
    command = [require_program("promtool"), "check", "metrics"]
    checked = subprocess.run(
        command, input=served.get("/metrics").text, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_scrapes_judges_and_answers(served: Served, tmp_path: Path) -> None:
    program = require_program("prometheus")
    available = find_checks()
    rules = render(selected(available.checks, Settings()), available.causes)
    (tmp_path / "rules.yml").write_text(rules, encoding="utf-8")
    settings = tmp_path / "prometheus.yml"
    target = served.url.removeprefix("http://")
    settings.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{tmp_path / 'rules.yml'}']\n"
        f"scrape_configs: [{{job_name: blueplane, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    assert promtool("check", "config", settings).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = [f"--config.file={settings}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    arguments += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

            def value(query: str) -> str | None:
                try:
                    found = client.get("/api/v1/query", params={"query": query}).json()["data"]["result"]
                except (httpx.TransportError, ValueError):
                    return None
                return str(found[0]["value"][1]) if found else None

            wait_until(lambda: value('up{job="blueplane"}') == "1", "not scraped")
            assert value("blueplane_doctor_report_status") == "0"
            assert value('blueplane_doctor_check_status{id="queue-depth"}') == "0"
            assert float(value("blueplane_doctor_report_age_seconds") or "inf") < 5
            time.sleep(1.5)
            rules = client.get("/api/v1/rules").json()["data"]["groups"]
            assert len(rules) > 5
            assert {rule["health"] for group in rules for rule in group["rules"]} <= {"ok", "unknown"}
            assert client.get("/api/v1/alerts").json()["data"]["alerts"] == []
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)

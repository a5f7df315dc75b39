"""The Dockerfile and the compose file, as far as they can be judged without a container engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from blueplane_doctor.cli import app
from tests.packaging.conftest import ROOT

DOCKERFILE = (ROOT / "packaging" / "Dockerfile").read_text()
COMPOSE = ROOT / "packaging" / "compose.yaml"


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments, continued lines joined."""
    lines = re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line and line[0] != "#")]


def services() -> dict[str, Any]:
    """The services of the compose file, anchors resolved."""
    described: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return described


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "file"),
    [("vendor.compose-spec", COMPOSE), ("vendor.github-actions", ROOT / "action.yml")],
    ids=["compose", "action"],
)
def test_the_published_schema_accepts_it(schema: str, file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_image_is_pinned_to_a_version_and_a_digest() -> None:
    images = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    images += [service["image"] for service in services().values() if "build" not in service]
    assert images
    assert all(re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?-[a-z-]+@sha256:[0-9a-f]{64}", image) for image in images), images


def test_the_image_runs_as_nobody_in_particular_and_tells_its_health() -> None:
    last_stage = instructions()[max(i for i, (name, _) in enumerate(instructions()) if name == "FROM") :]
    told = dict(last_stage)
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", told["USER"])
    assert "/readyz" in told["HEALTHCHECK"]
    assert told["ENTRYPOINT"] == '["blueplane-doctor"]'


def test_the_image_installs_pinned_requirements_alone() -> None:
    installs = [
        part for name, rest in instructions() if name == "RUN" for part in rest.split("&&") if "install" in part
    ]
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)


@pytest.mark.parametrize("name", ["redis", "recorder", "service"])
def test_every_service_is_contained(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith(("0", "root"))
    assert "privileged" not in service
    assert service["healthcheck"] if name != "service" else "healthcheck" not in service


@pytest.mark.parametrize("name", ["recorder", "service"])
def test_the_home_is_mounted_read_only_as_the_guide_says(name: str) -> None:
    (mount,) = services()[name]["volumes"]
    assert mount.endswith(":/blueplane:ro")
    assert "mount Blueplane's home read-only" in (ROOT / "docs" / "INSTALLATION.md").read_text()


def test_redis_keeps_its_data_never_evicts_and_listens_on_loopback_alone() -> None:
    redis = services()["redis"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    assert options == {"--appendonly": "yes", "--appendfsync": "everysec", "--maxmemory-policy": "noeviction"}
    assert redis["volumes"] == ["redis:/data"]
    assert all(port.startswith("127.0.0.1:") for port in redis["ports"])


@pytest.mark.parametrize("name", ["recorder", "service"])
def test_the_commands_exist(name: str) -> None:
    assert CliRunner().invoke(app, [*services()[name]["command"], "--help"]).exit_code == 0

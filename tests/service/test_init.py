"""The router, mounted into other applications."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from blueplane_doctor.demo.simulator import Pipeline
from tests.waiting import PATIENCE_SECONDS, wait_until


@pytest.mark.slow
def test_mounted_into_another_application_with_one_line(healthy: Pipeline, tmp_path: Path) -> None:
    program = tmp_path / "their_server.py"
    program.write_text(
        "import socket, sys\n"
        "import fastapi, uvicorn\n"
        "import blueplane_doctor.service\n"
        "from blueplane_doctor.settings.values import load\n"
        "settings = load({'home': sys.argv[1], 'redis_url': sys.argv[2]}).settings\n"
        "app = fastapi.FastAPI()\n"
        "app.include_router(blueplane_doctor.service.router(settings), prefix='/doctor')\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "print(listener.getsockname()[1], flush=True)\n"
        "uvicorn.Server(uvicorn.Config(app, log_level='critical')).run([listener])\n"
    )
    command = [sys.executable, str(program), str(healthy.home), healthy.redis_url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        port = process.stdout.readline().strip()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/doctor", trust_env=False) as client:

            def ready() -> bool:
                try:
                    return client.get("/readyz").status_code == 200
                except httpx.ConnectError:
                    return False

            wait_until(ready, "not ready")
            assert client.get("/api/v1/health/chain").json()["chain_status"] == "healthy"
            assert "Blueplane pipeline health" in client.get("/").text
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        process.stdout.close()

"""A small healthy pipeline: the whole report beside the pipeline's own status command, and what a start imports.

    BLUEPLANE_CORE=FOLDER python -m benchmarks start

FOLDER is a checkout of the pipeline, whose scripts/server_ctl.py is run; without it, only our own time is printed.
It reads the config.yaml of its own folder, so it is run from a temporary copy that names the servers of the scene.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Run, figure, paired, run
from blueplane_doctor.demo.faults import healthy
from blueplane_doctor.demo.servers import run_server, stand_in_server
from blueplane_doctor.demo.simulator import Pipeline

PAIRS = 15
_SHOW_MODULES = "import sys; from blueplane_doctor.__main__ import main\ntry: main()\nfinally: print(len(sys.modules))"


def copy_of_core(core: Path, config: Path, folder: Path) -> Path:
    """The status command in a copy that reads `config`."""
    for part in ("src", "scripts"):
        shutil.copytree(core / part, folder / part)
    (folder / "config").mkdir()
    shutil.copy(config, folder / "config")
    return folder / "scripts" / "server_ctl.py"


def main() -> None:
    """Print the figures of a start."""
    with tempfile.TemporaryDirectory() as folder, run_server(tcp=True) as server, stand_in_server() as stand_in:
        home = Path(folder, ".blueplane")
        with Pipeline(server.url, home, pid=stand_in.pid) as pipeline:
            pipeline.configure(http_port=stand_in.port)
            pipeline.install_cursor_hooks()
            healthy(pipeline, minutes=4)
        environment = {**os.environ, "HOME": folder}
        words = ["--home", str(home), "--redis-url", server.url]

        def doctor() -> Run:
            return run([sys.executable, "-m", "blueplane_doctor", *words], environment)

        script = Path()
        if "BLUEPLANE_CORE" in os.environ:
            script = copy_of_core(Path(os.environ["BLUEPLANE_CORE"]), home / "config.yaml", Path(folder, "core"))

        def status() -> Run:
            done = run([sys.executable, str(script), "status", "--verbose"], environment)
            # What cannot connect takes other times: it waits, and leaves questions out.
            assert "Status: CONNECTED" in done.output, done.output
            assert "NOT REACHABLE" not in done.output, done.output
            return done

        def bare() -> Run:
            return run([sys.executable, "-c", "pass"], environment)

        other = bare
        if "BLUEPLANE_CORE" in os.environ:
            other = status
        both = paired(doctor, other, PAIRS)
        figure("a small healthy pipeline, the whole report", both.first.wall * 1000, "ms")
        if other is status:
            figure("server_ctl.py status --verbose", both.second.wall * 1000, "ms")
            figure("whole report / status (wall)", both.ratio, "x", "at most 1.0")
            figure("whole report / status (processor)", both.cpu_ratio, "x")
        shown = subprocess.run(
            [sys.executable, "-c", _SHOW_MODULES, *words], capture_output=True, text=True, env=environment, check=False
        )
        figure("modules that it imported", int(shown.stdout.split()[-1]), "")


if __name__ == "__main__":
    main()

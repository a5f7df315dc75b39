"""Sizes and start-up of the artifacts: the wheel, the zipapp and the executable beside a virtual environment.

    make dist
    python -m benchmarks.bench_packaging [FOLDER]

The virtual environment is made here from the wheels and pins, so that all of them start the same installed code. A
limit that is missed is named, and the exit code is 1.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.measure import figure, paired, run

WHEEL_KB = 650.0
START_UP_FACTOR = 2.0
PAIRS = 9
COMMANDS = (("--version",), ("checks",))


def installed(folder: Path, dist: Path) -> Path:
    """The command in a fresh virtual environment."""
    venv.create(folder, with_pip=True)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", dist / "requirements-demo.txt"], check=True)
    subprocess.run([*pip, "--no-index", *dist.glob("*.whl")], check=True)
    return folder / "bin" / "blueplane-doctor"


def only(dist: Path, pattern: str) -> Path:
    """The one file of that pattern."""
    (artifact,) = dist.glob(pattern)
    return artifact


def sizes(dist: Path) -> None:
    """Of each file, in kB."""
    for file in sorted(path for path in dist.iterdir() if path.is_file()):
        figure(f"size of {file.name}", file.stat().st_size / 1000, "kB")


def main() -> int:
    """Print the figures; 1 when a limit is missed."""
    dist = Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()
    missed = []
    sizes(dist)
    if only(dist, "blueplane_doctor-*.whl").stat().st_size > WHEEL_KB * 1000:
        missed.append(f"base wheel: more than {WHEEL_KB:g} kB")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "HOME": folder}
        usual = str(installed(Path(folder, "venv"), dist))
        zipapp = [sys.executable, str(only(dist, "*.pyz"))]
        executable = [str(only(dist, f"blueplane-doctor-*-{sys.platform}-*[!z]"))]
        figure("zipapp, first start (unpacks)", run([*zipapp, "--version"], environment).wall * 1000, "ms")
        for words in COMMANDS:
            for name, command, limit in (("zipapp", zipapp, START_UP_FACTOR), ("executable", executable, None)):
                both = paired(
                    lambda c=command, w=words: run([*c, *w], environment),  # type: ignore[misc]
                    lambda w=words: run([usual, *w], environment),  # type: ignore[misc]
                    PAIRS,
                )
                what = f"{name} {' '.join(words)}"
                figure(what, both.first.wall * 1000, "ms")
                figure("  the same in a virtual environment", both.second.wall * 1000, "ms")
                figure(f"{what} / virtual environment", both.ratio, "x", f"at most {limit:g}" if limit else "")
                if limit and both.ratio > limit:
                    missed.append(f"{what}: more than {limit:g} x")
    print("\n".join(missed) or "all within their limits")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make pins`: resolves packaging/requirements/*.txt anew, with hashes, for every platform and Python at once.

Run it with Python from the build environment; what it writes is committed, so that a build asks no index for versions.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "packaging" / "requirements"

APPLICATION = ["pyproject.toml"]
PINS = {
    "all": [*APPLICATION, "--extra", "all"],  # first: the others take its versions
    "base": APPLICATION,
    "demo": [*APPLICATION, "--extra", "demo"],
    "serve": [*APPLICATION, "--extra", "serve"],
    "zipapp": [*APPLICATION, "--extra", "demo", "--extra", "serve", "--group", "zipapp"],
    "executable": [*APPLICATION, "--extra", "demo", "--extra", "serve", "--group", "executable"],
    "build": ["--group", "build"],
    "dev": [*APPLICATION, "--extra", "demo", "--extra", "test", "--extra", "dev", "--group", "backend"],
    "backend": ["--group", "backend"],
}
QUIET = ["--quiet", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]


def main() -> None:
    """Write one file of pins after the other."""
    oldest = ["--universal", "--python-version", "3.11"]
    for name, sources in PINS.items():
        same = [] if name == "all" else ["--constraints", str(FOLDER / "all.txt")]
        wanted = [*sources, *same, "--generate-hashes", "--upgrade", *oldest, *QUIET]
        target = ["--output-file", str(FOLDER / f"{name}.txt")]
        subprocess.run([sys.executable, "-m", "uv", "pip", "compile", *wanted, *target], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()

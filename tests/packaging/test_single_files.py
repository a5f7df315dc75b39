"""The zipapp and the executable, alone: no checkout, no network, an empty home."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blueplane_doctor import __version__
from blueplane_doctor.plugins.discovery import find_checks
from tests.packaging.conftest import Artifacts, Elsewhere
from tests.packaging.offline import offline
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
both = pytest.mark.parametrize("kind", ["zipapp", "executable"])


@both
def test_it_says_its_version(copied: Artifacts, elsewhere: Elsewhere, kind: str) -> None:
    done = elsewhere.run(getattr(copied, kind), "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"blueplane-doctor {__version__}\n", "")


@both
def test_it_has_every_check_that_the_checkout_has(copied: Artifacts, elsewhere: Elsewhere, kind: str) -> None:
    done = elsewhere.run(getattr(copied, kind), "checks")
    assert done.returncode == 0, done.stderr
    listed = {line.split()[1] for line in done.stdout.splitlines()[2:] if line.strip()}
    assert {spec.id for spec in find_checks().checks} <= listed


@both
def test_it_runs_the_demo_and_writes_the_page(copied: Artifacts, elsewhere: Elsewhere, kind: str) -> None:
    done = elsewhere.run(getattr(copied, kind), "demo")
    assert done.returncode == 0, done.stderr
    assert "Custody is broken: 319 messages" in done.stdout
    assert "</html>" in (elsewhere.home / "blueplane-demo.html").read_text()


@both
def test_it_serves(copied: Artifacts, elsewhere: Elsewhere, kind: str) -> None:
    """Without a network there is no loopback either: a unix socket."""
    command = [getattr(copied, kind), "serve", "--uds", "socket"]
    with elsewhere.started(*command) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        assert "socket" in told, told + process.stderr.read()
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) in (0, -15)


@both
def test_it_runs_checks_from_a_file(copied: Artifacts, elsewhere: Elsewhere, kind: str) -> None:
    (elsewhere.home / "check_mine.py").write_text(
        'from blueplane_doctor import check\n\n\n@check(area="mine")\ndef check_mine(queue):\n    """Mine."""\n'
    )
    done = elsewhere.run(getattr(copied, kind), "--checks", elsewhere.home, "checks")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^mine +mine ", done.stdout, re.MULTILINE)


def test_the_network_is_really_cut_off() -> None:
    connect = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=2)"
    done = subprocess.run([*offline(), sys.executable, "-c", connect], capture_output=True, text=True, check=False)
    assert "Network is unreachable" in done.stderr or "Operation not permitted" in done.stderr


@pytest.mark.parametrize(
    ("variables", "cache"),
    [
        ({}, ".cache/blueplane-doctor"),
        ({"XDG_CACHE_HOME": "caches"}, "caches/blueplane-doctor"),
        ({"SHIV_ROOT": "own/place"}, "own/place"),
    ],
)
def test_the_zipapp_unpacks_into_a_private_cache(
    copied: Artifacts, elsewhere: Elsewhere, variables: dict[str, str], cache: str
) -> None:
    absolute = {name: str(elsewhere.home / place) for name, place in variables.items()}
    for _ in range(2):  # the first unpacks, the second finds it unpacked
        assert elsewhere.run(copied.zipapp, "--version", **absolute).returncode == 0
    assert (elsewhere.home / cache).stat().st_mode & 0o777 == 0o700
    assert list((elsewhere.home / cache).glob("*/site-packages/blueplane_doctor"))
    assert {path.name for path in elsewhere.home.iterdir()} == {Path(cache).parts[0]}


def test_the_zipapp_runs_nothing_from_a_cache_that_others_may_write_to(copied: Artifacts, elsewhere: Elsewhere) -> None:
    cache = elsewhere.home / ".cache" / "blueplane-doctor"
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    done = elsewhere.run(copied.zipapp, "--version")
    assert done.returncode == 1
    assert "nobody else may write to it" in done.stderr
    assert not list(cache.iterdir())


def test_the_zipapp_names_the_python_that_it_needs(artifacts: Artifacts, tmp_path: Path) -> None:
    start = tmp_path / "start.py"
    shutil.unpack_archive(artifacts.zipapp, tmp_path / "unpacked", "zip")
    shutil.copy(tmp_path / "unpacked" / "zipapp_main.py", start)
    other = "import sys; sys.version_info = (3, 99); import start; start.main()"
    done = subprocess.run([sys.executable, "-c", other], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    built_for = "{}.{}".format(*sys.version_info[:2])
    assert done.stderr == f"blueplane-doctor: this zipapp was built for Python {built_for}, and this is 3.99\n"


def test_a_demo_of_the_executable_leaves_nothing_behind(copied: Artifacts, elsewhere: Elsewhere) -> None:
    folder = elsewhere.home / "tmp"
    folder.mkdir()
    assert elsewhere.run(copied.executable, "demo", TMPDIR=str(folder)).returncode == 0
    assert not list(folder.iterdir())


def test_the_checksums_are_those_of_the_files(artifacts: Artifacts) -> None:
    lines = (artifacts.folder / "SHA256SUMS").read_text().splitlines()
    told = {name: checksum for checksum, name in (line.split("  ") for line in lines)}
    there = {path.name: path for path in artifacts.folder.iterdir() if path.name != "SHA256SUMS"}
    assert told == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items()}
    assert os.access(artifacts.executable, os.X_OK)

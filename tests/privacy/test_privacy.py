"""Nothing private comes out: a corpus of secrets goes through the real pipeline, and no surface shows any of it."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import redis

from blueplane_doctor.demo.servers import run_server
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.notifying.state_file import STATE_FILE
from blueplane_doctor.plugins.discovery import find_formats
from tests.helpers import age_state
from tests.preloaded import preloaded_doctor
from tests.privacy.corpus import Corpus, login, machine, sow, sow_editors, sow_transcripts
from tests.servers import require_server
from tests.service.support import serving

pytestmark = pytest.mark.slow

OWN_CHECKS = {
    "check_no_name.py": "from blueplane_doctor import {name}\n",
    "check_raises_import_error.py": "raise ImportError({secret!r})\n",
    "check_raises_type_error.py": "raise TypeError({secret!r})\n",
    "check_raises_on_import.py": "raise ValueError({secret!r})",
    "check_no_python.py": "def check_x(queue):\n    return {secret!r} +\n",
    "check_raises.py": "def check_raises(queue):\n    raise ValueError({secret!r})\n",
    "check_no_finding.py": "def check_no_finding(queue):\n    return {secret!r}\n",
}
NO_PATIENCE = "timeout:1 attempts:1"
"""Of the C library, for the name of a host that nobody knows."""
NO_HEARTBEAT = (
    "blueplane-doctor: the heartbeat URL could not be asked: no connection, or no answer; "
    "it is tried again with every sample"
)
"""What a service says whose first whole minute begins while it runs."""
INTERNAL_ERROR = """
import sys
import blueplane_doctor.main_job as main_job
from blueplane_doctor.__main__ import main

def broken(*_):
    raise RuntimeError({secret!r})

main_job.step_aside = broken
sys.argv = ["blueplane-doctor", "--verbose"]
main()
"""


@dataclass
class Sown:
    """A pipeline full of secrets, and the way to run the doctor on it."""

    corpus: Corpus
    pipeline: Pipeline
    environment: dict[str, str]
    withheld: list[str]
    """The uuids of lines of transcripts that are missing from the pipeline."""

    def run(self, *words: str, program: Sequence[str] = (), **more: str) -> str:
        """All that a run says, on stdout and stderr."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BLUEPLANE_DOCTOR_")}
        command = [*(program or preloaded_doctor()), *words]
        ended = subprocess.run(
            command, capture_output=True, timeout=100, check=False, env=environment | self.environment | more
        )
        return (ended.stdout + ended.stderr).decode("utf-8", "backslashreplace")

    def keeps(self, text: str) -> None:
        """Fail if the text holds a secret, or nothing at all."""
        assert text
        assert self.corpus.leaks(text) == []


@pytest.fixture(scope="module")
def sown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sown]:
    """One for all tests, which only read; it is the machine of a person with a name."""
    corpus, folder = Corpus(), tmp_path_factory.mktemp("machine")
    environment = dict(machine(corpus, folder))
    home = Path(environment["HOME"]) / corpus.secret("user", "the path of the home") / ".blueplane"
    with run_server(require_server("valkey-9.1"), tcp=True) as server:
        url = login(corpus, server.url)
        with Pipeline(url, home) as pipeline:
            sow(corpus, pipeline)
            uuids = sow_transcripts(corpus, pipeline, Path(environment["HOME"]) / ".claude" / "projects")
            sow_editors(corpus, Path(environment["HOME"]))
            own = Path(environment["HOME"]) / corpus.secret("user", "the path of checks")
            _write_checks(corpus, own)
            settings = {"HOME": home, "REDIS_URL": url, "CHECKS": own, "HTTP_URL": _http(corpus)}
            # Nobody listens there: what is said of the failure tells nothing either.
            settings["NOTIFY"] = f"json://{corpus.secret('user', 'notify')}@127.0.0.1:9/"
            settings["HEARTBEAT_URL"] = f"http://127.0.0.1:9/{corpus.secret('user', 'heartbeat_url')}"
            environment |= {f"BLUEPLANE_DOCTOR_{name}": str(value) for name, value in settings.items()}
            yield Sown(corpus, pipeline, environment, uuids)


def _write_checks(corpus: Corpus, folder: Path) -> None:
    folder.mkdir()
    for name, text in OWN_CHECKS.items():
        secret = corpus.every(f"the check {name}")
        (folder / name).write_text(text.format(secret=secret, name="nothing_of_that_name"))


def _http(corpus: Corpus) -> str:
    return f"http://{corpus.secret('user', 'http_url')}:{corpus.secret('user', 'http_url')}@127.0.0.1:1"


def test_the_corpus_is_seeded_and_its_leaks_are_found(sown: Sown) -> None:
    assert Corpus().every("here") == Corpus().every("here")
    assert len(sown.corpus.sown) > 300
    (first, *_) = sown.corpus.sown
    assert sown.corpus.leaks(f"a {first.upper()} b")


@pytest.mark.parametrize("form", find_formats())
def test_no_format_tells(sown: Sown, form: str) -> None:
    sown.keeps(sown.run("--verbose", "--format", form))


def test_neither_evidence_nor_bundle_tells(sown: Sown, tmp_path: Path) -> None:
    sown.keeps(sown.run("--save-evidence", str(tmp_path / "evidence.json")))
    sown.keeps((tmp_path / "evidence.json").read_text())
    said = sown.run("support", "-o", str(tmp_path / "bundle.zip"))
    sown.keeps(said.replace(str(tmp_path), ""))
    with zipfile.ZipFile(io.BytesIO((tmp_path / "bundle.zip").read_bytes())) as bundle:
        assert bundle.read("server-log-errors.txt")
        for name in bundle.namelist():
            sown.keeps(name + bundle.read(name).decode())


COMMANDS = (
    *("dlq list", "dlq list -f json", "dlq stats", "dlq stats -f json", "checks", "checks -f json"),
    *("repair --older-than 0s", "repair --older-than 0s -f json", "repair --save-only -f json"),
    *("history --status", "history --status -f json", "history --status -f csv"),
    *("history", "history --list", "history --list -f json", "history *", "history * -f json", "history * -f csv"),
    *("trace --state lost", "trace --state stuck -f json", "trace --state dead_lettered"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_tells(sown: Sown, command: str) -> None:
    sown.keeps(sown.run(*command.split()))


def test_lines_of_transcripts_are_missing_and_nothing_of_them_is_told(sown: Sown) -> None:
    said = sown.run("--verbose", "--select", "transcript-completeness", "--reveal")
    sown.keeps(said)
    assert "lines are missing" in said and "--reveal shows names on a terminal alone" in said
    sown.keeps(sown.run("trace", *sown.withheld))
    sown.keeps(sown.run("trace", "-f", "json", *sown.withheld))


def test_following_a_message_does_not_tell(sown: Sown) -> None:
    ids = [str(entry) for entry, _ in sown.pipeline.client.xrange(sown.pipeline.queue)]
    sown.keeps(sown.run("trace", *ids))
    letters = [str(entry) for entry, _ in sown.pipeline.client.xrange("telemetry:dlq")]
    for letter in letters[:4]:
        sown.keeps(sown.run("dlq", "show", letter))
        sown.keeps(sown.run("dlq", "show", letter, "--format", "json"))


def test_the_history_does_not_tell(sown: Sown) -> None:
    sown.run("record", "--once")
    client = sown.pipeline.client
    keys = sorted(client.scan_iter("blueplane:*"))
    assert keys
    read = {
        "string": client.get,
        "hash": client.hgetall,
        "stream": client.xrange,
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1),
        "list": lambda key: client.lrange(key, 0, -1),
    }
    kept = "".join(f"{key} {read[client.type(key)](key)}\n" for key in keys)
    # Names that others wrote there stay where they are.
    assert [
        leak for leak in sown.corpus.leaks(kept) if " in a recorded name" not in leak and " of a metric" not in leak
    ] == []


def test_the_service_does_not_tell(sown: Sown, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sown.environment.items():
        monkeypatch.setenv(name, value)
    with serving(sown.pipeline, before=("--ignore", "server"), complaints=[NO_HEARTBEAT]) as service:
        service.ready()
        paths = service.get("/openapi.json").json()["paths"]
        ids = [str(entry) for entry, _ in sown.pipeline.client.xrange(sown.pipeline.queue)][-40:]
        plain = [path for path in paths if "{" not in path]
        for path in [*plain, "/", "/live", *(f"/api/v1/trace/{one}" for one in ids)]:
            if "events" not in path:
                sown.keeps(service.get(path).text)


def test_the_tests_of_pytest_do_not_tell(sown: Sown, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    said = sown.run(
        *("-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider"),
        *("--blueplane", "blueplane", f"--junitxml={junit}", "-rA", "--tb=long"),
        program=(sys.executable, "-m", "pytest"),
    )
    assert "blueplane::queue-depth" in said
    sown.keeps(said)
    sown.keeps(junit.read_text(encoding="utf-8"))


def test_a_refused_redis_does_not_tell(sown: Sown) -> None:
    secret = f"redis://{sown.corpus.secret('user', 'a refused URL')}:{sown.corpus.secret('token', 'a refused URL')}@"
    for command in (["--verbose"], ["trace", "1-1"], ["dlq", "list"], ["record", "--once"], ["--format", "html"]):
        sown.keeps(sown.run(*command, BLUEPLANE_DOCTOR_REDIS_URL=f"{secret}127.0.0.1:1/0"))
    host = sown.corpus.secret("host", "a refused URL")
    sown.keeps(sown.run("--verbose", BLUEPLANE_DOCTOR_REDIS_URL=f"{secret}{host}:6379/0", RES_OPTIONS=NO_PATIENCE))


def test_a_wrong_password_does_not_tell(sown: Sown) -> None:
    host = redis.Redis.from_url(sown.pipeline.redis_url).connection_pool.connection_kwargs
    wrong = f"redis://{sown.corpus.secret('user', 'a login')}:{sown.corpus.secret('token', 'a login')}"
    for command in (["--verbose", "--format", "json"], ["trace", "1-1"], ["dlq", "stats"], ["record", "--once"]):
        sown.keeps(sown.run(*command, BLUEPLANE_DOCTOR_REDIS_URL=f"{wrong}@127.0.0.1:{host['port']}/0"))


def test_a_missing_permission_does_not_tell(sown: Sown) -> None:
    login_of = sown.corpus.secret("user", "a user without rights"), sown.corpus.secret("token", "its password")
    sown.pipeline.client.acl_setuser(login_of[0], enabled=True, passwords=[f"+{login_of[1]}"], commands=["+ping"])
    url = f"redis://{':'.join(login_of)}@{sown.pipeline.redis_url.rpartition('@')[2]}"
    for command in (["--verbose", "--format", "json"], ["trace", "1-1"], ["dlq", "stats"], ["record", "--once"]):
        sown.keeps(sown.run(*command, BLUEPLANE_DOCTOR_REDIS_URL=url))


@pytest.mark.parametrize(
    "setting", ["REDIS_URL", "HISTORY_URL", "TIMEOUT", "FAIL_ON", "THRESHOLDS", "STREAMS__MAX_LENGTH"]
)
def test_a_setting_that_cannot_be_used_does_not_tell(sown: Sown, setting: str) -> None:
    for kind in ("redis url", "token", "path"):
        wrong = sown.corpus.secret(kind, setting).replace("redis:", "rediss+nothing:")
        sown.keeps(sown.run(**{f"BLUEPLANE_DOCTOR_{setting}": wrong}))


def test_telling_people_does_not_tell(sown: Sown, tmp_path: Path) -> None:
    """Neither what is said and remembered of it, nor the messages to people."""
    for words in (["notify", "--test"], ["notify", "--dry-run"], ["notify"]):
        sown.keeps(sown.run(*words))
    # A target that cannot be reached is complained of once: a recorder before this one may have done it.
    assert sown.corpus.leaks(sown.run("record", "--once")) == []
    home = sown.pipeline.home
    sown.keeps((home / STATE_FILE).read_text())
    told = tmp_path / "told"
    file = tmp_path / "doctor.yaml"
    file.write_text(f"notify: [{{command: [tee, -a, {told}], from: yellow}}]\n")
    file.chmod(0o600)
    unset = {name: value for name, value in sown.environment.items() if name != "BLUEPLANE_DOCTOR_NOTIFY"}
    for _ in range(2):
        age_state(home, 60)
        replace(sown, environment=unset).run("--settings", str(file), "record", "--once")
    sown.keeps(told.read_text())


def test_the_shown_settings_hold_no_password(sown: Sown) -> None:
    said = sown.run("settings")
    assert not [leak for leak in sown.corpus.leaks(said) if leak.startswith("token")]


def test_an_internal_error_does_not_tell(sown: Sown) -> None:
    program = INTERNAL_ERROR.format(secret=sown.corpus.every("an internal error"))
    said = sown.run(program=(sys.executable, "-c", program))
    assert "internal error: RuntimeError" in said
    sown.keeps(said)


def test_files_that_are_not_what_they_should_be_do_not_tell(sown: Sown, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    for text in (
        sown.corpus.every("a file"),
        f'{{"evidence_version": 1, "x": "{sown.corpus.secret("token", "a file")}"}}',
    ):
        wrong.write_text(text)
        for words in (["--from-evidence", str(wrong)], ["convert", str(wrong)], ["--waivers", str(wrong)]):
            sown.keeps(sown.run(*words))
        sown.keeps(sown.run("--settings", str(wrong)))

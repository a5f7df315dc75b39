"""The command line, as real processes: options, variables, what goes where, and how it ends."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from blueplane_doctor import __version__
from blueplane_doctor.demo.faults import healthy
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.model import Report
from blueplane_doctor.plugins.discovery import find_formats
from tests.doctor_command import DOCTOR, assert_refused, doctor
from tests.json_schemas import validator
from tests.parameters import one_quick
from tests.reports import samples
from tests.waiting import PATIENCE_SECONDS

NOBODY_LISTENS = "redis://127.0.0.1:1/0"
SECRET = "hunter2-s3cret"


@pytest.fixture
def nobody(tmp_path: Path) -> list[str]:
    """Options that name a pipeline of which nothing is there but the log of its server."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "server.log").touch()
    return ["--home", str(home), "--redis-url", NOBODY_LISTENS]


@pytest.mark.parametrize(
    "asked", one_quick(["trace 1-0", "dlq list", "dlq stats", "dlq show 1-0", "history --list", "record --once"])
)
def test_a_redis_that_is_away_is_no_defect_of_the_doctor(asked: str, nobody: list[str]) -> None:
    assert_refused(doctor(*nobody, *asked.split()), 3, "cannot be reached", "try: ")


def test_version() -> None:
    ended = doctor("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"blueplane-doctor {__version__}\n", "")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_option_with_its_variable(option: str) -> None:
    ended = doctor(option)
    assert (ended.returncode, ended.stderr) == (0, "")
    options = set(re.findall(r"(--[a-z][a-z-]+)", ended.stdout.partition("Commands:")[0]))
    variables = set(re.findall(r"BLUEPLANE_DOCTOR_([A-Z_]+)", re.sub(r"_\n\s+", "_", ended.stdout)))
    named = {name.removeprefix("--").replace("-", "_").upper() for name in options}
    assert {name for name in named if not name.startswith("NO_")} - {"HELP", "VERSION", "FAIL"} <= variables


VARIABLES = {
    "REDIS_URL": (NOBODY_LISTENS, "redis_url", NOBODY_LISTENS),
    "HISTORY_URL": (NOBODY_LISTENS, "history_url", NOBODY_LISTENS),
    "DATABASE": ("/x/y.db", "database", "/x/y.db"),
    "CHECKS": ("/x/a /x/b", "checks", "['/x/a', '/x/b']"),
    "SELECT": ("queue,chain", "select", "['queue', 'chain']"),
    "IGNORE": ("queue", "ignore", "['queue']"),
    "FAIL_ON": ("red", "fail_on", "red"),
    "STRICT": ("true", "strict", "True"),
    "TIMEOUT": ("7", "timeout", "7.0"),
}


@pytest.mark.slow
@pytest.mark.parametrize("variable", VARIABLES)
def test_an_option_of_the_settings_may_come_as_a_variable(variable: str) -> None:
    given, setting, shown = VARIABLES[variable]
    ended = doctor("settings", **{f"BLUEPLANE_DOCTOR_{variable}": given})
    assert ended.returncode == 0, ended.stderr
    row = next(line for line in ended.stdout.splitlines() if line.startswith(setting + " "))
    assert re.split(r"\s{2,}", row) == [setting, shown, f"BLUEPLANE_DOCTOR_{variable}"]


def test_home_and_settings_may_come_as_variables(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("timeout: 9")
    ended = doctor(
        "settings",
        BLUEPLANE_DOCTOR_HOME=str(tmp_path),
        BLUEPLANE_DOCTOR_SETTINGS=str(tmp_path / "other.yaml"),
    )
    assert re.search(rf"^home +{tmp_path} +BLUEPLANE_DOCTOR_HOME$", ended.stdout, re.MULTILINE)
    assert re.search(rf"^timeout +9.0 +{tmp_path}/other.yaml$", ended.stdout, re.MULTILINE)


@pytest.mark.slow
def test_format_and_output_may_come_as_variables(nobody: list[str], tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.txt"
    ended = doctor(
        *nobody,
        BLUEPLANE_DOCTOR_FORMAT="json",
        BLUEPLANE_DOCTOR_OUTPUT=f"{first}{os.pathsep}{second}",
    )
    assert Report.model_validate_json(ended.stdout) == Report.model_validate_json(first.read_text())
    assert second.read_text().startswith("RED: ")


@pytest.mark.slow
def test_verbose_and_quiet_may_come_as_variables(nobody: list[str]) -> None:
    assert doctor(*nobody, BLUEPLANE_DOCTOR_QUIET="1").stdout.count("\n") == 1
    assert re.search(r"^green +", doctor(*nobody, BLUEPLANE_DOCTOR_VERBOSE="1").stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    one_quick(
        [
            pytest.param(["--format", "tabel"], "--format tabel: there is no such format", id="format"),
            pytest.param(["-o", "x.docx"], "--output x.docx: no format has this suffix", id="suffix"),
            pytest.param(["-o", "x"], "--output x: no format has this suffix", id="no-suffix"),
            pytest.param(["-o", "no/such/x.json"], "no/such/x.json: there is no folder for it", id="no-folder"),
            pytest.param(["-o", "folder.json"], "folder.json: there is no folder for it, or it is one", id="a-folder"),
            pytest.param(["-o", "good.json", "-o", "no/x.html"], "no/x.html: there is no folder", id="the-second"),
            pytest.param(["--fail-on", "purple"], "--fail-on: must be yellow, orange, red or never", id="fail-on"),
            pytest.param(["--timeout", "0"], "--timeout: ", id="timeout"),
            pytest.param(["--timeout", "inf"], "--timeout: ", id="timeout-infinite"),
            pytest.param(["--timeout", "soon"], "--timeout", id="timeout-no-number"),
            pytest.param(["--settings", "no.yaml"], "--settings no.yaml: no such file", id="settings"),
            pytest.param(["--redis-url", f"mysql://:{SECRET}@h"], "--redis-url: must be a URL", id="redis-url"),
            pytest.param(["--redis-url", f"redis://:{SECRET}@h:x"], "--redis-url: must be a URL", id="redis-port"),
            pytest.param(["--nosuch"], "--nosuch", id="option"),
            pytest.param(["nosuch"], "nosuch", id="command"),
        ]
    ),
)
def test_a_bad_option_ends_with_2_and_writes_nothing(
    arguments: list[str], said: str, nobody: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    (work / "folder.json").mkdir(parents=True)
    monkeypatch.chdir(work)
    ended = doctor(*nobody, *arguments)
    assert_refused(ended, 2, said)
    assert "try" in ended.stderr.lower()
    assert SECRET not in ended.stderr
    assert [path.name for path in work.iterdir()] == ["folder.json"]


@pytest.mark.slow
def test_a_bad_variable_ends_with_2() -> None:
    assert_refused(doctor(BLUEPLANE_DOCTOR_TIMEOT="5"), 2, "BLUEPLANE_DOCTOR_TIMEOT", "did you mean", "_TIMEOUT?")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("cheks", "did you mean checks?"),
        ("status", "without a command the pipeline is examined"),
        ("explain", "blueplane-doctor checks ID explains a check"),
        ("zzz", "see --help"),
    ],
)
def test_a_command_that_there_is_not_is_told_with_what_does_it(word: str, said: str, nobody: list[str]) -> None:
    assert_refused(doctor(*nobody, word), 2, f"there is no command '{word}'; {said}")


@pytest.mark.slow
def test_no_check_selected_ends_with_5(nobody: list[str]) -> None:
    ended = doctor(*nobody, "--select", "queue-depht")
    assert_refused(ended, 5, "no check is selected", "did you mean queue-depth?")


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_word_that_means_nothing_is_warned_of(option: str, nobody: list[str]) -> None:
    ended = doctor(*nobody, "--select", "server", option, "queue-depht")
    assert ended.stdout.startswith("RED: ")
    assert "warning: queue-depht in --select or --ignore means no check" in ended.stderr


@pytest.mark.parametrize("form", one_quick(sorted(find_formats())))
def test_stdout_is_the_document_alone(form: str, nobody: list[str], tmp_path: Path) -> None:
    """With a broken file of checks and a word that means nothing, so that there is something to say beside it."""
    bad = tmp_path / "check_bad.py"
    bad.write_text("def check_x(:\n")
    bad.chmod(0o644)
    ended = doctor(*nobody, "--checks", bad, "--ignore", "zzz", "--format", form)
    assert ended.returncode in (1, 2), "findings; Nagios has numbers of its own"
    assert "warning: zzz" in ended.stderr
    assert "zzz" not in ended.stdout
    assert ended.stdout.strip()
    assert "\x1b" not in ended.stdout


@pytest.mark.slow
def test_the_same_report_in_two_files_and_on_stdout(nobody: list[str], tmp_path: Path) -> None:
    ended = doctor(*nobody, "-o", tmp_path / "a.json", "-o", tmp_path / "b.html")
    assert ended.stdout.startswith("RED: ")
    report = Report.model_validate_json((tmp_path / "a.json").read_text())
    assert report.exit_code == ended.returncode == 1
    assert (tmp_path / "b.html").read_text().lower().startswith("<!doctype html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.html", "home"]


@pytest.mark.slow
def test_a_file_is_replaced_whole(nobody: list[str], tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("x" * 1_000_000)
    doctor(*nobody, "-q", "-o", target)
    assert Report.model_validate_json(target.read_text())


@pytest.mark.slow
def test_colours_are_for_a_terminal_and_never_for_a_file(nobody: list[str], tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    for variables, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        shown = _on_a_terminal([*DOCTOR, *nobody, "-o", str(target)], variables)
        assert (b"\x1b[" in shown) is coloured
        assert "\x1b" not in target.read_text()


def _on_a_terminal(command: list[str], variables: dict[str, str]) -> bytes:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=os.environ | variables):
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65_536):
                shown += chunk
        except OSError:  # Linux' way to say that the other side was closed
            pass
    os.close(ours)
    return shown


@pytest.mark.parametrize(("fail_on", "code"), one_quick([("yellow", 1), ("orange", 1), ("red", 1)]))
def test_red_is_a_finding_whatever_the_limit(fail_on: str, code: int, nobody: list[str]) -> None:
    assert doctor(*nobody, "-q", "--select", "redis-reachable", "--fail-on", fail_on).returncode == code


@pytest.mark.slow
def test_strict_makes_what_was_not_judged_count(nobody: list[str]) -> None:
    assert doctor(*nobody, "-q", "--select", "retry-storm,server-errors").returncode == 0
    assert doctor(*nobody, "-q", "--select", "retry-storm,server-errors", "--strict").returncode == 3
    assert doctor(*nobody, "-q", "--select", "queue-depth,server-errors").returncode == 3, "vital, with or without"


@pytest.mark.slow
def test_a_healthy_pipeline_ends_with_0_and_its_report_fits_the_schema(pipeline: Pipeline) -> None:
    healthy(pipeline)
    ended = doctor("--home", pipeline.home, "--redis-url", pipeline.redis_url, "--ignore", "server", "-f", "json")
    assert ended.returncode == 0, ended.stdout
    assert ended.stderr == ""
    validator(_schema()).validate(json.loads(ended.stdout))


def _schema() -> dict[str, object]:
    ended = doctor("schema")
    assert (ended.returncode, ended.stderr) == (0, "")
    schema: dict[str, object] = json.loads(ended.stdout)
    return schema


@pytest.mark.slow
def test_schema_is_a_json_schema_that_the_reports_fit(nobody: list[str]) -> None:
    schema = _schema()
    fitting = validator(schema)
    for report in (samples.healthy(), samples.mixed()):
        fitting.validate(json.loads(report.model_dump_json()))
    fitting.validate(json.loads(doctor(*nobody, "-f", "json").stdout))
    assert not fitting.is_valid({"schema_version": 1}), "it demands something"
    assert not fitting.is_valid(json.loads(samples.healthy().model_dump_json()) | {"more": 1})


@pytest.mark.slow
def test_settings_masks_secrets(nobody: list[str]) -> None:
    for url in (f"redis://me:{SECRET}@h:1/0", f"unix:///x.sock?password={SECRET}"):
        ended = doctor(*nobody, "--redis-url", url, "--history-url", url, "settings")
        assert ended.returncode == 0
        assert SECRET not in ended.stdout + ended.stderr
        assert "***" in ended.stdout


def test_a_password_never_reaches_a_report(nobody: list[str], tmp_path: Path) -> None:
    url = f"redis://me:{SECRET}@127.0.0.1:1/0"
    ended = doctor(*nobody, "--redis-url", url, "-f", "json", "-o", tmp_path / "a.html", "-o", tmp_path / "a.txt")
    assert "127.0.0.1:1" in ended.stdout
    written = "".join((tmp_path / name).read_text() for name in ("a.html", "a.txt"))
    assert SECRET not in ended.stdout + ended.stderr + written


@pytest.mark.slow
@pytest.mark.parametrize("way", ["flag", "variable"])
def test_settings_init_writes_a_file_once(way: str, tmp_path: Path) -> None:
    path = tmp_path / "doctor.yaml"
    flags = ["--home", tmp_path] if way == "flag" else []
    variables = {} if way == "flag" else {"BLUEPLANE_DOCTOR_HOME": str(tmp_path)}
    ended = doctor(*flags, "settings", "--init", **variables)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{path}\n", "")
    assert doctor(*flags, "settings", **variables).returncode == 0, "it can be read"
    path.write_text("timeout: 5\n")
    assert_refused(doctor(*flags, "settings", "--init", **variables), 2, f"{path} exists already", "--settings FILE")
    assert path.read_text() == "timeout: 5\n"


def test_settings_init_without_a_home(tmp_path: Path) -> None:
    ended = doctor("--home", tmp_path / "no", "settings", "--init")
    assert_refused(ended, 2, "no does not exist", "name another place")


@pytest.mark.slow
@pytest.mark.parametrize("command", [["checks"], ["--verbose"], ["--help"], ["schema"]], ids=" ".join)
def test_a_reader_that_goes_away_is_no_error(command: list[str], nobody: list[str]) -> None:
    """As `| head -1` does; the pipe's other end is closed before anything is written."""
    takes = {"checks": nobody[:2], "schema": []}
    options = takes.get(command[0], nobody)
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as closed:
        ended = subprocess.run(
            [*DOCTOR, *options, *command], stdout=closed, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert ended.stderr == b""


@pytest.mark.slow
def test_head_is_quiet(nobody: list[str]) -> None:
    shell = shutil.which("sh")
    assert shell
    command = f"'{sys.executable}' -m blueplane_doctor --verbose {' '.join(nobody)} | head -1"
    ended = subprocess.run([shell, "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.startswith("RED: ") and ended.stdout.count("\n") == 1
    assert ended.stderr == ""


@pytest.fixture
def hanging_server() -> Iterator[socket.socket]:
    """A server that accepts, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        yield server


def _port(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


@pytest.mark.slow
def test_interrupted_ends_with_130(hanging_server: socket.socket, tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{_port(hanging_server)}/0"
    target = tmp_path / "a.json"
    command = [*DOCTOR, "--home", str(tmp_path), "--redis-url", url, "-o", str(target)]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a job in the background inherits that it is ignored
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    ) as process:
        connection, _ = hanging_server.accept()  # from here on it waits for an answer
        with connection:
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (130, "")
    assert err == "blueplane-doctor: interrupted\n"
    assert not target.exists()


@pytest.mark.slow
def test_a_server_that_hangs_is_named_within_the_time(hanging_server: socket.socket, tmp_path: Path) -> None:
    port = _port(hanging_server)
    began = time.monotonic()
    ended = doctor("--home", tmp_path, "--redis-url", f"redis://127.0.0.1:{port}/0", "--timeout", "1", "-f", "json")
    assert time.monotonic() - began < 20
    causes = {f.id: f.summary for f in Report.model_validate_json(ended.stdout).findings}
    assert f"127.0.0.1:{port}" in causes["redis-reachable"] or "1 s" in causes["redis-reachable"]
    assert ended.returncode == 1

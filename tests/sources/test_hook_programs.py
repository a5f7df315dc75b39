"""Whether a hook's command can be run, without running it, and of which version its program is."""

import os
from pathlib import Path

import pytest

from blueplane_doctor.sources.hook_programs import program_of, version_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a program, a file that is none, a script, and a PATH with one program."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("good", "python3", "with space"):
        (folder / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (folder / name).chmod(0o755)
    (folder / "orphan").write_text(f"#!{tmp_path}/deleted/bin/python\n")
    (folder / "orphan").chmod(0o755)
    (folder / "of-windows").write_text("#!/bin/sh\r\n")
    (folder / "by-path").write_text("#!/usr/bin/env nobody-has-it\n")
    for name in ("of-windows", "by-path"):
        (folder / name).chmod(0o755)
    (folder / "plain").write_text("not to be run")
    (tmp_path / "hook.py").write_text("")
    monkeypatch.setenv("PATH", str(folder))
    return tmp_path


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("{bin}/good", "runs"),
        ("{bin}/good --server http://x | tee log", "runs"),
        ("A=1 B='2 3' {bin}/good", "runs"),
        ("'{bin}/with space' x", "runs"),
        ("~/bin/good", "runs"),
        ("$HOME/bin/good", "runs"),
        ('"${{HOME}}/bin/good" x', "runs"),
        ("good x", "runs"),
        ("python3 {home}/hook.py stop", "runs"),
        ("{bin}/python3 -u ~/hook.py", "runs"),
        ("python3 -m blueplane_hook", "runs"),
        ("exec {bin}/good", "runs"),
        ("env A=1 {bin}/good", "runs"),
        ("timeout 5 nohup {bin}/good", "runs"),
        ("python3 -W ignore {home}/hook.py", "runs"),
        ("{bin}/gone", "missing"),
        ("exec {bin}/gone", "missing"),
        ("env A=1 {bin}/gone", "missing"),
        ("/usr/bin/env python3 {home}/gone.py", "missing"),
        ("timeout 5 {bin}/gone", "missing"),
        ("python3 -W ignore {home}/gone.py", "missing"),
        ("{bin}/of-windows", "not executable"),
        ("{bin}/by-path", "not on the PATH"),
        ("cd {home} && ./good", "undecided"),
        ("[ -f x ] && {bin}/good", "undecided"),
        (". {home}/x && {bin}/good", "undecided"),
        ("if true; then {bin}/good; fi", "undecided"),
        ("nice -n 5 {bin}/good", "undecided"),
        ("{bin}/orphan", "missing"),
        ("{bin}", "missing"),
        ("{bin}/gone/deeper", "missing"),
        ("python3 {home}/gone.py", "missing"),
        ("{bin}/gone && {bin}/good", "missing"),
        ("{bin}/plain", "not executable"),
        ("gone", "not on the PATH"),
        ("python3 hook.py", "undecided"),
        ("./good", "undecided"),
        ("$CLAUDE_PROJECT_DIR/hook.sh", "undecided"),
        ("python3 $CLAUDE_PROJECT_DIR/hook.py", "undecided"),
        ("`which good`", "undecided"),
        ("'unclosed", "undecided"),
        ("", "undecided"),
        ("A=1", "undecided"),
        ("'" + "x" * 1_000_000, "undecided"),
        ("A=1 " * 250_000 + "{bin}/good", "undecided"),
    ],
)
def test_whether_a_command_can_be_run(home: Path, command: str, state: str) -> None:
    assert program_of(command.format(bin=home / "bin", home=home), home).state == state
    assert not (home / "ran").exists(), "nothing is run to find out"


def test_a_script_that_may_not_be_read_cannot_be_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK and access(path, mode))
    assert program_of(f"python3 {home}/hook.py", home).state == "not executable"


def environment(folder: Path, version: str, *, package: str = "lib/python3.11/site-packages") -> Path:
    (folder / package / f"blueplane_doctor-{version}.dist-info").mkdir(parents=True)
    (folder / "bin").mkdir(exist_ok=True)
    return folder / "bin"


def test_the_version_is_that_of_the_environment_of_the_program(tmp_path: Path) -> None:
    program = environment(tmp_path / "one", "0.3.0") / "blueplane-hook"
    program.write_text(f"#!{tmp_path}/one/bin/python\n")
    assert version_of(program) == "0.3.0"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(f"#!{tmp_path}/one/bin/python3.11\n")
    assert version_of(elsewhere) == "0.3.0", "its first line names the environment"
    link = tmp_path / "link"
    program.write_text("no first line")
    link.symlink_to(program)
    assert version_of(link) == "0.3.0", "a link of pipx leads into the environment"


def test_where_nothing_tells_the_version_is_empty(tmp_path: Path) -> None:
    assert version_of(tmp_path / "gone") == ""
    (tmp_path / "program").write_bytes(b"#!\xff\n")
    assert version_of(tmp_path / "program") == ""
    (tmp_path / "program").write_text(f"#!/{'a' * 300}/bin/python\n")
    assert version_of(tmp_path / "program") == "", "no path can be so long"

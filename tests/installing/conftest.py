"""A person's home to install into, whose name is a hard one, and an engine that says yes to everything."""

import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from blueplane_doctor.installing import plan
from blueplane_doctor.installing.hooks_step import HooksStep
from blueplane_doctor.installing.plan import Site, Step, Talk
from blueplane_doctor.settings.values import load

Tree = dict[str, tuple[str, bytes]]


def tree(folder: Path) -> Tree:
    """All below a folder: kind and mode, and bytes or target."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = path.readlink().as_posix().encode() if path.is_symlink() else b""
        content = path.read_bytes() if stat.S_ISREG(mode) else content
        found[str(path.relative_to(folder))] = (stat.filemode(mode), content)
    return found


@dataclass
class Person:
    """Somebody who installs."""

    home: Path
    site: Site
    steps: list[Step] = field(default_factory=lambda: [HooksStep()])
    said: list[str] = field(default_factory=list)
    answer: bool = True

    @property
    def hooks(self) -> Path:
        return self.site.settings.cursor_hooks

    def write_hooks(self, content: bytes) -> None:
        self.hooks.parent.mkdir(exist_ok=True)
        self.hooks.write_bytes(content)

    def install(self, *steps: Step, dry_run: bool = False, **options: object) -> bool:
        site = replace(self.site, **options)  # type: ignore[arg-type]
        return plan.install(list(steps) or self.steps, site, self._talk(dry_run))

    def uninstall(self, *steps: Step, dry_run: bool = False) -> bool:
        return plan.uninstall(list(steps) or self.steps, self.site, self._talk(dry_run))

    def tree(self) -> Tree:
        return tree(self.home)

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def _talk(self, dry_run: bool) -> Talk:
        self.said.clear()
        return Talk(self.said.append, lambda question: self.answer, dry_run)


def make_programs(folder: Path) -> Path:
    folder.mkdir()
    for name in ("blueplane-hook", "blueplane-doctor"):
        (folder / name).write_text("#!/bin/sh\nexit 0\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The programs that a wheel installs, where this checkout's environment has none."""
    folder = make_programs(tmp_path / "bin with ö")
    monkeypatch.setattr("sys.argv", [str(folder / "blueplane-doctor")])
    monkeypatch.setattr("sys.executable", str(folder / "python"))
    return folder


@pytest.fixture
def make_person(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Person]:
    def make(**flags: object) -> Person:
        home = tmp_path / 'Jürgen\'s "home" $x %h'
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        return Person(home, Site(load(flags).settings, user_home=home, platform="linux"))

    return make


@pytest.fixture
def person(make_person: Callable[..., Person]) -> Person:
    return make_person()

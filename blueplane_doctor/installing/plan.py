"""The engine: let each step say what is missing, show it, ask, do it; and backwards from the journal."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from blueplane_doctor.errors import DoctorError, UsageError
from blueplane_doctor.files.documents import is_broken
from blueplane_doctor.installing.files import StepError, sweep
from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.settings.values import Settings


class ElsewhereError(StepError):
    """An entry cannot be undone from here; the others of its step can."""


@dataclass(frozen=True)
class Site:
    """Where to install, and what was asked for."""

    settings: Settings
    user_home: Path = field(default_factory=Path.home)
    platform: str = sys.platform
    core: Path | None = None
    """A checkout of the pipeline, whose own script then makes the database."""
    claude: bool = False
    """Whether Claude Code's hooks are installed too."""
    enable: bool = False
    """Whether services are enabled and started."""
    notify: Sequence[str] = ()
    """URLs of targets that are to be told of causes."""

    @property
    def home_option(self) -> list[str]:
        """What tells our programs of Blueplane's home, where it is not the usual one."""
        home = self.settings.home
        if home == self.user_home / ".blueplane":
            return []
        return ["--home", str(home)]


def with_absolute_paths(settings: Settings) -> Settings:
    """The same settings wherever the next command is run: the journal and the editors remember paths.

    Raises UsageError for a path that cannot be written into their files.
    """
    absolute = {}
    for name in ("home", "database", "cursor_hooks"):
        path = getattr(settings, name)
        if not path:
            continue
        absolute[name] = path.absolute()
        if is_broken(str(absolute[name])):
            raise UsageError(f"{name}: the journal cannot name a path that is not UTF-8", "give it another name")
    return settings.model_copy(update=absolute)


def program(name: str) -> str:
    """The absolute path of this installation's program, so that it works without a shell's PATH. Raises StepError.

    It is beside this interpreter, beside the running program, or on the PATH.
    """
    for folder in (Path(sys.executable).parent, Path(sys.argv[0]).absolute().parent):
        if (folder / name).is_file():
            return str(folder / name)
    on_path = shutil.which(name)
    if on_path is None:
        raise StepError(
            f"the program {name} is not installed beside {sys.executable}",
            "install the wheel: see docs/INSTALLATION.md",
        )
    return str(Path(on_path).absolute())


@dataclass(frozen=True)
class Change:
    """One thing that would be different afterwards."""

    summary: str
    preview: str
    """The exact change: a unified diff, or the commands."""
    apply: Callable[[Journal], object]
    """Does it, having written down in the journal how to undo it. Raises DoctorError."""
    asks: bool = True
    """Whether it needs consent; what only reads does not."""
    public_preview: str | None = None
    """The same without what others wrote in a file; None: there is none of that in it."""


@dataclass(frozen=True)
class Plan:
    """What is there already, and what a step would do."""

    notes: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    complete: bool = True
    """False when something is missing that the step cannot bring about."""


class Step(Protocol):
    """One named step. `plan` and `undo` only look; what is to be done is in the changes that they return."""

    name: str
    summary: str

    def plan(self, site: Site) -> Plan:
        """What is missing. Raises DoctorError when that cannot be read."""

    def undo(self, site: Site, entry: Entry) -> Plan:
        """How to undo a journal entry of this step: no change means that nothing is left of it."""


@dataclass
class Talk:
    """How the engine shows lines and asks questions."""

    say: Callable[[str], None]
    agree: Callable[[str], bool]
    """Asks a question that is answered by yes or no."""
    dry_run: bool = False
    to_person: bool = False
    """Whether a person reads it, at a terminal: a pipe or a log may go to anybody."""


def install(steps: Sequence[Step], site: Site, talk: Talk) -> bool:
    """Do the steps in order; whether all is well. A step that fails leaves the others their chance."""
    journal = Journal(site.settings.home)
    is_well = True
    for step in steps:
        # In this order: `and` passes over what stands behind it once a step has failed.
        is_well = _guarded(_do, step, site, journal, talk) and is_well
    return is_well


def uninstall(steps: Sequence[Step], site: Site, talk: Talk) -> bool:
    """Undo what the journal knows of these steps, last first; whether all is well."""
    journal = Journal(site.settings.home)
    names = {step.name for step in steps}
    if not any(entry.step in names for entry in journal.entries):
        talk.say(f"nothing to undo: {journal.path} names no such step")
    is_well = True
    for step in reversed(steps):
        is_well = _guarded(_undo, step, site, journal, talk) and is_well
    if not journal.entries and not talk.dry_run:
        sweep(journal.path)
    return is_well


def _guarded(
    work: Callable[[Step, Site, Journal, Talk], bool], step: Step, site: Site, journal: Journal, talk: Talk
) -> bool:
    try:
        return work(step, site, journal, talk)
    except UsageError:
        raise  # nobody to ask: the same for every step
    except DoctorError as error:
        _show_failure(error, talk)
        return False


def _show_failure(error: DoctorError, talk: Talk) -> None:
    talk.say(f"  failed: {error.message}")
    if error.hint:
        talk.say(f"    try: {error.hint}")


def _do(step: Step, site: Site, journal: Journal, talk: Talk) -> bool:
    talk.say(f"{step.name}: {step.summary}")
    plan = step.plan(site)
    _show(plan, talk)
    if not plan.notes and not plan.changes:
        talk.say("  nothing to do")
    if _agreed(plan.changes, talk, "Do this?"):
        for change in plan.changes:
            change.apply(journal)
    return plan.complete


def _undo(step: Step, site: Site, journal: Journal, talk: Talk) -> bool:
    entries = [entry for entry in reversed(journal.entries) if entry.step == step.name]
    if not entries:
        return True
    talk.say(f"{step.name}: undo")
    plans = []
    is_whole = True
    for entry in entries:
        try:
            plans.append((entry, step.undo(site, entry)))
        except ElsewhereError as error:
            _show_failure(error, talk)
            is_whole = False
    for _, plan in plans:
        _show(plan, talk)
    changes = []
    for _, plan in plans:
        changes += plan.changes
    if not _agreed(changes, talk, f"Undo {step.name}?"):
        return is_whole
    for entry, plan in plans:
        for change in plan.changes:
            change.apply(journal)
        journal.forget(entry)
    return is_whole


def _show(plan: Plan, talk: Talk) -> None:
    for note in plan.notes:
        talk.say(f"  {note}")
    for change in plan.changes:
        talk.say(f"  {change.summary}")
        preview = change.preview
        if change.public_preview is not None and not talk.to_person:
            preview = change.public_preview
        talk.say("\n".join(f"    {line}" for line in preview.splitlines()))


def _agreed(changes: Sequence[Change], talk: Talk, question: str) -> bool:
    if talk.dry_run:
        return False
    if any(change.asks for change in changes) and not talk.agree(f"  {question}"):
        talk.say("  left as it is")
        return False
    return True

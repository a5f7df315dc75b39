"""Writes docs/CHECKS.md: how checks, causes and monitors are written, and the fields of all they use. `make docs`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from blueplane_doctor import causeapi, checkapi
from blueplane_doctor.model import Bound, Cause, Finding, Remedy, Stake, Status, descriptions_of
from blueplane_doctor.plugins.discovery import find_checks, find_monitors
from blueplane_doctor.records.base import Record
from blueplane_doctor.scales import Scale

TARGET = Path(__file__).parents[2] / "docs" / "CHECKS.md"
SET_BY_THE_DOCTOR = ("id", "area", "duration_ms", "waiver", "change")
"""Fields of a Finding that a check leaves alone."""
ADDED_TO_CAUSES = ("id", "title", "status", "leads_to")
"""Fields of a Cause that a cause function leaves alone."""
HELPERS = (checkapi.unknown, checkapi.not_graded, checkapi.unmeasured, checkapi.many, checkapi.sentence)

CHECK = '''\
"""check_disk.py: is there room for what comes next."""

from blueplane_doctor import Finding, Remedy, Scale, check


# A day of telemetry takes about 500 MB here.
@check(area="disk", scale=Scale.falling(yellow=5_000, orange_below=2_000, red_below=500, unit="MB"))
def check_home_space(disk, scale) -> Finding:
    """Space on the disk that holds Blueplane's home.

    SQLite and Redis stop writing when the disk is full.

    Causes:
    - logs that nobody rotates
    """
    return scale.grade(
        disk.free_mb,
        f"{disk.free_mb:,.0f} MB are free",
        remedy=Remedy(text="See what takes the room.", commands=["du -sh ~/.blueplane"]),
    )
'''
CAUSE = '''\
"""cause_disk.py: what fills the disk of Blueplane's home."""

from blueplane_doctor import Cause, Findings, Remedy, cause


@cause(stage="database", shown_by=["home-space"], brings=["write-success"], follows=["disk-full"])
def cause_old_logs(disk, findings: Findings) -> Cause | None:
    """Old logs fill the disk.

    Nothing rotates the logs in Blueplane's home.
    """
    if not findings.bad("home-space"):
        return None
    return Cause(
        summary=f"{disk.free_mb:,.0f} MB are free, and nothing removes old logs.",
        certain=False,
        confirm="which files take the room",
        next_step=Remedy(text="See what takes the room.", commands=["du -sh ~/.blueplane"]),
    )
'''
MONITOR = '''\
"""monitor_disk.py: how much room the disk of Blueplane's home has."""

import shutil

from blueplane_doctor import Record
from blueplane_doctor.monitoring import Monitor


class DiskHealth(Record):
    """The disk that holds Blueplane's home."""

    free_mb: float
    """Space that is free, in megabytes."""


class DiskMonitor(Monitor):
    """Asks the operating system."""

    name = "disk"
    record = DiskHealth

    def collect(self) -> DiskHealth:
        """Reads once, and only reads."""
        usage = shutil.disk_usage(self.examination.settings.home)
        return DiskHealth(free_mb=usage.free / 1_000_000)


MONITOR = DiskMonitor
'''
STAGE_NAMES = ", ".join(f"`{stage}`" for stage in causeapi.STAGES)
HEAD = f"""\
<!-- Made by `make docs` from the docstrings of blueplane_doctor; a test compares. Edit those, not this file. -->

# Checks, causes and monitors of your own

**A monitor reads, a check judges, a cause explains.** A monitor reads one area of the pipeline into one health record.
A check is handed the records that it names, and returns one `Finding`; it reads nothing itself. A cause is handed
records and findings, and says which one fault they have in common.

## A check

A function named `check_*` in a file named `check_*.py`:

```python
{CHECK}```

- **Its parameters name the health records** that it judges ([below](#health-records)), and `scale` its own scale, with
  the thresholds of the settings. If a record could not be read, the check is `skipped` with the cause.
  A parameter with a default, `history=None`, names a record without which it runs too.
- **Its id is its name**: `check_home_space` is `home-space` in settings, on the command line and in every report.
- **Its docstring is its explanation**: one line that says what it looks at, then what it means. `blueplane-doctor
  checks ID` shows it.
- **It is pure**: no reading, no clock, no network. Ages and times are in the records.
- **Too little data is `unknown`**, with the cause, never green.

Put the file into `~/.blueplane/checks`, or name its folder with `--checks DIR` or `checks` in the settings, or name the
module in the entry-point group `blueplane_doctor.checks` of a package. A file is loaded
only where you and root alone decide what is there: the file, its folder and all folders above belong to one of you, and
nobody else may write to them. A group of which nobody else is a member counts as yours in the folders above; the file
and the folder that you name must be `chmod go-w`. So root runs no code from the home of another user, nor from a
`doctor.yaml` there. A mistake in the file becomes a finding that names file, line and field; the other checks still
run.

A check that becomes part of blueplane-doctor itself (a file in `checks/`) also needs `Causes:` in its docstring, and
an entry in tests/checks/unhealthy.py: the records in which it is not green. The contract tests name what is missing.

## A cause

A function named `cause_*` in a file named `cause_*.py`:

```python
{CAUSE}```

- **`shown_by`** names the findings that are its signs. It is told only where one of them is yellow or worse.
- **`brings`** names further findings that may follow from it. They stand under it, and not for themselves.
- **`follows`** names other causes that may bring it. Where one of these is there and accounts for its signs, only that
  one is told.
- **`stage`** is one of {STAGE_NAMES}: of two causes that are equally bad,
  the one of the earlier stage is told first.
- **Its parameters name health records**, as those of a check do, and `findings` what the checks found
  ([below](#findings)). Where a record could not be read the cause is not told; give the parameter a default where the
  cause can do without it.
- **It returns** a `Cause`, a list of them, or None where it is not there. It says nothing that its records do not show:
  what is only likely has `certain=False`, and `confirm` says what would make it certain.
- **Its id is its name**: `cause_old_logs` is `old-logs`. **The docstring's first line is its title.** `blueplane-doctor
  checks ID` shows both.
- **It is pure**, and its `next_step` has only commands that are safe to copy.

Put the file into a folder of checks, beside them; a package names its module in the entry-point group
`blueplane_doctor.checks`. The rules for files are those of checks: a mistake becomes a finding that names file, line
and field, and so does a `shown_by` that names no check. A cause that breaks is a finding too; the others still run.
A new cause of blueplane-doctor itself is one new file in `checks/`.

## A monitor

A class in a file named `monitor_*.py`, with `MONITOR` set to it:

```python
{MONITOR}```

- **`name`** is the parameter by which checks ask for the record, and its key in `metrics` of the JSON report.
- **`collect`** only reads, and ends within `self.examination.deadline`. It raises `SourceError` of
  `blueplane_doctor.errors` when its area cannot be read: checks that need the record are then skipped, with that cause.
- **A part that is not known is null**, never 0.
- **No payload text, prompt, path or secret** may be in a record: it is shown in reports and kept as evidence.

`self.examination` has the settings and all sources: `settings`, `now`, `deadline`, `redis`, `database`.

Put the file into `~/.blueplane/monitors`, or name its folder with `--monitors DIR` or `monitors` in the settings, or
name the module in the entry-point group `blueplane_doctor.monitors` of a package. The rules for files are those of
checks. A record is kept with `--save-evidence`; `--from-evidence` needs the same `--monitors` to read it.
"""


def text() -> str:
    """The whole document."""
    return "\n".join([HEAD, *_parts()])


def _parts() -> Iterator[str]:
    yield "## Scale\n"
    yield _paragraphs(Scale.__doc__) + "\n"
    for method in (Scale.rising, Scale.falling, Scale.states, Scale.grade):
        yield f"- `Scale.{method.__name__}`: {_one_line(method.__doc__)}"
    yield "\nIts fields, as a finding carries them too:\n"
    yield from _table(Scale, only=tuple(Scale.model_fields))
    yield "A bound:\n"
    yield from _table(Bound)
    yield "## Finding\n"
    yield _paragraphs(Finding.__doc__) + "\n"
    yield from _table(Finding, leave_out=SET_BY_THE_DOCTOR)
    yield "`status` is one of " + ", ".join(f"`{status}`" for status in Status) + ".\n"
    yield "## Remedy\n"
    yield _paragraphs(Remedy.__doc__) + "\n"
    yield from _table(Remedy)
    yield from _of_causes()
    yield "## Helpers\n"
    yield "From `blueplane_doctor.checkapi`; `unknown` also from `blueplane_doctor`.\n"
    for helper in HELPERS:
        yield f"- `{helper.__name__}`: {_one_line(helper.__doc__)}"
    yield "\n## Health records\n"
    monitors = sorted(find_monitors().items())
    yield ", ".join(f"[`{name}`](#{name})" for name, _ in monitors) + ".\n"
    for name, monitor in monitors:
        yield f"### {name}\n"
        yield f"{_one_line(monitor.record.__doc__)} {_one_line(monitor.__doc__)}\n"
        yield from _record(monitor.record)


def _of_causes() -> Iterator[str]:
    """What a cause returns and is handed, and the causes that there are."""
    yield "## Cause\n"
    yield "What is wrong, as a cause function returns it; the doctor adds id, title, status and what follows from it.\n"
    yield from _table(Cause, leave_out=ADDED_TO_CAUSES)
    yield "A stake:\n"
    yield from _table(Stake)
    yield "## Findings\n"
    yield _paragraphs(causeapi.Findings.__doc__) + "\n"
    for method in (causeapi.Findings.get, causeapi.Findings.bad, causeapi.Findings.value):
        yield f"- `findings.{method.__name__}(check_id)`: {_one_line(method.__doc__)}"
    yield "\n## The causes that there are\n"
    yield "| stage | cause | title | shown by |\n|---|---|---|---|"
    for spec in sorted(find_checks().causes, key=lambda spec: (causeapi.STAGES.index(spec.stage), spec.id)):
        yield f"| {spec.stage} | `{spec.id}` | {spec.title} | {', '.join(spec.shown_by)} |"
    yield ""


def _record(record: type[Record]) -> Iterator[str]:
    """The table of a record, and those of the records in it."""
    yield from _table(record)
    for inner in _inner_records(record):
        yield f"`{inner.__name__}`: {_one_line(inner.__doc__)}\n"
        yield from _table(inner)


def _table(record: type[Record], *, only: tuple[str, ...] = (), leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    meanings = _descriptions(record)
    yield "| field | type | meaning |\n|---|---|---|"
    for name, kind in _types_of(record).items():
        if name in leave_out or (only and name not in only):
            continue
        yield f"| `{name}` | {_shown(kind)} | {_one_line(meanings.get(name, '')).replace('|', '&#124;')} |"
    yield ""


def _descriptions(record: type[Record]) -> dict[str, str]:
    """The docstrings under the fields, those of base classes included."""
    meanings: dict[str, str] = {}
    for kind in reversed(record.__mro__):
        if issubclass(kind, Record) and kind is not Record:
            meanings |= descriptions_of(kind)
    return meanings


def _inner_records(record: type[Record]) -> list[type[Record]]:
    """Records in the fields of a record, however deep, each once."""
    found: list[type[Record]] = []
    for annotation in _types_of(record).values():
        for kind in _kinds(annotation):
            if isinstance(kind, type) and issubclass(kind, Record) and kind not in found:
                found.append(kind)
                found += [inner for inner in _inner_records(kind) if inner not in found]
    return found


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    if get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _kinds(argument)


def _types_of(record: type[Record]) -> dict[str, Any]:
    """The type of each field, those included that only a cause function gives."""
    return {field.name: field.type for field in msgspec.structs.fields(record)}


def _shown(kind: Any) -> str:
    shown = kind.__name__ if isinstance(kind, type) and not get_args(kind) else ""
    shown = shown or re.sub(r"\b(?:[A-Za-z_]+\.)+", "", str(kind))
    shown = re.sub(r"Annotated\[(.+?), (?:Cleaned|Prepared)\(.*?>\)\]", r"\1", shown)  # see public_fields.py
    return shown.replace(" | UnsetType", "").replace("None", "null").replace("|", "or")


def _paragraphs(docstring: str | None) -> str:
    lines = [line.strip() for line in (docstring or "").strip().splitlines()]
    return "\n".join(lines)


def _one_line(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")

"""Writes docs/CHECKS.md: how a check and a monitor are written, and the fields of everything they use. `make docs`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from blueplane_doctor import checkapi
from blueplane_doctor.discovery import find_monitors
from blueplane_doctor.model import Bound, Finding, Remedy, Status, descriptions_of
from blueplane_doctor.scales import Scale

TARGET = Path(__file__).parents[2] / "docs" / "CHECKS.md"
SET_BY_THE_DOCTOR = ("id", "area", "duration_ms", "waiver", "change")
"""Fields of a Finding that a check leaves alone."""
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
HEAD = f"""\
<!-- Made by `make docs` from the docstrings of blueplane_doctor; a test compares. Edit those, not this file. -->

# Checks and monitors of your own

**A monitor reads, a check judges.** A monitor reads one area of the pipeline into one health record. A check is handed
the records that it names, and returns one `Finding`; it reads nothing itself.

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


def _record(record: type[BaseModel]) -> Iterator[str]:
    """The table of a record, and those of the records in it."""
    yield from _table(record)
    for inner in _inner_records(record):
        yield f"`{inner.__name__}`: {_one_line(inner.__doc__)}\n"
        yield from _table(inner)


def _table(record: type[BaseModel], *, only: tuple[str, ...] = (), leave_out: tuple[str, ...] = ()) -> Iterator[str]:
    meanings = _descriptions(record)
    yield "| field | type | meaning |\n|---|---|---|"
    for name, field in record.model_fields.items():
        if name in leave_out or (only and name not in only):
            continue
        yield f"| `{name}` | {_type(field)} | {_one_line(meanings.get(name, '')).replace('|', '&#124;')} |"
    yield ""


def _descriptions(record: type[BaseModel]) -> dict[str, str]:
    """The docstrings under the fields, those of base classes included."""
    meanings: dict[str, str] = {}
    for kind in reversed(record.__mro__):
        if issubclass(kind, BaseModel) and kind is not BaseModel:
            meanings |= descriptions_of(kind)
    return meanings


def _inner_records(record: type[BaseModel]) -> list[type[BaseModel]]:
    """Records in the fields of a record, however deep, each once."""
    found: list[type[BaseModel]] = []
    for field in record.model_fields.values():
        for kind in _kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
                found.append(kind)
                found += [inner for inner in _inner_records(kind) if inner not in found]
    return found


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    if get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _kinds(argument)


def _type(field: FieldInfo) -> str:
    shown = field.annotation.__name__ if isinstance(field.annotation, type) and not get_args(field.annotation) else ""
    shown = shown or re.sub(r"\b(?:[A-Za-z_]+\.)+", "", str(field.annotation))
    shown = re.sub(r"Annotated\[(\w+), AfterValidator\([^\]]*\)\]", r"\1", shown)  # see public_fields.py
    return shown.replace("None", "null").replace("|", "or")


def _paragraphs(docstring: str | None) -> str:
    lines = [line.strip() for line in (docstring or "").strip().splitlines()]
    return "\n".join(lines)


def _one_line(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")

"""What `blueplane-doctor` does without a subcommand: examine, or judge kept evidence; print the report."""

import os
import sys
import time

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.command_line.report_output import format_for, format_named, in_file, view_of
from blueplane_doctor.errors import DoctorError, UsageError
from blueplane_doctor.findings import counted
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import to_json
from blueplane_doctor.judging.kept import read_evidence, read_report
from blueplane_doctor.locations import locate, revealed
from blueplane_doctor.model import Report
from blueplane_doctor.plugins.discovery import meaningless
from blueplane_doctor.sources.cursor_places import databases
from blueplane_doctor.sources.transcript_files import project_folders
from blueplane_doctor.text.characters import plain
from blueplane_doctor.text.console import complain, progress, say, show, step_aside, write_file
from blueplane_doctor.text.times import seconds_in

TABLE = "table"
"""The format for people, which alone may show private paths and hosts."""
_DEFAULT_PAUSE = "2s"
"""Between two examinations of --wait."""
_QUIET_SECONDS = 3.0
_NAMED = 5
"""Findings that are named while waiting."""


def run(given: Invocation) -> int:
    """Examine, show and write the report; gives the exit code. Raises DoctorError.

    With a format that has exit codes of its own, as nagios, errors come in its form too.
    """
    options = given.options
    outputs = options.output or []
    form = format_named(options.format or TABLE)
    files = [(path, format_for(path)) for path in outputs]
    for path in outputs:
        if not os.path.isdir(path.parent) or os.path.isdir(path):
            raise UsageError(f"--output {path}: there is no folder for it, or it is one itself", "name another file")
    try:
        report = _examined(given)
    except DoctorError as error:
        if form.error is None:
            raise
        text, code = form.error(error.message)
        show(text)
        return code
    view = view_of(options)
    for path, file_form in files:
        write_file(path, file_form.render(report, in_file(view)))
    shown = report
    if form.name == TABLE and not options.from_evidence and sys.stdout.isatty():
        # What is not shown on a terminal goes into logs and tickets. Kept evidence may be of another machine.
        shown = revealed(report, locate(given.load(for_examination=True).settings).true_values)
    show(form.render(shown, view), markup=form.markup, commands=form.commands)
    if options.reveal:
        _reveal_projects(given)
    return form.exit_code(report) if form.exit_code else report.exit_code


def _reveal_projects(given: Invocation) -> None:
    """Show which folder each numbered project and workspace is: to the person at this terminal, and nobody else."""
    if not sys.stdout.isatty():
        complain("--reveal shows names on a terminal alone", "run it without a pipe and without --output")
        return
    settings = given.load(for_examination=True).settings
    for number, folder in enumerate(project_folders(settings.claude_projects), start=1):
        show(f"project {number}: {plain(folder.name)}\n")
    for database in databases(settings):
        if database.folder:
            show(f"workspace {database.workspace}: {plain(database.folder)}\n")


def _examined(given: Invocation) -> Report:
    """The report; with --wait the first that is good enough, or the last."""
    step_aside()
    options = given.options
    if options.from_evidence and (options.wait or options.save_evidence):
        raise UsageError("--from-evidence reads one file; it goes with neither --wait nor --save-evidence")
    limit = seconds_in(options.wait, "--wait") if options.wait else 0.0
    pause = seconds_in(options.every or _DEFAULT_PAUSE, "--every")
    settings = given.load(for_examination=True).settings
    baseline = None
    if options.baseline:
        baseline = read_report(options.baseline)
    elif settings.fail_on_new:
        raise UsageError("--fail-on new:… needs a report to compare with", "name it with --baseline REPORT.json")
    doctor = Doctor(settings, baseline)
    for word in meaningless(settings, doctor.available.checks):
        complain(f"warning: {word} in --select or --ignore means no check")
    end = time.monotonic() + limit
    waiting = Waiting(doctor, limit)
    while True:
        if options.from_evidence:
            evidence = read_evidence(options.from_evidence, settings.monitor_folders)
        else:
            with progress() as tell:
                evidence = doctor.collect(tell)
        report = doctor.judge(evidence)
        if not limit or report.exit_code == 0 or time.monotonic() + pause > end:
            break
        waiting.tell(report, end - time.monotonic())
        time.sleep(pause)
    if options.save_evidence:
        write_file(options.save_evidence, to_json(evidence))
    return report


class Waiting:
    """Says on stderr what --wait waits for, once, and again whenever it changes."""

    def __init__(self, doctor: Doctor, limit: float) -> None:
        """`limit`: seconds that the run may wait."""
        self._doctor = doctor
        self._limit = limit
        self._last = ""

    def tell(self, report: Report, left: float) -> None:
        """Say which findings keep the run from ending with 0; `left`: seconds that it may still wait.

        At once to a person; into a log only of a wait that lasts, so that a short one leaves nothing behind.
        """
        if not sys.stderr.isatty() and self._limit - left < _QUIET_SECONDS:
            return
        names = []
        for finding in counted(report.findings):
            if self._doctor.exit_code([finding]):
                names.append(f"{finding.id} {finding.status.value}")
        shown = ", ".join(names[:_NAMED])
        if len(names) > _NAMED:
            shown += f" and {len(names) - _NAMED} more"
        if shown != self._last:
            say(f"blueplane-doctor: {report.status.value}; waits at most {left:.0f} s more for {shown}")
        self._last = shown

"""What `--blueplane` switches on: collecting health checks, reading once a session, showing findings."""

from collections.abc import Generator, Iterator
from fnmatch import fnmatchcase
from html import escape
from importlib.util import find_spec
from os.path import normpath
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.errors import DoctorError, FileUnreadable
from blueplane_doctor.files.reading import SOURCE_BYTES, read_bytes
from blueplane_doctor.judging.evidence import to_json
from blueplane_doctor.plugins.discovery import meaningless
from blueplane_doctor.pytest_plugin.health import HANDED_OVER, health_of, text_of
from blueplane_doctor.pytest_plugin.items import PROPERTY, ROOT, CheckFile, CheckItem, Refusal, UsualChecks
from blueplane_doctor.reports import cause_phrases

_AFTER_TEST = slice(2, 2)
"""Where the columns of ours begin in pytest-html's table."""


class Suite:
    """The hooks of a run with `--blueplane`.

    The usual checks are collected when no path is given, or when they are named: `blueplane`, `blueplane::ID`, or
    `checks` where there is no such folder.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.health = health_of(config)
        start = config.invocation_params.dir
        given = []
        if config.args_source is pytest.Config.ArgsSource.ARGS:
            given = config.args
        self.arguments: dict[str, str] = {}
        """Arguments that name usual checks, with the id that each means."""
        self.named: set[Path] = set()
        """Files and folders that the other arguments name."""
        for argument in given:
            check = _check_of(argument, config)
            if check:
                self.arguments[argument] = check
            else:
                path = argument.partition("::")[0]
                self.named.add((start / path).resolve())
        self.usual = not given or bool(self.arguments)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse what cannot be used before anything is collected."""
        try:
            self.health.load()
        except DoctorError as error:
            raise pytest.UsageError(text_of(error)) from error

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """pytest itself would look for a file named `blueplane`."""
        arguments = []
        for arg in session.config.args:
            if arg not in self.arguments:
                arguments.append(arg)
        session.config.args = arguments

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """The folder of built-in checks is a plain one: as a package pytest would import it as `checks`."""
        built_in = find_spec("blueplane_doctor.checks")
        if built_in and built_in.origin and path.resolve() == Path(built_in.origin).resolve().parent:
            return pytest.Dir.from_parent(parent, path=path)
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
        """A `check_*.py` is a file of health checks and nothing else: no module of tests, no doctests."""
        collectors = yield
        return [CheckFile.from_parent(parent, path=file_path)] if self._is_meant(file_path) else collectors

    def _is_meant(self, file: Path) -> bool:
        """Scripts are named `check_*.py` too, and collecting runs the file: it, its folder, or it us must name."""
        if not fnmatchcase(file.name, "check_*.py"):
            return False
        named = {file.resolve(), file.resolve().parent} & self.named
        if named:
            return True
        try:
            return b"blueplane_doctor" in read_bytes(file, SOURCE_BYTES)
        except FileUnreadable:
            return False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Add the usual checks, then leave out what the settings do not select; `-k` and `-m` come after this."""
        try:
            if self.usual:
                items += self._usual_ones(session, items)
            if any(isinstance(item, CheckItem) for item in items):
                left_out = self._left_out(items)
                items[:] = [item for item in items if item not in left_out]
                config.hook.pytest_deselected(items=left_out)
        except DoctorError as error:
            items[:] = session.genitems(Refusal.from_parent(session, name=ROOT, nodeid=ROOT, cause=text_of(error)))

    def _left_out(self, items: list[pytest.Item]) -> list[pytest.Item]:
        """The items of checks that are not selected."""
        selected = {spec.id for spec in self.health.doctor.checks}
        left_out: list[pytest.Item] = []
        for item in items:
            if isinstance(item, CheckItem) and item.spec and item.spec.id not in selected:
                left_out.append(item)
        return left_out

    def _usual_ones(self, session: pytest.Session, items: list[pytest.Item]) -> Iterator[pytest.Item]:
        taken = set()
        for item in items:
            if isinstance(item, CheckItem):
                taken.add(item.key)
        named = set()
        for check in self.arguments.values():
            named.add(check.partition("::")[2])
        if "" in named:  # `blueplane` alone means all of them
            named = set()
        node = UsualChecks.from_parent(session, name=ROOT, nodeid=ROOT, named=named, taken=taken)
        return (item for item in session.genitems(node) if isinstance(item, pytest.Item))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """With health checks alone, only what they judge is read; a test of your own may ask for any record."""
        if session.items and all(isinstance(item, CheckItem) for item in session.items):
            self.health.names = self.health.doctor.needs

    def pytest_report_collectionfinish(self) -> list[str]:
        """Words of the selection that mean nothing are often typing errors."""
        words = meaningless(self.health.settings, self.health.available.checks)
        warnings = []
        for word in words:
            warnings.append(f"blueplane: {word} in --blueplane-select or --blueplane-ignore means no check")
        return warnings

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """With pytest-xdist the controller reads, and every worker judges the same evidence."""
        node.workerinput[HANDED_OVER] = to_json(self.health.evidence)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A check fails and is skipped where it stands, not in this plugin: `-rs` and `--tb=line` show the place."""
        report = yield
        if isinstance(item, CheckItem):
            path, number, _ = item.reportinfo()
            line = (number or 0) + 1
            if isinstance(report.longrepr, tuple):
                report.longrepr = (str(path), line, report.longrepr[2])
            elif crash := getattr(report.longrepr, "reprcrash", None):
                crash.path = str(path)
                crash.lineno = line
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Three columns of ours, where pytest-html is installed."""
        cells[_AFTER_TEST] = [f"<th>{name}</th>" for name in ("Finding", "Scale", "Remedy")]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Empty for a test that is no health check. Cells are HTML, and findings are hostile: escaped."""
        properties = dict(getattr(report, "user_properties", []))
        finding = ""
        status = properties.get(PROPERTY + "status", "")
        if status:
            finding = f"{status}: {properties.get(PROPERTY + 'summary', '')}"
        texts = (finding, properties.get(PROPERTY + "scale", ""), properties.get(PROPERTY + "remedy", ""))
        cells[_AFTER_TEST] = [f"<td>{escape(str(text))}</td>" for text in texts]

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """The causes first, then what passed and is not green."""
        if self.health.causes:
            terminalreporter.section("causes", red=True)
        for cause in self.health.causes:
            for text in cause_phrases.told(cause, self.health.report):
                terminalreporter.line(text)
        lines = []
        for report in terminalreporter.stats.get("passed", []):
            properties = dict(report.user_properties)
            status = str(properties.get(PROPERTY + "status", "green"))
            if status.partition(",")[0] != "green":
                lines.append(f"{report.nodeid} - {status}: {properties[PROPERTY + 'summary']}")
        if lines:
            terminalreporter.section("health below --blueplane-fail-on", yellow=True)
            for text in lines:
                terminalreporter.line(text)


def _check_of(arg: str, config: pytest.Config) -> str:
    """The id (`blueplane`, `blueplane::queue-depth`) that an argument names; empty for a path."""
    path, _, name = arg.partition("::")
    start = config.invocation_params.dir
    place = Path(normpath(start / path))  # pytest shows ids as paths from where it was started: `../blueplane::ID`
    means_usual = place in (start / ROOT, config.rootpath / ROOT) or path.rstrip("/") == "checks"
    if place.exists() or not means_usual:
        return ""
    if name:
        return f"{ROOT}::{name}"
    return ROOT

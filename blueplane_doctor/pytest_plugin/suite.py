"""What `--blueplane` switches on: collecting health checks, reading once a session, showing findings."""

from collections.abc import Generator, Iterator
from fnmatch import fnmatchcase
from html import escape
from importlib.util import find_spec
from os.path import normpath
from pathlib import Path
from typing import Any

import pytest

from blueplane_doctor.errors import DoctorError
from blueplane_doctor.pytest_plugin.health import HANDED_OVER, health_of, told
from blueplane_doctor.pytest_plugin.items import PROPERTY, ROOT, CheckFile, CheckItem, Refusal, UsualChecks

_AFTER_TEST = slice(2, 2)
"""Where the columns of ours begin in pytest-html's table."""


class Suite:
    """The hooks of a run with `--blueplane`.

    The usual checks are collected when no path is given, or when they are named: `blueplane`, `blueplane::ID`, or
    `checks` where there is no such folder.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.health = health_of(config)
        given = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
        start = config.invocation_params.dir
        self.ours = {arg: own for arg in given if (own := _ours(arg, config))}
        self.named = {(start / arg.partition("::")[0]).resolve() for arg in given if arg not in self.ours}
        self.usual = not given or bool(self.ours)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse what cannot be used before anything is collected."""
        try:
            self.health.load()
        except DoctorError as error:
            raise pytest.UsageError(told(error)) from error

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """pytest itself would look for a file named `blueplane`."""
        session.config.args = [arg for arg in session.config.args if arg not in self.ours]

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
        return bool(named) or b"blueplane_doctor" in file.read_bytes()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Add the usual checks, then leave out what the settings do not select; `-k` and `-m` come after this."""
        try:
            if self.usual:
                items += self._usual_ones(session, items)
            if any(isinstance(item, CheckItem) for item in items):
                chosen = {spec.id for spec in self.health.doctor.checks}
                left_out = [i for i in items if isinstance(i, CheckItem) and i.spec and i.spec.id not in chosen]
                items[:] = [item for item in items if item not in left_out]
                config.hook.pytest_deselected(items=left_out)
        except DoctorError as error:
            items[:] = session.genitems(Refusal.from_parent(session, name=ROOT, nodeid=ROOT, cause=told(error)))

    def _usual_ones(self, session: pytest.Session, items: list[pytest.Item]) -> Iterator[pytest.Item]:
        taken = {item.key for item in items if isinstance(item, CheckItem)}
        named = {name for _, _, name in (arg.partition("::") for arg in self.ours.values())}
        named = set() if "" in named else named
        node = UsualChecks.from_parent(session, name=ROOT, nodeid=ROOT, named=named, taken=taken)
        return (item for item in session.genitems(node) if isinstance(item, pytest.Item))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """With health checks alone, only what they judge is read; a test of your own may ask for any record."""
        if session.items and all(isinstance(item, CheckItem) for item in session.items):
            self.health.names = self.health.doctor.needs

    def pytest_report_collectionfinish(self) -> list[str]:
        """Words of the selection that mean nothing are often typing errors."""
        from blueplane_doctor.discovery import meaningless

        words = meaningless(self.health.settings, self.health.found.checks)
        return [f"blueplane: {word} in --blueplane-select or --blueplane-ignore means no check" for word in words]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """With pytest-xdist the controller reads, and every worker judges the same evidence."""
        from blueplane_doctor.evidence import to_json

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
                crash.path, crash.lineno = str(path), line
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Three columns of ours, where pytest-html is installed."""
        cells[_AFTER_TEST] = [f"<th>{name}</th>" for name in ("Finding", "Scale", "Remedy")]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Empty for a test that is no health check. Cells are HTML, and findings are hostile: escaped."""
        found = {name: str(value) for name, value in getattr(report, "user_properties", [])}
        status, summary, *more = (found.get(PROPERTY + name, "") for name in ("status", "summary", "scale", "remedy"))
        texts = [f"{status}: {summary}" if status else "", *more]
        cells[_AFTER_TEST] = [f"<td>{escape(text)}</td>" for text in texts]

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Name what passed and is not green."""
        passed = [(r.nodeid, dict(r.user_properties)) for r in terminalreporter.stats.get("passed", [])]
        said = [
            f"{nodeid} - {found[PROPERTY + 'status']}: {found[PROPERTY + 'summary']}"
            for nodeid, found in passed
            if found.get(PROPERTY + "status", "green").partition(",")[0] != "green"
        ]
        if said:
            terminalreporter.section("health below --blueplane-fail-on", yellow=True)
            for text in said:
                terminalreporter.line(text)


def _ours(arg: str, config: pytest.Config) -> str:
    """The id (`blueplane`, `blueplane::queue-depth`) that an argument names; empty for a path."""
    path, _, name = arg.partition("::")
    start = config.invocation_params.dir
    place = Path(normpath(start / path))  # pytest shows ids as paths from where it was started: `../blueplane::ID`
    if place.exists() or not (place in (start / ROOT, config.rootpath / ROOT) or path.rstrip("/") == "checks"):
        return ""
    return f"{ROOT}::{name}" if name else ROOT

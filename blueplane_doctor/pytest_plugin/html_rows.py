"""Columns of pytest-html's table: what was found, its scale, its remedy."""

from html import escape

import pytest

from blueplane_doctor.pytest_plugin.outcomes import PROPERTY

_COLUMNS = ("Finding", "Scale", "Remedy")
_AFTER_TEST = 2


class HtmlRows:
    """Hooks that are called where pytest-html is installed. Cells are HTML, and findings are hostile: escaped."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """The columns' names."""
        cells[_AFTER_TEST:_AFTER_TEST] = [f"<th>{name}</th>" for name in _COLUMNS]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """The columns of one test; empty for a test that is no health check."""
        found = {name: str(value) for name, value in getattr(report, "user_properties", [])}
        status, summary = found.get(f"{PROPERTY}status"), found.get(f"{PROPERTY}summary")
        texts = [f"{status}: {summary}" if status else "", *(found.get(PROPERTY + n, "") for n in ("scale", "remedy"))]
        cells[_AFTER_TEST:_AFTER_TEST] = [f"<td>{escape(text)}</td>" for text in texts]

"""Every format, whole: a change of any byte is seen and meant."""

from pathlib import Path

import pytest

from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.reports.base import View
from tests.golden.compare import Golden
from tests.reports import samples

TEMPLATES = Path(__file__).parents[2] / "templates"
OWN_FILES = {"table", "json"}
"""Those that have golden files of their own, for several views and reports."""


@pytest.mark.parametrize("name", sorted(find_formats().keys() - OWN_FILES))
@pytest.mark.parametrize("report", ["healthy", "mixed"])
def test_a_format_is_as_the_golden_file(report: str, name: str, golden: Golden) -> None:
    form = find_formats()[name]
    made = getattr(samples, report)()
    text = form.render(made, View())
    assert form.render(made, View()) == text
    golden(f"{report}.{name}{(*form.suffixes, '.txt')[0]}", _without_own_files(text) if name == "html" else text)


def _without_own_files(page: str) -> str:
    """The page with the name of its style sheet and script where they stand, whole: each is kept in one place."""
    for name in ("style.css", "script.js"):
        before, own, after = page.partition((TEMPLATES / name).read_text(encoding="utf-8"))
        assert own, f"{name} is not in the page as it is"
        page = f"{before}[{name}]\n{after}"
    return page

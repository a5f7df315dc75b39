"""Every format, whole: a change of any byte is seen and meant."""

import pytest

from blueplane_doctor.discovery import find_formats
from blueplane_doctor.reports.base import View
from tests.golden.compare import Golden
from tests.reports import samples

OWN_FILES = {"table", "json"}
"""Those that have golden files of their own, for several views and reports."""


@pytest.mark.parametrize("name", sorted(find_formats().keys() - OWN_FILES))
@pytest.mark.parametrize("report", ["healthy", "mixed"])
def test_a_format_is_as_the_golden_file(report: str, name: str, golden: Golden) -> None:
    form = find_formats()[name]
    made = getattr(samples, report)()
    text = form.render(made, View())
    assert form.render(made, View()) == text
    golden(f"{report}.{name}{(*form.suffixes, '.txt')[0]}", text)

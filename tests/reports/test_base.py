"""Formats and views as every format relies on them."""

import pytest

from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.reports.base import Format, View


def test_a_view_is_plain_unless_somebody_asks() -> None:
    view = View()
    assert (view.verbose, view.quiet, view.color, view.width) == (False, False, False, 100)


def test_formats_and_views_do_not_change() -> None:
    with pytest.raises(AttributeError):
        View().quiet = True  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Format("x", (), lambda report, view: "").name = "y"  # type: ignore[misc]


def test_a_suffix_belongs_to_one_format() -> None:
    suffixes = [suffix for form in find_formats().values() for suffix in form.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)

"""Which format a file gets, and how wide and colourful stdout is."""

import io
import os
import sys
from pathlib import Path

import pytest

from blueplane_doctor.command_line import report_output
from blueplane_doctor.command_line.report_output import DEFAULT_WIDTH, format_for, format_named, view_of
from blueplane_doctor.errors import UsageError
from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.settings.options import Options


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_colour_is_for_a_terminal_that_has_it(
    variables: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert view_of(Options()).color is coloured


@pytest.mark.parametrize(("columns", "width"), [(40, 40), (120, 120), (300, 160)])
def test_a_terminal_has_its_own_width_up_to_a_limit(columns: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    size = os.terminal_size((columns, 24))
    monkeypatch.setattr(report_output, "get_terminal_size", lambda default: size)
    assert view_of(Options()).width == width


def test_a_pipe_has_the_default_width_and_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    view = view_of(Options(verbose=True))
    assert (view.width, view.color, view.verbose, view.quiet) == (DEFAULT_WIDTH, False, True, False)


def test_every_suffix_has_one_format() -> None:
    for form in find_formats().values():
        for suffix in form.suffixes:
            assert format_for(Path(f"report{suffix}")) == form
            assert format_for(Path(f"REPORT{suffix.upper()}")) == form


@pytest.mark.parametrize("name", ["report.docx", "report", ".json"])
def test_another_suffix_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        format_for(Path(name))
    assert "no format has this suffix" in caught.value.message
    assert ".html" in caught.value.hint and ".json" in caught.value.hint


def test_a_name_that_is_no_format_is_refused_with_those_that_there_are() -> None:
    assert format_named("json").name == "json"
    with pytest.raises(UsageError) as caught:
        format_named("jsn")
    assert set(find_formats()) == set(caught.value.hint.removeprefix("one of ").split(", "))

"""A pattern finds what a compiled one finds, and is compiled by its first use."""

import re

import pytest

from blueplane_doctor.text.patterns import pattern


def test_it_is_compiled_when_it_is_used() -> None:
    broken = pattern("(")
    with pytest.raises(re.error):
        broken.search("x")


def test_it_finds_what_a_compiled_one_finds() -> None:
    number = pattern(r"a(\d+)", re.IGNORECASE)
    for _ in range(2):
        match = number.search("-A12")
        assert match and match[1] == "12"
        assert number.sub("x", "A1a2") == "xx"
    assert number.pattern == r"a(\d+)"
    assert pattern(rb"\d").findall(b"1a2") == [b"1", b"2"]

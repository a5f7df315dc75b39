"""docs/OPTIONS.md is what the program takes today."""

from tests.docs.options import TARGET, text


def test_it_is_what_the_program_takes() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run `make docs`, and read the difference"

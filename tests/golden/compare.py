"""Whole outputs compared with files; `pytest --update-golden` writes them anew."""

from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent
Golden = Callable[[str, str], None]


def compare(name: str, text: str, *, update: bool) -> None:
    """Assert that the text is what the golden file of this name holds; with `update`, write the file."""
    path = FOLDER / name
    if update:
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"there is no {path.name}: run pytest --update-golden, and read what it wrote"
    assert text == path.read_text(encoding="utf-8"), "if this is meant: pytest --update-golden, and read the difference"

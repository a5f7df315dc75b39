"""Small JSON files of other programs, of which one without a usable object says nothing."""

from pathlib import Path

from blueplane_doctor.errors import DocumentError, FileUnreadable
from blueplane_doctor.files.documents import json_value
from blueplane_doctor.files.reading import SMALL_BYTES, read_text


def object_in(file: Path) -> dict[str, object]:
    """The object that a JSON file holds; empty where there is no such file, or it holds something else."""
    try:
        content = json_value(read_text(file, SMALL_BYTES))
    except (FileUnreadable, DocumentError):
        return {}
    if not isinstance(content, dict):
        return {}
    return content

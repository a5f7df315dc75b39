"""Results of a run of the matrix, kept one file each: the processes of pytest share no memory."""

import json
import os
import uuid
from pathlib import Path

RESULTS_VARIABLE = "BLUEPLANE_TEST_MATRIX"
"""Names a folder for them; `python -m tests.faults.reliability FOLDER` makes docs/RELIABILITY.md of them."""


def record(fault: str, section: str, command: str, misses: list[str], *, late: bool = False) -> None:
    """Keep the result of one run, where that is wanted."""
    folder = os.environ.get(RESULTS_VARIABLE)
    if not folder:
        return
    result = {"fault": fault, "section": section, "command": command, "misses": misses, "late": late}
    (Path(folder) / f"{uuid.uuid4()}.json").write_text(json.dumps(result), encoding="utf-8")

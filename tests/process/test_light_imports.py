"""Libraries are imported without what they bring along, and nobody else notices."""

import subprocess
import sys
from importlib.metadata import version

from blueplane_doctor.process.light_imports import load_tabulate


def _run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_tabulate_works_and_leaves_no_trace() -> None:
    program = (
        "import sys\n"
        "from blueplane_doctor.process.light_imports import load_tabulate\n"
        "print(load_tabulate()([['1']], ['one'], 'simple'))\n"
        "print([m for m in ('importlib.metadata', 'email', 'zipfile') if m in sys.modules])\n"
        "from importlib.metadata import version\n"
        "print(version('tabulate'))\n"
    )
    assert _run(program).splitlines() == ["  one", "-----", "    1", "[]", version("tabulate")]


def test_another_thread_gets_the_true_metadata_meanwhile() -> None:
    program = (
        "import sys\n"
        "from blueplane_doctor.process import light_imports\n"
        "def meanwhile():\n"
        "    from importlib.metadata import entry_points\n"
        "    from importlib.metadata import version\n"
        "    print(version('tabulate'), callable(entry_points))\n"
        "    return str\n"
        "light_imports._tabulate = meanwhile\n"
        "light_imports.load_tabulate()\n"
    )
    assert _run(program).split() == [version("tabulate"), "True"]


def test_where_the_metadata_are_imported_already_nothing_is_replaced() -> None:
    before = sys.modules["importlib.metadata"]
    assert load_tabulate()([["x"]], ["head"], "simple").split() == ["head", "------", "x"]
    assert sys.modules["importlib.metadata"] is before

"""Imports point one way; and starting up loads nothing heavy."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blueplane_doctor.demo.servers import RunningServer
from blueplane_doctor.demo.simulator import Pipeline
from tests.parameters import one_quick

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "blueplane_doctor"
HEAVY = (
    "redis",
    "pydantic_settings",
    "jinja2",
    "yaml",
    "psutil",
    "tabulate",
    "rich",
    "fastapi",
    "prometheus_client",
)

LAYERS = (
    "blueplane_hook",
    "blueplane_doctor.process",
    "blueplane_doctor.errors",
    "blueplane_doctor.text",
    "blueplane_doctor.files",
    "blueplane_doctor.metrics",
    "blueplane_doctor.records",
    "blueplane_doctor.model",
    "blueplane_doctor.json_schemas",
    "blueplane_doctor.findings",
    "blueplane_doctor.pipeline",
    "blueplane_doctor.layouts",
    "blueplane_doctor.privacy",
    "blueplane_doctor.readings",
    "blueplane_doctor.verdict",
    "blueplane_doctor.connection",
    "blueplane_doctor.scales",
    "blueplane_doctor.settings",
    "blueplane_doctor.locations",
    "blueplane_doctor.checkapi",
    "blueplane_doctor.causeapi",
    "blueplane_doctor",
    "blueplane_doctor.demo",
    "blueplane_doctor.sources",
    "blueplane_doctor.custody",
    "blueplane_doctor.recording",
    "blueplane_doctor.history",
    "blueplane_doctor.notifying",
    "blueplane_doctor.examination",
    "blueplane_doctor.capture",
    "blueplane_doctor.lookup",
    "blueplane_doctor.monitoring",
    "blueplane_doctor.checks",
    "blueplane_doctor.reports",
    "blueplane_doctor.export",
    "blueplane_doctor.plugins",
    "blueplane_doctor.command_line",
    "blueplane_doctor.judging",
    "blueplane_doctor.support",
    "blueplane_doctor.watching",
    "blueplane_doctor.installing",
    "blueplane_doctor.repair",
    "blueplane_doctor.http_server",
    "blueplane_doctor.service",
    "blueplane_doctor.pytest_plugin",
    "blueplane_doctor.commands",
    "blueplane_doctor.main_job",
    "blueplane_doctor.plain_run",
    "blueplane_doctor.cli",
    "blueplane_doctor.__main__",
    "blueplane_doctor.dispatch",
)
"""All folders and modules, the lowest first: each imports what stands before it, and nothing behind it.

A folder stands for all its modules. `blueplane_doctor` is its `__init__.py`. As each layer imports lower ones alone, no
imports run in a circle from folder to folder.
"""

EXCEPTIONS: set[tuple[str, str]] = set()
"""Imports that still run upwards, (from, to). One that is gone has to leave this set too."""


def module_of(path: Path) -> str:
    """Dotted name; files of checks/ belong to the package."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[0] == "checks":
        parts.insert(0, "blueplane_doctor")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, also_for_types: bool = False) -> Iterator[str]:
    """Modules that a file imports anywhere in it, by full name; a name imported from a package as package.name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _nodes(tree, also_for_types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _nodes(node: ast.AST, also_for_types: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        for_types = isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"
        if for_types and not also_for_types:
            continue
        yield child
        yield from _nodes(child, also_for_types)


FILES = [
    *sorted(PACKAGE.rglob("*.py")),
    *sorted((ROOT / "checks").glob("*.py")),
    *sorted((ROOT / "blueplane_hook").glob("*.py")),
]
MODULES = {module_of(file): file for file in FILES}


def inside(name: str, *packages: str) -> bool:
    """Whether a dotted name lies in one of these parts of the doctor."""
    full = [f"blueplane_doctor.{package}" for package in packages]
    return any(name == package or name.startswith(package + ".") for package in full)


def layer_of(module: str) -> str:
    """The folder or module directly below blueplane_doctor that a module is part of; the hook is one layer."""
    parts = module.split(".")
    if parts[0] == "blueplane_hook":
        return parts[0]
    return ".".join(parts[:2])


def arrows(module: str) -> set[str]:
    """The doctor's modules that a module imports, at its top, inside functions and for its types alike.

    An import for types alone is no exception: whoever reads the file has to know the other one to understand it.
    """
    targets = set()
    for name in imports(MODULES[module], also_for_types=True):
        target = name if name in MODULES else name.rpartition(".")[0]
        if target in MODULES and target != module:
            targets.add(target)
    return targets


def test_every_module_has_a_layer() -> None:
    homeless = [module for module in MODULES if layer_of(module) not in LAYERS]
    assert not homeless, "a new module or folder needs a line in LAYERS, above all that it imports"


def test_every_layer_is_there() -> None:
    assert len(set(LAYERS)) == len(LAYERS)
    assert {layer_of(module) for module in MODULES} == set(LAYERS)


def test_imports_point_downwards() -> None:
    upwards = set()
    for module in MODULES:
        height = LAYERS.index(layer_of(module))
        for target in arrows(module):
            if LAYERS.index(layer_of(target)) > height:
                upwards.add((module, target))
    assert upwards - EXCEPTIONS == set(), "these modules import from a layer above their own"
    assert EXCEPTIONS - upwards == set(), "these run downwards by now: take them out of EXCEPTIONS"


@pytest.mark.slow
def test_no_imports_run_in_a_circle() -> None:
    """Nor within a folder, of which the layers say nothing."""
    left = {module: {target for target in arrows(module) if (module, target) not in EXCEPTIONS} for module in MODULES}
    while left:
        free = [module for module, targets in left.items() if not targets & set(left)]
        assert free, f"a circle among {sorted(left)}"
        for module in free:
            del left[module]


@pytest.mark.slow
def test_only_the_command_line_knows_typer() -> None:
    allowed = {PACKAGE / "cli.py", PACKAGE / "__main__.py", *(PACKAGE / "commands").glob("*.py")}
    knows = {file for file in FILES if any(name.partition(".")[0] == "typer" for name in imports(file))}
    assert {module_of(file) for file in knows - allowed} == set()
    assert PACKAGE / "cli.py" in knows, "or this test sees nothing"


CHECK_FILES = [pytest.param(file, id=file.stem) for file in sorted((ROOT / "checks").glob("check_*.py"))]


@pytest.mark.parametrize("file", CHECK_FILES)
def test_checks_import_only_what_authors_of_checks_are_given(file: Path) -> None:
    allowed = (
        "__future__",
        "typing",
        "blueplane_doctor.checkapi",
        "blueplane_doctor.causeapi",
        "blueplane_doctor.judging.causes",
        "blueplane_doctor.layouts",
        "blueplane_doctor.pipeline",
        "blueplane_doctor.text.times",
    )
    public = {"Finding", "Remedy", "Scale", "Status", "check", "unknown"}
    for name in imports(file):
        parent, _, last = name.rpartition(".")
        assert parent in allowed or (parent == "blueplane_doctor" and last in public), name


@pytest.mark.parametrize("file", CHECK_FILES)
def test_checks_know_records_for_their_types_alone(file: Path) -> None:
    extra = set(imports(file, also_for_types=True)) - set(imports(file))
    assert extra, "a check names the records that it judges"
    # The records of monitors, and the members of records that are defined below them.
    records = ("monitoring", "locations", "custody.blockers", "custody.ledger", "capture.hook_wiring", "history.room")
    assert all(inside(name, *records) for name in extra)


@pytest.mark.slow
def test_checks_have_one_name() -> None:
    everything = [*FILES, *sorted((ROOT / "tests").rglob("*.py"))]
    assert {module_of(f) for f in everything for name in imports(f) if name.partition(".")[0] == "checks"} == set()


@pytest.mark.parametrize(
    "arguments",
    one_quick(
        [
            ["--help"],
            ["--version"],
            ["checks", "--help"],
            ["demo", "--help"],
            ["settings", "--help"],
            ["schema", "--help"],
        ]
    ),
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from blueplane_doctor.__main__ import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    code = end.code\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "print(loaded, code, file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stderr.strip() == "[] 0"
    assert ended.stdout


UNUSED = (
    *("typer", "pydantic", "importlib.metadata"),
    *("csv", "email", "encodings.idna", "importlib.resources", "statistics", "tempfile", "zipfile"),
    *("blueplane_doctor.demo", "blueplane_doctor.http_server", "blueplane_doctor.service", "blueplane_doctor.support"),
    *("blueplane_doctor.notifying.incidents", "blueplane_doctor.notifying.state"),
    *("blueplane_doctor.capture.transcripts", "blueplane_doctor.capture.transcript_memory"),
)
"""What a plain run has no use for, although much of what it imports could bring it along."""


@pytest.mark.server
@pytest.mark.parametrize(
    ("more", "used"),
    # Settings in YAML are read with PyYAML, and a table is written with tabulate; everything else stays out.
    [((), ["yaml"]), (("-v",), ["yaml", "tabulate"])],
    ids=["plain", "table"],
)
def test_a_plain_run_imports_nothing_that_it_does_not_use(
    more: tuple[str, ...], used: list[str], pipeline: Pipeline, valkey: RunningServer
) -> None:
    pipeline.enqueue_cursor(3)
    pipeline.drain()
    program = (
        "import sys\n"
        "from blueplane_doctor.__main__ import main\n"
        "try:\n    main()\n"
        f"finally:\n    print([m for m in {(*HEAVY, *UNUSED)!r} if m in sys.modules], file=sys.stderr)\n"
    )
    words = ["--home", str(pipeline.home), "--redis-url", valkey.url, *more]
    environment = {**os.environ, "HOME": str(pipeline.home.parent)}
    ended = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert "3 messages" in ended.stdout
    assert ended.stderr.splitlines()[-1] == repr(used)

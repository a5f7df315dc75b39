"""Imports point one way; and starting up loads nothing heavy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "blueplane_doctor"
HEAVY = ("redis", "pydantic_settings", "jinja2", "yaml", "psutil", "tabulate", "rich", "fastapi", "prometheus_client")


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


FILES = [*sorted(PACKAGE.rglob("*.py")), *sorted((ROOT / "checks").glob("*.py"))]


def inside(name: str, *packages: str) -> bool:
    """Whether a dotted name lies in one of these parts of the doctor."""
    full = [f"blueplane_doctor.{package}" for package in packages]
    return any(name == package or name.startswith(package + ".") for package in full)


RULES = {
    "model.py": ("monitoring", "reports", "commands", "cli", "checks", "sources", "settings"),
    "errors.py": ("monitoring", "reports", "commands", "cli", "checks", "sources", "settings", "model", "checkapi"),
    "checkapi.py": ("monitoring", "reports", "commands", "cli", "checks", "sources", "settings"),
    "pipeline.py": ("monitoring", "reports", "commands", "cli", "checks", "sources", "settings", "model"),
    "text.py": ("monitoring", "reports", "commands", "cli", "checks", "sources", "settings", "model"),
    "times.py": ("monitoring", "reports", "commands", "cli", "checks", "sources", "settings", "model"),
    "settings.py": ("monitoring", "reports", "commands", "cli", "checks", "sources", "diagnose"),
    "diagnose.py": ("reports", "commands", "cli", "checks"),
    "sources": ("monitoring", "reports", "commands", "cli", "checks", "diagnose"),
    "custody": ("monitoring", "reports", "commands", "cli", "checks", "diagnose", "examination", "lookup"),
    "lookup": ("monitoring", "reports", "commands", "cli", "checks", "diagnose", "service"),
    "monitoring": ("reports", "commands", "cli", "checks", "diagnose"),
    "reports": ("sources", "monitoring", "commands", "cli", "checks", "diagnose", "settings", "examination"),
}


@pytest.mark.parametrize(("part", "forbidden"), [pytest.param(p, f, id=p) for p, f in RULES.items()])
def test_imports_point_one_way(part: str, forbidden: tuple[str, ...]) -> None:
    here = PACKAGE / part
    files = [here] if here.is_file() else sorted(here.glob("*.py"))
    assert files
    wrong = {
        f"{module_of(file)} imports {name}" for file in files for name in imports(file) if inside(name, *forbidden)
    }
    assert not wrong


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
        "blueplane_doctor.pipeline",
        "blueplane_doctor.times",
    )
    public = {"Finding", "Remedy", "Scale", "Status", "check", "unknown"}
    for name in imports(file):
        parent, _, last = name.rpartition(".")
        assert parent in allowed or (parent == "blueplane_doctor" and last in public), name


@pytest.mark.parametrize("file", CHECK_FILES)
def test_checks_know_records_for_their_types_alone(file: Path) -> None:
    extra = set(imports(file, also_for_types=True)) - set(imports(file))
    assert extra, "a check names the records that it judges"
    assert all(inside(name, "monitoring") for name in extra)


def test_checks_have_one_name() -> None:
    everything = [*FILES, *sorted((ROOT / "tests").rglob("*.py"))]
    assert {module_of(f) for f in everything for name in imports(f) if name.partition(".")[0] == "checks"} == set()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["checks", "--help"], ["demo", "--help"], ["settings", "--help"], ["schema", "--help"]],
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

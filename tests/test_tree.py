"""Every module has a test file of its name, in the same folder of tests/."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"


def expected_file(module: Path) -> Path:
    """Where the tests of a module are; the package's own folder and that of the hook have shorter names in tests/."""
    parts = list(module.relative_to(ROOT).parts)
    if parts[0] == "blueplane_doctor":
        parts = parts[1:]
    elif parts[0] == "blueplane_hook":
        parts[0] = "hook"
    return TESTS.joinpath(*parts[:-1], f"test_{parts[-1].strip('_').removesuffix('.py').strip('_')}.py")


def is_only_a_docstring(module: Path) -> bool:
    body = ast.parse(module.read_text(encoding="utf-8")).body
    return all(isinstance(statement, ast.Expr) for statement in body)


def modules() -> list[Path]:
    """All modules of the product that hold code."""
    everything = []
    for folder in ("blueplane_doctor", "blueplane_hook", "checks"):
        everything += sorted((ROOT / folder).rglob("*.py"))
    return [module for module in everything if not is_only_a_docstring(module)]


def test_every_module_has_a_test_file_of_its_name() -> None:
    wanted = {expected_file(module) for module in modules()}
    missing = {file.relative_to(TESTS).as_posix() for file in wanted if not file.is_file()}
    assert missing == set(), "write these test files"


def test_names_of_test_files() -> None:
    expected = {
        "blueplane_doctor/model.py": "test_model.py",
        "blueplane_doctor/__init__.py": "test_init.py",
        "blueplane_doctor/reports/table.py": "reports/test_table.py",
        "blueplane_doctor/service/__init__.py": "service/test_init.py",
        "blueplane_hook/spool.py": "hook/test_spool.py",
        "checks/check_queue.py": "checks/test_check_queue.py",
    }
    for module, file in expected.items():
        assert expected_file(ROOT / module) == TESTS / file

"""The house rules that a parser can check: one thought a line."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("blueplane_doctor", "blueplane_hook", "checks", "packaging", "benchmarks")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def part_of(file: Path) -> str:
    """The folder of a file below the root; a module directly in blueplane_doctor stands for itself."""
    parts = file.relative_to(ROOT).parts
    return "/".join(parts[:2] if parts[0] == "blueplane_doctor" else parts[:1])


FILES = [file for folder in PRODUCT for file in sorted((ROOT / folder).rglob("*.py"))]
PARTS = sorted({part_of(file) for file in FILES})


def faults_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and rule of everything that breaks one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp):
            inner = [child for child in ast.walk(node) if isinstance(child, ast.IfExp)]
            if len(inner) > 1:
                yield node.lineno, "a conditional expression inside another: use if statements"
        elif isinstance(node, COMPREHENSIONS):
            if len(node.generators) > 1:
                yield node.lineno, "a comprehension with two loops: use a loop"
            elif len(node.generators[0].ifs) > 1:
                yield node.lineno, "a comprehension with two conditions: join them, or use a loop"
        elif isinstance(node, ast.Assign) and packs_values(node):
            yield node.lineno, "several values assigned by one tuple: use a line for each"


def packs_values(node: ast.Assign) -> bool:
    """Whether a written-out tuple is assigned to another one, and it is no exchange (`a, b = b, a`)."""
    target, value = node.targets[0], node.value
    if not isinstance(target, ast.Tuple) or not isinstance(value, ast.Tuple):
        return False
    names = {ast.unparse(element) for element in target.elts}
    values = {ast.unparse(element) for element in value.elts}
    return names != values


@pytest.mark.parametrize("part", PARTS)
def test_the_code_is_unfolded(part: str) -> None:
    faults = []
    for file in FILES:
        if part_of(file) == part:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            faults += [f"{file.relative_to(ROOT)}:{line}: {fault}" for line, fault in faults_in(tree)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("code", "faults"),
    [
        ("a if b else c", 0),
        ("a if b else c if d else e", 1),
        ("a if (b if c else d) else e", 1),
        ("f(a if b else c) + (d if e else f)", 0),
        ("a if b else [c if d else e]", 1),
        ("[a for a in b if c and d]", 0),
        ("[a for a in b if c if d]", 1),
        ("{a for b in c for a in b}", 1),
        ("{a: [d for d in c] for a, c in b}", 0),
        ("a, b = b, a", 0),
        ("a, b = c, d", 1),
        ("a, b, c = f()", 0),
        ("for a, b in c: pass", 0),
        ("a, (b, c) = 1, (2, 3)", 1),
    ],
)
def test_the_rules_themselves(code: str, faults: int) -> None:
    assert len(list(faults_in(ast.parse(code)))) == faults

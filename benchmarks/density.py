"""How dense the code is: the counts of docs/DESIGN.md, for any tree of Python.

    python -m benchmarks.density [FOLDER_OR_FILE …]

Without an argument it reads the product: blueplane_doctor, blueplane_hook and checks.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRODUCT = ("blueplane_doctor", "blueplane_hook", "checks")
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NO_CODE = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
)


@dataclass
class Density:
    """What was counted in all files together."""

    lines: int = 0
    code_lines: int = 0
    comment_lines: int = 0
    tokens: int = 0
    conditional_expressions: int = 0
    comprehensions: int = 0
    imports_inside_functions: int = 0
    public_names: int = 0
    functions: list[int] = field(default_factory=list)
    """Lines of each function."""
    largest_module: int = 0

    def add(self, path: Path) -> None:
        """Count one file."""
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        lines = text.splitlines()
        self.lines += len(lines)
        self.largest_module = max(self.largest_module, len(lines))
        self._count_tokens(text, _docstring_lines(tree))
        self._count_nodes(tree)
        self.public_names += sum(1 for name in _names(tree) if not name.startswith("_"))

    def _count_tokens(self, text: str, docstrings: set[int]) -> None:
        code: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and token.line.strip().startswith("#"):
                self.comment_lines += 1
            if token.type in _NO_CODE or token.start[0] in docstrings:
                continue
            self.tokens += 1
            code.update(range(token.start[0], token.end[0] + 1))
        self.code_lines += len(code)

    def _count_nodes(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.IfExp):
                self.conditional_expressions += 1
            elif isinstance(node, _COMPREHENSIONS):
                self.comprehensions += 1
            elif isinstance(node, _FUNCTIONS):
                self.functions.append((node.end_lineno or node.lineno) - node.lineno + 1)
                self.imports_inside_functions += sum(
                    1 for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom)
                )


def _docstring_lines(tree: ast.Module) -> set[int]:
    """Lines of strings that stand alone: docstrings of modules, classes, functions and attributes."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def _names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id


def files_below(places: list[Path]) -> Iterator[Path]:
    """Python files of these folders and files, in order of name."""
    for place in places:
        if place.is_file():
            yield place
        else:
            yield from sorted(place.rglob("*.py"))


def main(arguments: list[str]) -> None:
    """Print one line a figure."""
    places = [Path(argument) for argument in arguments] or [ROOT / name for name in PRODUCT]
    density = Density()
    for path in files_below(places):
        density.add(path)
    thousands = density.code_lines / 1000
    functions = sorted(density.functions)
    print(f"lines                                   {density.lines:,}")
    print(f"code lines                              {density.code_lines:,}")
    print(f"conditional expressions per 1000 lines  {density.conditional_expressions / thousands:.0f}")
    print(f"comprehensions per 1000 lines           {density.comprehensions / thousands:.0f}")
    print(f"tokens per code line                    {density.tokens / density.code_lines:.1f}")
    print(f"comment lines                           {100 * density.comment_lines / density.lines:.1f} %")
    print(f"imports inside functions                {density.imports_inside_functions}")
    print(f"public module-level names               {density.public_names}")
    print(f"function median / p95 / largest         {_summary(functions)}")
    print(f"largest module                          {density.largest_module}")


def _summary(lengths: list[int]) -> str:
    if len(lengths) < 2:
        return str(lengths)
    p95 = statistics.quantiles(lengths, n=20)[-1]
    return f"{statistics.median(lengths):.0f} / {p95:.0f} / {lengths[-1]}"


if __name__ == "__main__":
    main(sys.argv[1:])

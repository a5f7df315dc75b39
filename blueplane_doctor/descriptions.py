"""What the attributes of a record mean: the docstrings under them.

pydantic can read them too, but does so for every class at every start, which is a tenth of a run's processor time.
"""

import ast
import inspect
import textwrap


def descriptions_of(record: type) -> dict[str, str]:
    """The docstring under each attribute of a class; empty where the source was not shipped."""
    try:
        source = textwrap.dedent(inspect.getsource(record))
    except (OSError, TypeError):
        return {}
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        attribute.target.id: inspect.cleandoc(below.value.value)
        for attribute, below in zip(body.body, body.body[1:], strict=False)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }

"""Parameters of tests of which one is enough for `make test-quick`."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_quick(values: Iterable[Any]) -> list[Any]:
    """The same parameters: the first is quick, all others are slow. A tuple stands for several arguments."""
    first, *others = values
    return [first, *(_slow(value) for value in others)]


def _slow(value: Any) -> Any:
    if isinstance(value, type(pytest.param())):
        return pytest.param(*value.values, marks=[*value.marks, pytest.mark.slow], id=value.id)
    if isinstance(value, tuple):
        return pytest.param(*value, marks=pytest.mark.slow)
    return pytest.param(value, marks=pytest.mark.slow)

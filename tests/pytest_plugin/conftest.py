"""The runs inside these tests."""

import pytest

_UNCONCERNED = ("schemathesis", "hypothesispytest", "anyio", "valkey")


@pytest.fixture(autouse=True)
def quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins that are only installed for our own tests, and take seconds to load, stay out of the runs inside."""
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"-p no:{name}" for name in _UNCONCERNED))

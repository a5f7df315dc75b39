"""The pytest plugin (entry point `blueplane` of `pytest11`): health checks as test items, health records as fixtures.

Every pytest run of the environment loads this module, so it imports nothing but pytest and the standard library; what
it needs besides is imported by the run that asks for it.
"""

import pytest

from blueplane_doctor.pytest_plugin.fixtures import (
    blueplane_capture,
    blueplane_chain,
    blueplane_database,
    blueplane_history,
    blueplane_queue,
    blueplane_redis,
    blueplane_report,
    blueplane_server,
    blueplane_spool,
)
from blueplane_doctor.pytest_plugin.options import add_options

__all__ = [
    "blueplane_capture",
    "blueplane_chain",
    "blueplane_database",
    "blueplane_history",
    "blueplane_queue",
    "blueplane_redis",
    "blueplane_report",
    "blueplane_server",
    "blueplane_spool",
    "pytest_addoption",
    "pytest_configure",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--blueplane`, and the command line's options under names of their own."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Health checks are collected with `--blueplane` alone."""
    if config.getoption("blueplane"):
        if not hasattr(pytest, "Dir"):
            raise pytest.UsageError(f"--blueplane needs pytest 8 or newer; this is {pytest.__version__}")
        from blueplane_doctor.pytest_plugin.suite import Suite

        config.addinivalue_line("markers", "blueplane: a health check of the Blueplane pipeline")
        config.pluginmanager.register(Suite(config), "blueplane-suite")

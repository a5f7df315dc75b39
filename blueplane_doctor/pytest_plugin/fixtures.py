"""Health records for people's own tests; the first test that asks for one makes the session read them all."""

from typing import TYPE_CHECKING, Any

import pytest

from blueplane_doctor.pytest_plugin.health import health_of
from blueplane_doctor.pytest_plugin.options import told

if TYPE_CHECKING:
    from blueplane_doctor.model import Report


def _record_fixture(name: str, what: str) -> Any:
    def record(request: pytest.FixtureRequest) -> Any:
        from blueplane_doctor.errors import DoctorError

        try:
            evidence = health_of(request.config).evidence
        except DoctorError as error:
            pytest.fail(told(error), pytrace=False)
        if name not in evidence.records:
            cause = evidence.missing.get(name, "the evidence lacks it")
            pytest.skip(f"the health record {name} could not be read: {cause}")
        return evidence.records[name]

    record.__doc__ = f"Health record of {what}; the test is skipped with the cause where it could not be read."
    return pytest.fixture(scope="session", name=f"blueplane_{name}")(record)


blueplane_queue = _record_fixture("queue", "the queue")
blueplane_database = _record_fixture("database", "the telemetry database")
blueplane_capture = _record_fixture("capture", "hooks and monitors")
blueplane_chain = _record_fixture("chain", "the chain of custody")
blueplane_server = _record_fixture("server", "the Blueplane server")
blueplane_spool = _record_fixture("spool", "the hook's spool")
blueplane_history = _record_fixture("history", "what the history shows")
blueplane_redis = _record_fixture("redis", "Redis")


@pytest.fixture(scope="session")
def blueplane_report(request: pytest.FixtureRequest) -> "Report":
    """The report on all selected checks, as `blueplane-doctor --format json` would give it."""
    from blueplane_doctor.errors import DoctorError

    try:
        return health_of(request.config).report
    except DoctorError as error:
        pytest.fail(told(error), pytrace=False)

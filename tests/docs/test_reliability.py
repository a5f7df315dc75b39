"""docs/RELIABILITY.md: every fault of the matrix is in it, with the commands that were run on it."""

from tests.faults.every_fault import FAULTS
from tests.faults.reliability import DOCUMENT
from tests.faults.service_faults import SERVICE_FAULTS


def rows() -> dict[str, str]:
    """Of each fault the commands of its table."""
    found = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = line.split("|")
        if len(cells) == 5:
            found[cells[1].strip()] = cells[2]
    return found


def test_every_fault_is_in_the_document() -> None:
    found = rows()
    for fault in FAULTS.values():
        assert fault.name in found, "`make test-faults` writes it anew"
    for name in SERVICE_FAULTS:
        assert f"service-{name}" in found


def test_there_are_at_least_eighty_faults() -> None:
    assert len(FAULTS) + len(SERVICE_FAULTS) >= 80

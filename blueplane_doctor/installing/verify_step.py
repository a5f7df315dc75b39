"""Step `verify`: runs the doctor on what is installed; what it finds is for reading, and undoes nothing."""

from collections.abc import Callable

from blueplane_doctor.installing.journal import Entry, Journal
from blueplane_doctor.installing.plan import Change, Plan, Site
from blueplane_doctor.model import Report


class VerifyStep:
    """Examines the pipeline once, and shows the report by the function that it is given."""

    name = "verify"
    summary = "run the doctor"

    def __init__(self, show: Callable[[Report], None]) -> None:
        self._show = show

    def plan(self, site: Site) -> Plan:
        """One change that changes nothing."""

        def examine(journal: Journal) -> None:
            from blueplane_doctor.diagnose import diagnose

            self._show(diagnose(site.settings))

        return Plan(changes=[Change("examine the pipeline", "$ blueplane-doctor", examine, asks=False)])

    def undo(self, site: Site, entry: Entry) -> Plan:
        """There is nothing to undo."""
        return Plan()

"""Where the parts of the pipeline are, for the commands of remedies."""

from blueplane_doctor.locations import Locations, locate
from blueplane_doctor.monitoring import Monitor


class LocationsMonitor(Monitor):
    """Takes the addresses and paths from the settings in force."""

    name = "locations"
    record = Locations
    in_metrics = False

    def collect(self) -> Locations:
        """Always a record; nothing is read for it."""
        return locate(self.examination.settings).locations


MONITOR = LocationsMonitor

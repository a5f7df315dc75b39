"""A small simulated pipeline: real commands to a real server, a real database, only the time may be faked."""

from blueplane_doctor.demo.consumers import Consumers
from blueplane_doctor.demo.producers import Producers


class Pipeline(Producers, Consumers):
    """A simulated Blueplane over a server and a home folder (what ~/.blueplane is)."""

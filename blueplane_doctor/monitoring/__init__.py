"""Monitors: each reads one area of the pipeline into one frozen health record, and judges nothing.

The folder listing is the registry: a module that sets MONITOR to a subclass of Monitor is a monitor.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from blueplane_doctor.examination import Examination
from blueplane_doctor.records.base import Record


class Monitor(ABC):
    """Reads one area of the pipeline.

    `collect` must only read, must end within the examination's deadline, must raise SourceError when its area
    cannot be read, and must put null (never 0) where a part of it is not known.
    """

    name: ClassVar[str]
    """The parameter by which checks ask for the record, and its key in the report's metrics."""
    record: ClassVar[type[Record]]
    """What `collect` returns."""
    in_metrics: ClassVar[bool] = True
    """Whether the record is part of the report's metrics."""

    def __init__(self, examination: Examination) -> None:
        self.examination = examination

    @abstractmethod
    def collect(self) -> Record:
        """Read the area once. Raises SourceError."""

    def concluded(self, record: Record) -> Record:
        """The record once every monitor of the run has ended: what any of them met counts. Reads nothing.

        Raises SourceError where the record cannot be relied on any more.
        """
        return record

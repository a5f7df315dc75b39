"""All faults: importing their modules enters them in the registry."""

from tests.faults import database_faults, file_faults, redis_faults, surroundings
from tests.faults.registry import FAULTS, every_trial, share

MODULES = (redis_faults, database_faults, file_faults, surroundings)
"""In the order of docs/RELIABILITY.md."""

__all__ = ["FAULTS", "MODULES", "every_trial", "share"]

"""The free space of the disks that hold the database, what hooks keep, and, where it is told, Redis' own files."""

import os
from pathlib import Path

from blueplane_doctor.errors import SourceError
from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.redis_host import runs_here

_MEGABYTE = 1_000_000


class DiskSpace(Record):
    """What is free for who writes there, as its file system says. Null where that cannot be read."""

    database_free_mb: float | None = None
    """Of the disk with the telemetry database."""
    spool_free_mb: float | None = None
    """Of the disk with Blueplane's home: the hook's spool, the event buffer, the log."""
    redis_free_mb: float | None = None
    """Of the disk with Redis' own files; null also where Redis runs elsewhere, or does not tell its folder."""
    no_more_files: list[str] = []
    """Of `database`, `spool` and `redis` those whose disk can hold no further file, whatever is free."""

    @property
    def free_mb(self) -> dict[str, float]:
        """What is known, by what lies there."""
        known = {}
        for name in ("database", "spool", "redis"):
            value = getattr(self, f"{name}_free_mb")
            if value is not None:
                known[name] = value
        return known


class DiskSpaceMonitor(Monitor):
    """Asks the file systems (statvfs); reads no file."""

    name = "disk_space"
    record = DiskSpace

    def collect(self) -> DiskSpace:
        """Always a record."""
        settings = self.examination.settings
        folders = {
            "database": real_file(settings.database_file).parent,
            "spool": real_file(settings.home),
            "redis": self._redis_folder(),
        }
        free: dict[str, float | None] = {}
        no_more_files = []
        for name, folder in folders.items():
            disk = _disk_of(folder)
            if disk is None:
                continue
            # What only root may use does not count.
            free[f"{name}_free_mb"] = round(disk.f_bavail * disk.f_frsize / _MEGABYTE, 3)
            # Some file systems have no fixed number of files: they say 0 of 0.
            if disk.f_files and not disk.f_favail:
                no_more_files.append(name)
        return DiskSpace(**free, no_more_files=no_more_files)

    def _redis_folder(self) -> Path | None:
        try:
            info = self.examination.server_info()
            folder = self.examination.server_config().get("dir")
        except SourceError:
            return None
        if not folder or not runs_here(info.fields):
            return None
        return Path(folder)


def _disk_of(folder: Path | None) -> os.statvfs_result | None:
    """Its file system; that of the nearest folder above where it does not exist yet."""
    if folder is None:
        return None
    for place in (folder, *folder.parents):
        try:
            return os.statvfs(place)
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return None
    return None


MONITOR = DiskSpaceMonitor

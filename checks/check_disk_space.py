"""The disks that the pipeline writes to."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, Status, check, unknown

if TYPE_CHECKING:
    from blueplane_doctor.history.room import RoomForecast
    from blueplane_doctor.monitoring.disk_space import DiskSpace
    from blueplane_doctor.monitoring.history_health import HistoryHealth

_WHAT = {"database": "the telemetry database", "spool": "Blueplane's home", "redis": "Redis' own files"}


# Absolute numbers: a tenth of a large disk is plenty. 2 GB are days of traces, and what a rewrite of the append-only
# file or a VACUUM may need at once; 500 MB are little for either; below 50 MB the next write-ahead log may not fit.
@check(area="disk", scale=Scale.falling(yellow_below=2_000, orange_below=500, red_below=50, unit="MB"))
def check_disk_space(disk_space: "DiskSpace", scale: Scale, history: "HistoryHealth | None" = None) -> Finding:
    """What is free on the disks that hold the database, Blueplane's home and Redis' own files.

    On a full disk no trace is written, hooks can keep nothing, and Redis refuses writes once a save has failed. The
    fullest disk counts. Redis' own files are known where Redis runs on this host and tells its folder. Where recorded
    samples show that the room shrinks, until when it lasts at that rate is told.

    Causes:
    - logs, traces of years, or other programs' files
    - a write-ahead log that cannot be emptied (see wal-size)
    """
    free = disk_space.free_mb
    evidence = disk_space.model_dump(exclude_none=True)
    if not free:
        return unknown("What is free on the disks is not known", "no file system tells it", evidence=evidence)
    remedy = Remedy(
        text="Make room on that disk. Delete neither the database nor its -wal and -shm files, nor anything of Redis: "
        "what they hold exists nowhere else.",
    )
    if disk_space.no_more_files:
        names = " and ".join(_WHAT[name] for name in disk_space.no_more_files)
        summary = f"The disk of {names} can hold no further file (no inodes are left)"
        return scale.grade(0, summary, remedy=remedy, evidence=evidence)
    least = min(free, key=lambda name: free[name])
    summary = f"{_size(free[least])} are free on the disk of {_WHAT[least]}"
    if scale.status(free[least]) is Status.GREEN:
        summary = f"{_size(free[least])} or more are free on each disk"
    forecast = _soonest(free, history)
    if forecast:
        name, until = forecast
        disk = "there" if name == least and _WHAT[least] in summary else f"on the disk of {_WHAT[name]}"
        summary += f"; {disk}, {until.words}"
        evidence["until full"] = {name: until.model_dump()}
    return scale.grade(free[least], summary, remedy=remedy, evidence=evidence)


def _soonest(free: dict[str, float], history: "HistoryHealth | None") -> "tuple[str, RoomForecast] | None":
    """The disk whose room ends first; None where no room is known to shrink."""
    if history is None:
        return None
    shrinking = [name for name in free if name in history.room]
    if not shrinking:
        return None
    name = min(shrinking, key=lambda one: history.room[one].minutes_left)
    return name, history.room[name]


def _size(megabytes: float) -> str:
    if megabytes >= 1_000:
        return f"{megabytes / 1_000:,.1f} GB"
    return f"{megabytes:,.0f} MB"

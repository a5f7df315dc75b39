"""Whether the server may write the database: by the permissions for its user, and by the file system."""

from pathlib import Path

from blueplane_doctor.files.user_paths import real_file
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.records.base import Record
from blueplane_doctor.sources.file_access import is_mounted_read_only, may_write, user_of_process
from blueplane_doctor.sources.server_process import RUNNING, process_state, read_pid


class DatabaseAccess(Record):
    """What stands in the way of writing the database."""

    writable: bool | None
    """Whether the server may write it; null where that is not known."""
    refused: list[str] = []
    """Of `database`, `folder`, `-wal` and `-shm` those that its user may not write."""
    read_only_mount: bool = False
    """Whether the file system takes no writes."""
    cause: str = ""
    """Why it is not known."""


class DatabaseAccessMonitor(Monitor):
    """Looks at modes, owners and mount flags; opens nothing."""

    name = "database_access"
    record = DatabaseAccess
    in_metrics = False

    def collect(self) -> DatabaseAccess:
        """Always a record."""
        file = real_file(self.examination.settings.database_file)
        try:
            if not file.exists():
                return DatabaseAccess(writable=None, cause="there is no database")
            if is_mounted_read_only(file) or is_mounted_read_only(file.parent):
                return DatabaseAccess(writable=False, read_only_mount=True)
            return self._by_permissions(file)
        except OSError as error:
            return DatabaseAccess(writable=None, cause=f"its permissions cannot be read: {error.strerror or error}")

    def _by_permissions(self, file: Path) -> DatabaseAccess:
        pid = read_pid(self.examination.settings.home / "server.pid").pid
        # A container has process ids of its own: a number that is another program's here tells of no user.
        if pid is None or process_state(pid) != RUNNING:
            return DatabaseAccess(writable=None, cause="its process is not visible here, so its user is not known")
        user = user_of_process(pid)
        if user is None:
            return DatabaseAccess(writable=None, cause="the system does not tell which user runs the server")
        places = {"database": file, "folder": file.parent}
        for end in ("-wal", "-shm"):
            beside = file.with_name(file.name + end)
            if beside.exists():
                places[end] = beside
        answers = {}
        for name, path in places.items():
            answers[name] = may_write(user, path)
        refused = []
        for name, answer in answers.items():
            if answer is False:
                refused.append(name)
        if refused:
            return DatabaseAccess(writable=False, refused=refused)
        if None in answers.values():
            return DatabaseAccess(writable=None, cause="an access list decides, beside the permissions")
        return DatabaseAccess(writable=True)


MONITOR = DatabaseAccessMonitor

"""How causes and checks changed their status, and what people were told of it: what `history --status` shows."""

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.history import incident
from blueplane_doctor.history.health_storage import HealthMetricsStorage
from blueplane_doctor.judging.status_changes import with_titles
from blueplane_doctor.monitoring.history_health import REPORT_STATUS
from blueplane_doctor.monitoring.notifications import sent_messages
from blueplane_doctor.notifying.state import read_state
from blueplane_doctor.plugins.discovery import find_checks
from blueplane_doctor.reports import change_list
from blueplane_doctor.reports.told_messages import ToldLine, lines_of
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.text.console import complain


def status_history(
    storage: HealthMetricsStorage, settings: Settings, since: float, now: float, form: str
) -> tuple[str, bool]:
    """The changes between two times, in seconds since 1970, as a text; and whether anything was recorded then.

    The text also names the gaps in which nothing was recorded: a change after one may have come at any time within it.
    """
    available = find_checks(settings.check_folders, settings.monitor_folders)
    changes = []
    for change in incident.changes(storage.statuses(), since):
        changes.append(incident.status_change(change, available.built_in_ids))
    times = [sample.time for sample in storage.samples([REPORT_STATUS], since, now)]
    text = change_list.SHAPES[form](with_titles(changes, available), incident.gaps(times), _told(settings, since))
    return text, bool(times)


def _told(settings: Settings, since: float) -> list[ToldLine]:
    """What people were told since then, oldest first."""
    try:
        state = read_state(settings.home)
    except FileUnreadable as error:
        complain(error.message, "what people were told is not shown")
        return []
    if state is None:
        return []
    lately = [attempt for attempt in state.attempts if attempt.at >= since]
    messages = sent_messages(state.model_copy(update={"attempts": tuple(lately)}))
    return lines_of(message.model_dump() for message in reversed(messages))

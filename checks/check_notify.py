"""Whether the people who are to be told are told."""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many, not_set_up

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.notifications import NotificationHealth

_NOTIFICATIONS = "notifications"


# Who is not told believes that all is well: so it is orange, and never red, for the pipeline itself is not worse by it.
@check(area="notify", scale=Scale.rising(orange=1, unit="targets"))
def check_notify_delivery(notifications: "NotificationHealth", locations: "Locations", scale: Scale) -> Finding:
    """Targets whose last message could not be delivered.

    A message that was not delivered is tried again, in the words of that moment, at least every quarter of an hour.

    Causes:
    - its service is down, or a token or password has changed
    - the extra is not installed: pip install "blueplane-doctor[notify]"
    """
    try_it = Remedy(
        text="Send a test message to every target, and correct its URL or command in doctor.yaml.",
        commands=[f"{locations.doctor} notify --test"],
    )
    if notifications.cause:
        return unknown("Whether messages arrive is not known", notifications.cause, remedy=try_it)
    if not notifications.targets:
        offer = Remedy(
            text="Name somebody to be told when something is wrong: notify in doctor.yaml, see docs/NOTIFY.md, or "
            "blueplane install --notify URL.",
        )
        return not_set_up("Nobody is told of causes", "the settings name nobody", part=_NOTIFICATIONS, remedy=offer)
    undelivered = notifications.undelivered
    evidence = {"targets": notifications.targets}
    summary = f"{many(notifications.targets, 'target is', 'targets are')} told of causes"
    if undelivered:
        last = [message for message in notifications.messages if message.reason]
        summary = f"The last message to {many(undelivered, 'target', 'targets')} could not be delivered"
        if last:
            summary += f": {last[0].target}: {last[0].reason}"
    return scale.grade(undelivered, summary, remedy=try_it, evidence=evidence)

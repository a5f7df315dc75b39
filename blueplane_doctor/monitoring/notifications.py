"""The messages to people: whether the last ones arrived, by what the notifier remembers of them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from blueplane_doctor.errors import FileUnreadable
from blueplane_doctor.model import Status
from blueplane_doctor.monitoring import Monitor
from blueplane_doctor.notifying import reasons
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.state_file import state_bytes
from blueplane_doctor.notifying.targets import address_hash
from blueplane_doctor.privacy.public_text import hidden
from blueplane_doctor.records.base import Record
from blueplane_doctor.records.field_checks import Cleaned
from blueplane_doctor.settings.notification_rules import NotifyRule
from blueplane_doctor.text.patterns import pattern
from blueplane_doctor.text.times import iso_of_seconds

if TYPE_CHECKING:
    from blueplane_doctor.notifying.state import State

SHOWN_MESSAGES = 10
"""The last ones, that a page shows."""
_TARGET = pattern(r"[a-z0-9+.-]{1,40} \d{1,3}|<hidden-[0-9a-f]{8}>")
_ID = pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*(?::\d{1,4})?|<hidden-[0-9a-f]{8}>")
_LONGEST_ID = 80


def _target(value: str) -> str:
    if _TARGET.fullmatch(value):
        return value
    return hidden(value)


def _cause(value: str) -> str:
    if len(value) <= _LONGEST_ID and _ID.fullmatch(value):
        return value
    return hidden(value)


TargetName = Annotated[str, Cleaned(_target)]
"""The scheme of a target's URL and its number in the settings."""
CauseId = Annotated[str, Cleaned(_cause)]
Reason = Annotated[str, Cleaned(reasons.known)]


class SentMessage(Record):
    """One message to one target."""

    at: str
    """ISO 8601, UTC."""
    target: TargetName
    """The kind of the target, and its number in the settings: `ntfy 1`."""
    kinds: list[Kind]
    """Why it was sent."""
    status: Status
    """The worst colour that it told."""
    causes: list[CauseId]
    """Ids of the causes and checks that it told of."""
    reason: Reason = ""
    """Why it was not delivered; empty where it was."""


class NotificationHealth(Record):
    """What people were told."""

    targets: int
    """Targets that the settings name."""
    undelivered: int = 0
    """Those of them whose last message could not be delivered."""
    messages: list[SentMessage] = []
    """The last messages to all targets, the newest first."""
    cause: str = ""
    """Why it is not known."""


class NotificationMonitor(Monitor):
    """Reads the notifier's state in Blueplane's home."""

    name = "notifications"
    record = NotificationHealth

    def collect(self) -> NotificationHealth:
        """Always a record."""
        settings = self.examination.settings
        targets = len(settings.notify)
        try:
            content = state_bytes(settings.home)
            if content is None:
                return NotificationHealth(targets=targets)
            # Where nobody was ever told, a start does without the notifier.
            from blueplane_doctor.notifying.state import parsed_state

            state = parsed_state(content)
        except FileUnreadable as error:
            return NotificationHealth(targets=targets, cause=f"what people were told cannot be read: {error.reason}")
        return NotificationHealth(
            targets=targets,
            undelivered=_undelivered(state, settings.notify),
            messages=sent_messages(state)[:SHOWN_MESSAGES],
        )


def sent_messages(state: "State") -> list[SentMessage]:
    """All that are remembered, the newest first."""
    messages = []
    for attempt in reversed(state.attempts):
        messages.append(
            SentMessage(
                at=iso_of_seconds(attempt.at),
                target=attempt.target,
                kinds=list(attempt.kinds),
                status=attempt.status,
                causes=list(attempt.causes),
                reason=attempt.reason,
            )
        )
    return messages


def _undelivered(state: "State", rules: Iterable[NotifyRule]) -> int:
    """Of these targets, those that did not take the last message."""
    count = 0
    for rule in rules:
        target = state.targets.get(address_hash(rule, state.key))
        if target is not None and target.failures:
            count += 1
    return count


MONITOR = NotificationMonitor

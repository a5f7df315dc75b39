"""What the notifier remembers, as a health record: public text alone, whatever lies in the file."""

from pathlib import Path

import pytest

from blueplane_doctor.examination import Examination
from blueplane_doctor.model import Status
from blueplane_doctor.monitoring.notifications import (
    SHOWN_MESSAGES,
    NotificationHealth,
    NotificationMonitor,
)
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.news import TargetState
from blueplane_doctor.notifying.reasons import NOT_SHOWN
from blueplane_doctor.notifying.state import Attempt, State, write_state
from blueplane_doctor.notifying.state_file import STATE_FILE
from blueplane_doctor.notifying.targets import address_hash
from blueplane_doctor.settings.values import Settings

ATTEMPT = Attempt(
    at=1_700_000_000.0,
    target="ntfy 1",
    kinds=(Kind.OPENED,),
    status=Status.RED,
    causes=("server-down",),
    title="Blueplane RED since 22:06",
)


def collected(home: Path, *urls: str) -> NotificationHealth:
    examination = Examination(Settings.model_validate({"home": home, "notify": list(urls)}))
    try:
        return NotificationMonitor(examination).collect()
    finally:
        examination.close()


def test_nobody_and_nothing(tmp_path: Path) -> None:
    assert collected(tmp_path) == NotificationHealth(targets=0)
    assert collected(tmp_path, "ntfy://a/b") == NotificationHealth(targets=1)


def test_only_targets_of_the_settings_count(tmp_path: Path) -> None:
    rules = Settings.model_validate({"notify": ["ntfy://a/b", "json://c/d"]}).notify
    state = State(attempts=(ATTEMPT, ATTEMPT.model_copy(update={"reason": "the service answered 500"})))
    failing = {address_hash(rule, state.key): TargetState(failures=1) for rule in rules}
    write_state(tmp_path, state.model_copy(update={"targets": failing}))
    assert collected(tmp_path, "ntfy://a/b", "json://c/d").undelivered == 2
    record = collected(tmp_path, "json://c/d", "json://other/")
    assert record.undelivered == 1
    newest, oldest = record.messages
    assert (newest.reason, oldest.reason) == ("the service answered 500", "")
    assert newest.at == "2023-11-14T22:13:20.000Z"


def test_only_the_last_messages_are_shown(tmp_path: Path) -> None:
    attempts = tuple(ATTEMPT.model_copy(update={"causes": (f"own-{number}",)}) for number in range(30))
    write_state(tmp_path, State(attempts=attempts))
    messages = collected(tmp_path, "ntfy://a/b").messages
    assert len(messages) == SHOWN_MESSAGES
    assert messages[0].causes == ["own-29"]


def test_text_from_the_file_is_public(tmp_path: Path) -> None:
    hostile = {"target": "Jane Doe", "causes": ("<script>",), "reason": "Jane Doe"}
    write_state(tmp_path, State(attempts=(ATTEMPT.model_copy(update=hostile),)))
    (message,) = collected(tmp_path, "ntfy://a/b").messages
    assert message.target.startswith("<hidden-")
    assert message.causes[0].startswith("<hidden-")
    assert message.reason == NOT_SHOWN
    assert NotificationHealth.model_validate_json(collected(tmp_path).model_dump_json()).messages == [message]


@pytest.mark.parametrize("content", ["{", "x" * 100])
def test_a_broken_file_is_not_known(tmp_path: Path, content: str) -> None:
    (tmp_path / STATE_FILE).write_text(content)
    assert collected(tmp_path).cause == "what people were told cannot be read: it holds something else"

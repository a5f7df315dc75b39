"""Questions of the history: whole minutes, and no more steps than anybody can look at."""

import pytest

from blueplane_doctor.http_server.lookups import Unanswered
from blueplane_doctor.service.questions import HistoryQuestion


def test_a_question_of_the_history_is_in_whole_minutes() -> None:
    assert HistoryQuestion.of("queue.queue_depth", "1h", "5m") == ("queue.queue_depth", 3600, 300)
    for since, step in (("1h", "7s"), ("30d", "1h"), ("7d", "1m"), ("0s", "1m")):
        with pytest.raises(Unanswered):
            HistoryQuestion.of("queue.queue_depth", since, step)

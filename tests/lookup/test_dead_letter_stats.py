"""Dead letters summed up: which streams are about to discard some."""

from contextlib import closing

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.lookup.dead_letter_stats import summarize
from blueplane_doctor.lookup.dead_letters import each_dead_letter
from tests.helpers import settings_for


def test_a_stream_at_its_limit_is_about_to_discard(pipeline: Pipeline) -> None:
    with pipeline.client.pipeline(transaction=False) as commands:
        for number in range(905):
            commands.xadd("telemetry:dlq", {"original_event_id": str(number), "error_type": "E"})
        commands.execute()
    pipeline.enqueue_cursor(1)
    with closing(Examination(settings_for(pipeline))) as examination:
        stats = summarize(each_dead_letter(examination), examination)
    assert stats.about_to_discard == ["telemetry:dlq"]
    assert stats.total == 905

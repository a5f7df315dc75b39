"""Keys of Claude's messages without a row, as one walk of the stream meets them."""

from contextlib import closing
from pathlib import Path

import pytest

from blueplane_doctor.custody import unwritten
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.examination import Examination
from blueplane_doctor.sources.trace_tables import Lookup
from tests.capture.transcripts import new_uuid, settings_of


def test_keys_without_a_row_are_kept_up_to_a_bound(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_uuid()
    uuids = [new_uuid() for _ in range(3)]
    keys = [Lookup("claude_raw_traces", ("external_id", "uuid"), (session, uuid)) for uuid in uuids]
    pipeline.enqueue_claude(1, session=session, uuids=uuids[:1])
    pipeline.drain()
    pipeline.enqueue_claude(2, session=session, uuids=uuids[1:])
    pipeline.enqueue_cursor(2)
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        ledger = examination.ledger()
        assert [key in ledger.unwritten for key in keys] == [False, True, True]
        assert not ledger.unwritten.is_full
    monkeypatch.setattr(unwritten, "MOST_KEYS", 1)
    with closing(Examination(settings_of(pipeline, tmp_path))) as examination:
        ledger = examination.ledger()
        assert [key in ledger.unwritten for key in keys] == [False, True, False]
        assert ledger.unwritten.is_full

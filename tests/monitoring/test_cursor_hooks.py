"""Cursor's hooks: installed ones in all forms, which are expected, and which fire."""

import json
from pathlib import Path

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.capture_health import CaptureHealth
from blueplane_doctor.monitoring.cursor_hooks import installed_hooks
from blueplane_doctor.pipeline import CURSOR_HOOKS
from tests.monitoring.support import collected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"version": 1, "hooks": {"stop": [{"command": "x"}]}}', {"stop"}),
        (
            '{"hooks": {"stop": [{"command": "x"}], "afterFileEdit": [], "sessionStart": [{"command": "y"}]}}',
            {"stop", "sessionStart"},
        ),
        ('{"hooks": {}}', set()),
        ('{"hooks": []}', set()),
        ('{"hooks": null}', set()),
        ('{"hooks": "stop"}', set()),
        ("{}", set()),
        ("[]", set()),
        ("", set()),
        ("no json", set()),
        ("[" * 100_000, set()),
    ],
)
def test_hooks_json_in_all_forms(tmp_path: Path, content: str, expected: set[str]) -> None:
    path = tmp_path / "hooks.json"
    path.write_text(content)
    assert installed_hooks(path).names == expected


def test_of_a_file_that_cursor_does_not_use_nothing_is_installed(tmp_path: Path) -> None:
    path = tmp_path / "hooks.json"
    path.write_text('{"hooks": {"stop": [{"command": "x"}], "afterFileEdit": [{"command": 7}]}}')
    cause = "hooks.afterFileEdit[0].command of Cursor's hooks.json is not a text"
    assert installed_hooks(path) == (frozenset(), cause)
    path.write_text("[]")
    assert installed_hooks(path).cause == "Cursor's hooks.json is not valid JSON of settings: it holds no object"


def test_no_hooks_json_or_one_that_is_no_text(tmp_path: Path) -> None:
    assert installed_hooks(tmp_path / "none.json").names == set()
    (tmp_path / "hooks.json").write_bytes(b"\xff\xfe\x00")
    assert installed_hooks(tmp_path / "hooks.json").names == set()
    assert installed_hooks(tmp_path).names == set()


def hooks(record: CaptureHealth) -> dict[str, tuple[bool, bool, bool]]:
    """For each hook: installed, configured, expected."""
    return {h.name: (h.installed, h.configured, h.expected) for h in record.hooks}


def test_a_hook_is_expected_when_installed_configured_or_seen(pipeline: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "hooks.json"
    file.write_text(json.dumps({"hooks": {"afterFileEdit": [{"command": "x"}]}}))
    pipeline.enqueue_cursor(2, at=pipeline.ago(days=8), hook_type="afterMCPExecution")
    pipeline.enqueue_cursor(1, at=pipeline.ago(days=6), hook_type="beforeMCPExecution")
    record = collected(CaptureHealth, pipeline, cursor_hooks=file, expected_hooks=["stop"])
    assert hooks(record) == {
        "beforeSubmitPrompt": (False, False, False),
        "afterAgentResponse": (False, False, False),
        "beforeMCPExecution": (False, False, True),
        "afterMCPExecution": (False, False, False),
        "afterFileEdit": (True, False, True),
        "stop": (False, True, True),
    }
    assert [h.name for h in record.hooks] == list(CURSOR_HOOKS), "all six, in the order of the requirements"
    assert record.cursor_hooks.total_executions == 3


def test_activity_is_what_fired_within_the_hour(pipeline: Pipeline) -> None:
    pipeline.enqueue_cursor(3, at=pipeline.ago(minutes=70), hook_type="stop")
    pipeline.enqueue_cursor(1, at=pipeline.ago(minutes=50), hook_type="afterFileEdit")
    record = collected(CaptureHealth, pipeline)
    active = {name for name, is_active in record.cursor_hooks.hooks_active.items() if is_active}
    assert active == {"afterFileEdit"}
    assert {h.name: h.seen for h in record.hooks if h.seen} == {"stop": 3, "afterFileEdit": 1}


def test_what_only_the_recorder_knows_is_null_and_not_zero(pipeline: Pipeline) -> None:
    said = collected(CaptureHealth, pipeline).cursor_hooks
    assert (said.success_count, said.failure_count, said.success_rate) == (None, None, None)

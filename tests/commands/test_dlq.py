"""`dlq`: dead letters listed, shown and summed up: filters, pages, groups of the same error, and nothing private."""

import json
import subprocess
from datetime import timedelta

import pytest

from blueplane_doctor.demo.faults import FAULTS
from blueplane_doctor.demo.messages import PRIVATE_TEXT
from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.privacy.public_text import identifier
from tests.preloaded import preloaded_doctor


def dlq(pipeline: Pipeline, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*preloaded_doctor(), "--home", str(pipeline.home)]
    command += ["--redis-url", pipeline.redis_url, "dlq", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def listed(pipeline: Pipeline, *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(dlq(pipeline, "list", "--format", "json", *words).stdout)
    return found


@pytest.fixture
def grown(pipeline: Pipeline) -> Pipeline:
    FAULTS["dead-letter-growth"].apply(pipeline)
    return pipeline


@pytest.mark.slow
def test_pages_are_whole_and_in_order(grown: Pipeline) -> None:
    pages = [listed(grown, "--page", str(n), "--page-size", "5") for n in range(1, 5)]
    letters = [letter for page in pages for letter in page["letters"]]  # type: ignore[attr-defined]
    assert [page["total"] for page in pages] == [16] * 4
    assert len({letter["id"] + letter["stream"] for letter in letters}) == 16
    assert [letter["age_ms"] for letter in letters] == sorted(letter["age_ms"] for letter in letters)


@pytest.mark.slow
def test_filters(grown: Pipeline) -> None:
    everything = listed(grown, "--page-size", "100")["letters"]
    for option, name in (("--group", "group"), ("--platform", "platform"), ("--event-type", "event_type")):
        for value in {letter[name] for letter in everything}:  # type: ignore[attr-defined]
            expected = sum(letter[name] == value for letter in everything)  # type: ignore[attr-defined]
            assert listed(grown, option, value)["total"] == expected, (option, value)
    assert listed(grown, "--newer-than", "1h")["total"] == 14
    assert listed(grown, "--older-than", "1h")["total"] == 2
    assert listed(grown, "--error", "LOCKED")["total"] == 5


def test_stats_group_by_error_and_tell_a_bleed_from_a_pile(pipeline: Pipeline) -> None:
    assert dlq(pipeline, "stats").stdout == "No dead letters\n"
    (sent,) = pipeline.enqueue_cursor(1)
    pipeline.deliver("processors")
    pipeline.dead_letter(sent, "cursor", at=pipeline.clock() - timedelta(hours=5))
    pile = json.loads(dlq(pipeline, "stats", "-f", "json").stdout)
    assert (pile["verdict"], pile["total"], pile["last_hour"]) == ("static pile", 1, 0)
    FAULTS["dead-letter-growth"].apply(pipeline)
    bleed = json.loads(dlq(pipeline, "stats", "-f", "json").stdout)
    assert (bleed["verdict"], bleed["total"], bleed["last_hour"], bleed["hour_before"]) == ("active bleed", 17, 14, 2)
    assert sum(group["count"] for group in bleed["groups"]) == 17
    assert [g["count"] for g in bleed["groups"]] == sorted((g["count"] for g in bleed["groups"]), reverse=True)
    assert bleed["about_to_discard"] == []


@pytest.mark.slow
def test_show_keeps_the_private_part_back(grown: Pipeline) -> None:
    letters = listed(grown, "--page-size", "100")["letters"]
    for letter in letters:  # type: ignore[attr-defined]
        done = dlq(grown, "show", letter["id"], "--stream", letter["stream"])
        assert done.returncode == 0
        assert PRIVATE_TEXT not in done.stdout
        assert letter["shape"] in done.stdout
    refused = dlq(grown, "show", letters[0]["id"], "--reveal")  # type: ignore[index]
    assert refused.returncode == 2
    assert "only to a terminal" in refused.stderr
    missing = dlq(grown, "show", "1-1")
    assert missing.returncode != 0
    assert "no dead letter has or names" in missing.stderr


@pytest.mark.slow
def test_of_two_letters_with_one_id_each_can_be_shown(pipeline: Pipeline) -> None:
    """Every stream makes its own IDs, and two writers may give up in the same millisecond."""
    pipeline.enqueue_cursor(1)
    pipeline.client.xadd("telemetry:dlq", {"original_event_id": "a", "error_type": "E"}, id="7-0")
    pipeline.client.xadd("telemetry:message_queue:dlq", {"original_entry_id": "1-0"}, id="7-0")
    unclear = dlq(pipeline, "show", "7-0")
    assert unclear.returncode == 2
    assert "7-0 is in telemetry:dlq and in telemetry:message_queue:dlq" in unclear.stderr
    assert "--stream telemetry:dlq" in unclear.stderr
    shapes = {"telemetry:dlq": "queue_writer", "telemetry:message_queue:dlq": "cursor_consumer"}
    for stream, shape in shapes.items():
        assert shape in dlq(pipeline, "show", "7-0", "--stream", stream).stdout
    elsewhere = dlq(pipeline, "show", "a", "--stream", "telemetry:message_queue:dlq")
    assert elsewhere.returncode != 0
    assert f"no dead letter of telemetry:message_queue:dlq has or names the ID {identifier('a')}" in elsewhere.stderr

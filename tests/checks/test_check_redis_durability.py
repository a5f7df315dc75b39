"""Whether Redis keeps the queue: every answer of the check, and what its remedy may promise."""

from typing import Any

import pytest

from tests.checks.builders import cases, locations, redis, run

QUEUE = "telemetry:message_queue"
EVICTS = {"may_evict_queue": True, "maxmemory_mb": 100.0, "maxmemory_policy": "allkeys-lru"}
APPENDS = {"append_only": True, "saves_snapshots": False}


@pytest.mark.parametrize(
    ("sentence", "given", "status"),
    cases(
        [
            ("safe", "it saves and evicts nothing", {}, "green"),
            ("no-persistence", "a restart empties the queue", {"persistence": False}, "yellow"),
            ("may-evict", "a full memory may delete the queue", EVICTS, "orange"),
            ("may-evict-and-no-persistence", "the worse counts", {**EVICTS, "persistence": False}, "orange"),
            ("may-evict-persistence-unknown", "the worse is known", {**EVICTS, "persistence": None}, "orange"),
            ("failed", "what cannot be saved is lost", {"save_failure": "the last snapshot failed"}, "orange"),
            ("replica", "a master overwrites it", {"overwritten_by_master": True}, "orange"),
            ("expires", "an expiry deletes the stream", {"expires_in_seconds": {QUEUE: 3600}}, "orange"),
            ("until-restart", "a setting of CONFIG SET alone", {**APPENDS, "append_only_kept": False}, "yellow"),
            ("kept", "the file has it", {**APPENDS, "append_only_kept": True}, "green"),
            ("kept-unknown", "a file that cannot be read is no fault", {**APPENDS, "append_only_kept": None}, "green"),
            (
                "snapshots-too",
                "snapshots keep it as well",
                {"append_only": True, "append_only_kept": False, "saves_snapshots": True},
                "green",
            ),
            ("saved", "nothing changed since", {"unsaved_changes": 0, "last_save_seconds": 9_000}, "green"),
            ("snapshots", "a restart writes one", {"unsaved_changes": 40, "last_save_seconds": 3_000}, "green"),
            ("no-data", "what may not be asked is unknown", {"persistence": None}, "unknown"),
        ]
    ),
)
def test_redis_durability(sentence: str, given: dict[str, Any], status: str) -> None:
    assert run("redis-durability", locations=locations(), redis=redis(**given)).status == status, sentence


def test_what_a_crash_loses_of_snapshots_is_told() -> None:
    finding = run("redis-durability", locations=locations(), redis=redis(unsaved_changes=40, last_save_seconds=65))
    assert finding.summary == (
        "Redis saves snapshots alone: a crash now loses the 40 changes since the last one, 65 s ago"
    )


def test_an_expiry_names_the_stream_that_goes_first_and_takes_it_away_from_all() -> None:
    expires = {"telemetry:dlq": 90_000, QUEUE: 3_600}
    given = redis(expires_in_seconds=expires, maxmemory_mb=100.0, maxmemory_policy="volatile-lru")
    finding = run("redis-durability", locations=locations(), redis=given)
    assert finding.summary == (
        f"Redis deletes {QUEUE}, with all that it holds, in 60 min: it has an expiry, and when its memory is full, "
        "Redis may delete it at once (volatile-lru)"
    )
    assert finding.remedy is not None
    assert [command.split()[-2:] for command in finding.remedy.commands] == [
        ["PERSIST", "telemetry:dlq"],
        ["PERSIST", QUEUE],
    ]


def test_eviction_names_the_limit_and_the_policy() -> None:
    said = run("redis-durability", locations=locations(), redis=redis(**EVICTS)).summary
    assert said == "When its 100 MB are full, Redis may delete the queue (allkeys-lru)"


def test_without_a_configuration_file_no_command_is_given_that_the_next_restart_forgets() -> None:
    for changes in ({"persistence": False}, {**EVICTS, "used_memory_mb": 50.0}):
        found = run("redis-durability", locations=locations(), redis=redis(has_config_file=False, **changes))
        assert found.remedy is not None
        assert found.remedy.commands == []
        assert "without a configuration file" in found.remedy.text


def test_a_nearly_full_redis_is_given_room_before_it_may_refuse_writes() -> None:
    roomy = run("redis-durability", locations=locations(), redis=redis(**EVICTS, used_memory_mb=60.0))
    full = run("redis-durability", locations=locations(), redis=redis(**EVICTS, used_memory_mb=95.0))
    assert roomy.remedy is not None and full.remedy is not None
    assert [command.split()[-2:] for command in roomy.remedy.commands] == [
        ["maxmemory-policy", "noeviction"],
        ["CONFIG", "REWRITE"],
    ]
    assert "40 of 100 MB are left" in roomy.remedy.text and "503" in roomy.remedy.text
    assert full.remedy.commands == []
    assert full.remedy.text.startswith("First raise maxmemory")

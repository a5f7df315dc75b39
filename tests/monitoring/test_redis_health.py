"""Redis itself: what INFO tells, and what a server that may not be asked does not."""

from collections.abc import Iterator

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.monitoring.redis_health import RedisHealth
from tests.monitoring.support import collected


@pytest.fixture
def configured(any_pipeline: Pipeline) -> Iterator[Pipeline]:
    """A pipeline whose server may be configured; everything is as it was afterwards."""
    names = ("save", "appendonly", "maxmemory", "maxmemory-policy")
    before = {name: any_pipeline.client.config_get(name)[name] for name in names}
    yield any_pipeline
    for name, value in before.items():
        any_pipeline.client.config_set(name, value)


@pytest.mark.server
def test_no_saving_is_no_persistence(configured: Pipeline) -> None:
    record = collected(RedisHealth, configured)
    assert (record.persistence, record.may_evict_queue, record.maxmemory_mb) == (False, False, None)
    assert record.server in ("redis", "valkey") and record.version[0].isdigit()
    assert record.clock_skew_ms is not None and abs(record.clock_skew_ms) < 1_000


@pytest.mark.server
def test_save_rules_are_persistence(configured: Pipeline) -> None:
    configured.client.config_set("save", "3600 1")
    configured.client.set("changed", "1")
    record = collected(RedisHealth, configured)
    assert record.persistence is True
    assert record.unsaved_changes and record.last_save_seconds is not None


@pytest.mark.server
def test_an_append_only_file_is_persistence(configured: Pipeline) -> None:
    configured.client.config_set("appendonly", "yes")
    record = collected(RedisHealth, configured)
    assert (record.persistence, record.unsaved_changes, record.last_save_seconds) == (True, None, None)


@pytest.mark.server
@pytest.mark.parametrize(
    ("limit", "policy", "evicts"),
    [
        (10**9, "allkeys-lru", True),
        (10**9, "allkeys-random", True),
        (10**9, "volatile-lru", False),
        (10**9, "noeviction", False),
        (0, "allkeys-lru", False),
    ],
)
def test_only_a_limit_with_a_policy_for_all_keys_evicts(
    configured: Pipeline, limit: int, policy: str, evicts: bool
) -> None:
    configured.client.config_set("maxmemory", limit)
    configured.client.config_set("maxmemory-policy", policy)
    record = collected(RedisHealth, configured)
    assert record.may_evict_queue is evicts
    assert record.maxmemory_mb == (1_000.0 if limit else None)

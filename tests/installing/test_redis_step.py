"""Stream and groups on real servers: made from the start, and only what nobody used is removed again."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.cluster import RedisCluster

from blueplane_doctor.connection.topology import address_of
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.installing.files import JOURNAL_FILE
from blueplane_doctor.installing.redis_step import RedisStep
from blueplane_doctor.pipeline import CURRENT, EARLIER
from tests.connection.servers import cluster, port_of, sentinel
from tests.installing.conftest import Person
from tests.servers import require_server

QUEUE = CURRENT.queue
STEP = RedisStep()


@pytest.fixture
def client(any_server: RunningServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(any_server.url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def person(make_person: Callable[..., Person], any_server: RunningServer) -> Person:
    return make_person(redis_url=any_server.url)


def groups(client: redis.Redis) -> dict[str, str]:
    return {group["name"]: group["last-delivered-id"] for group in client.xinfo_groups(QUEUE)}


def test_stream_and_groups_are_made_kept_and_removed(person: Person, client: redis.Redis) -> None:
    assert person.install(STEP)
    assert groups(client) == {"processors": "0-0", "claude_processors": "0-0"}
    assert person.install(STEP)
    assert "nothing to do" in person.text
    assert person.uninstall(STEP)
    assert client.keys() == []
    assert person.tree() == {}


def test_a_dry_run_shows_the_commands_and_makes_nothing(person: Person, client: redis.Redis) -> None:
    assert person.install(STEP, dry_run=True)
    assert f"> XGROUP CREATE {QUEUE} processors 0 MKSTREAM" in person.text
    assert client.keys() == []


def test_groups_on_a_stream_that_is_there_read_it_from_its_start(person: Person, client: redis.Redis) -> None:
    first = client.xadd(QUEUE, {"a": "1"})
    client.xgroup_create(QUEUE, "processors", first)
    assert person.install(STEP)
    assert groups(client) == {"processors": first, "claude_processors": "0-0"}
    assert person.uninstall(STEP)
    assert groups(client) == {"processors": first}
    assert client.xlen(QUEUE) == 1


@pytest.mark.parametrize("acknowledged", [True, False])
def test_a_group_that_has_read_stays_with_its_stream(person: Person, client: redis.Redis, acknowledged: bool) -> None:
    person.install(STEP)
    entry = client.xadd(QUEUE, {"a": "1"})
    client.xreadgroup("processors", "c", {QUEUE: ">"})
    if acknowledged:
        client.xack(QUEUE, "processors", entry)
    assert person.uninstall(STEP)
    assert "group processors has been used; it stays" in person.text
    assert groups(client) == {"processors": entry}
    assert client.xlen(QUEUE) == 1


def test_a_stream_that_was_used_and_emptied_stays(person: Person, client: redis.Redis) -> None:
    person.install(STEP)
    client.xdel(QUEUE, client.xadd(QUEUE, {"a": "1"}))
    assert person.uninstall(STEP)
    assert client.exists(QUEUE)


def test_a_group_that_is_used_between_look_and_removal_stays(person: Person, client: redis.Redis) -> None:
    person.install(STEP)
    entry = {"kind": "group", "target": f"{QUEUE} processors", "redis": address_of(person.site.settings.redis_url)}
    plan = STEP.undo(person.site, entry)
    client.xadd(QUEUE, {"a": "1"})
    client.xreadgroup("processors", "c", {QUEUE: ">"})
    plan.changes[0].apply(None)  # type: ignore[arg-type]  # the journal has no part in it
    assert "processors" in groups(client)


def test_in_another_redis_nothing_is_removed(person: Person, client: redis.Redis) -> None:
    person.install(STEP)
    pretend_made_at(person, "elsewhere:6379")
    before = person.tree()
    assert not person.uninstall(STEP)
    assert "was made in Redis at elsewhere:6379" in person.text and "--redis-url" in person.text
    assert set(groups(client)) == {"processors", "claude_processors"}
    assert person.tree() == before


def pretend_made_at(person: Person, address: str) -> None:
    """Let the journal name another Redis."""
    journal = person.site.settings.home / JOURNAL_FILE
    journal.write_text(journal.read_text().replace(address_of(person.site.settings.redis_url), address))


def test_an_earlier_layout_gets_its_own_group(person: Person, client: redis.Redis) -> None:
    client.xadd(EARLIER.queue, {"a": "1"})
    assert person.install(STEP)
    assert [group["name"] for group in client.xinfo_groups(EARLIER.queue)] == ["processors"]
    assert not client.exists(QUEUE)


def test_a_key_of_another_kind_is_an_error(person: Person, client: redis.Redis) -> None:
    client.set(QUEUE, "text")
    assert not person.install(STEP)
    assert "not a stream" in person.text
    assert client.get(QUEUE) == "text"


def test_without_redis_the_step_fails_and_the_journal_keeps_what_it_knows(
    person: Person, client: redis.Redis, make_person: Callable[..., Person]
) -> None:
    person.install(STEP)
    settings = person.site.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    pretend_made_at(person, "127.0.0.1:1")
    before = person.tree()
    person.site = type(person.site)(settings, user_home=person.home)
    assert not person.uninstall(STEP)
    assert "cannot be reached" in person.text
    assert person.tree() == before


def test_behind_sentinel_the_master_gets_stream_and_groups(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with ExitStack() as stack:
        master = stack.enter_context(run_server(require_server("valkey-9.1"), tcp=True))
        port = stack.enter_context(sentinel(tmp_path, port_of(master)))
        with redis.Redis.from_url(master.url, decode_responses=True) as client:
            made_and_removed(request, f"redis+sentinel://127.0.0.1:{port}/main/0", client)


@pytest.mark.slow
def test_in_a_cluster_the_stream_s_node_gets_stream_and_groups(request: pytest.FixtureRequest) -> None:
    with cluster() as nodes:
        ports = [port_of(node) for node in nodes]
        node = RedisCluster(host="127.0.0.1", port=ports[0])  # type: ignore[abstract]
        holder = node.get_node_from_key(QUEUE).port
        node.close()
        with redis.Redis(port=holder, decode_responses=True) as client:
            made_and_removed(request, f"redis+cluster://127.0.0.1:{ports[-1]}", client)


def made_and_removed(request: pytest.FixtureRequest, url: str, client: redis.Redis) -> None:
    # Only now: this fixture puts another Python in the place of the one that started the servers.
    person = request.getfixturevalue("make_person")(redis_url=url)
    assert person.install(STEP), person.text
    assert groups(client) == {"processors": "0-0", "claude_processors": "0-0"}
    assert person.uninstall(STEP), person.text
    assert client.keys() == []


def test_a_user_who_may_not_write_is_told_what_is_missing(person: Person, client: redis.Redis) -> None:
    client.execute_command("ACL", "SETUSER", "reader", "reset", "on", ">pw", "~*", "+@read", "+ping", "+info", "+multi")
    url = person.site.settings.redis_url.replace("unix://", "unix://reader:pw@")
    settings = person.site.settings.model_copy(update={"redis_url": url})
    person.site = type(person.site)(settings, user_home=person.home)
    try:
        assert not person.install(STEP)
        assert "gives this user no permission" in person.text and "+xgroup" in person.text
        assert client.keys() == []
    finally:
        client.execute_command("ACL", "DELUSER", "reader")

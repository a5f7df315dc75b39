"""Stream and groups on real servers: made from the start, and only what nobody used is removed again."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from redis.cluster import RedisCluster

from blueplane_doctor.connection.topology import address_of
from blueplane_doctor.demo.servers import RunningServer, run_server
from blueplane_doctor.installing.journal import JOURNAL_FILE, Journal
from blueplane_doctor.installing.redis_step import RedisStep, mark_key, place_of
from blueplane_doctor.layouts import CURRENT, EARLIER
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
    place = place_of(person.site.settings.redis_url)
    entry = Journal(person.site.settings.home).find("group", f"{QUEUE} processors", place)
    assert entry
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


def others_made_the_same(client: redis.Redis) -> None:
    """Another Redis at the same address, in which somebody else made the same stream and groups; nobody used them."""
    client.flushall()
    for group in ("processors", "claude_processors"):
        client.xgroup_create(QUEUE, group, "0", mkstream=True)


def test_in_another_redis_at_the_same_address_nothing_is_removed(person: Person, client: redis.Redis) -> None:
    person.install(STEP)
    others_made_the_same(client)
    assert not person.uninstall(STEP)
    assert "does not hold the mark of this installation" in person.text
    assert f"by hand where it is yours, then run this again: XGROUP DESTROY {QUEUE} processors" in person.text
    assert set(groups(client)) == {"processors", "claude_processors"}
    client.flushall()
    assert person.uninstall(STEP), "where nothing is left there is nothing to destroy"
    assert person.tree() == {}


def test_the_mark_of_another_installation_proves_nothing(
    person: Person, client: redis.Redis, make_person: Callable[..., Person]
) -> None:
    person.install(STEP)
    others_made_the_same(client)
    client.sadd(mark_key(QUEUE), "token of another installation")
    assert not person.uninstall(STEP)
    assert set(groups(client)) == {"processors", "claude_processors"}


def test_two_hosts_that_are_shown_alike_are_told_apart(person: Person, client: redis.Redis) -> None:
    assert address_of("redis://first.example/0") == address_of("redis://second.example/0")
    assert place_of("redis://first.example/0") != place_of("redis://second.example/0")
    person.install(STEP)
    journal = person.site.settings.home / JOURNAL_FILE
    place = place_of(person.site.settings.redis_url)
    journal.write_text(journal.read_text().replace(place, "redis://first.example:6379/0"))
    assert not person.uninstall(STEP)
    assert "this one has another address" in person.text and "first.example" not in person.text
    assert set(groups(client)) == {"processors", "claude_processors"}


def test_a_journal_without_a_token_proves_nothing(person: Person, client: redis.Redis) -> None:
    person.install(STEP)
    journal = person.site.settings.home / JOURNAL_FILE
    content = json.loads(journal.read_text())
    content["entries"] = [entry for entry in content["entries"] if entry["kind"] != "mark"]
    for entry in content["entries"]:
        entry.pop("token", None)
    journal.write_text(json.dumps(content))
    assert not person.uninstall(STEP)
    assert set(groups(client)) == {"processors", "claude_processors"}


def test_the_same_redis_is_known_again_after_a_restart(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run_id is another one then, and so is everything else that it says of itself."""
    program = require_server("valkey-9.1")
    python = sys.executable
    kept = tmp_path / "redis"
    kept.mkdir()
    url = f"unix://{kept}/s"
    run_ids = set()
    person: Person | None = None
    for work in ("install", "uninstall"):
        monkeypatch.setattr(sys, "executable", python)  # which starts the server; a person's is another
        with run_server(program, tcp=True, arguments=("--dir", str(kept), "--unixsocket", f"{kept}/s")):
            person = person or request.getfixturevalue("make_person")(redis_url=url)
            assert getattr(person, work)(STEP), person.text
            with redis.Redis.from_url(url, decode_responses=True) as client:
                run_ids.add(client.info("server")["run_id"])
                left = client.keys()
                client.save()
    assert len(run_ids) == 2
    assert left == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://localhost", "redis://localhost:6379/0"),
        ("redis://user:secret@Host:7000/1?timeout=2", "redis://host:7000/1"),
        ("unix://user:secret@/run/redis.sock?db=1", "unix:///run/redis.sock"),
        ("redis+sentinel://:secret@a:1,b:2/main/0", "redis+sentinel://a:1,b:2/main/0"),
    ],
)
def test_a_place_is_the_whole_address_without_a_secret(url: str, place: str) -> None:
    assert place_of(url) == place


def test_the_mark_is_in_the_slot_of_the_stream() -> None:
    assert mark_key("a:b") == "telemetry:blueplane_doctor_installed:{a:b}"
    assert mark_key("{a}:b") == "telemetry:blueplane_doctor_installed:{a}:b"


def pretend_made_at(person: Person, address: str, place: str = "") -> None:
    """Let the journal name another Redis."""
    journal = person.site.settings.home / JOURNAL_FILE
    content = json.loads(journal.read_text())
    for entry in content["entries"]:
        if "redis" in entry:
            entry["redis"] = address
            entry["place"] = place or entry["place"]
    journal.write_text(json.dumps(content))


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
    pretend_made_at(person, "127.0.0.1:1", place_of(settings.redis_url))
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

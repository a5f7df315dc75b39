"""Section B: whether Redis takes and keeps what it is given."""

import shutil
import socket
from dataclasses import replace

import redis

from blueplane_doctor.sources.redis_refusals import MOMENT_SECONDS
from tests.truth.messages import CLAUDE_GROUP, CURSOR_GROUP, CURSOR_LETTERS, QUEUE
from tests.truth.redis_process import NOBODY
from tests.truth.registry import situation
from tests.truth.situation import Situation
from tests.truth.truth import Truth
from tests.waiting import wait_until


def _at_work(s: Situation) -> None:
    s.live_server()
    s.open_session(minutes_ago=2)
    s.healthy_work()


def _refused(s: Situation, refusal: str, **facts: object) -> None:
    s.truth = Truth(refusal=refusal, written=76, lost=0, rows=76, facts=dict(facts))


@situation("B", "refuses-oom-noeviction", policy="noeviction")
@situation("B", "refuses-oom-volatile-lru", policy="volatile-lru")
@situation("B", "refuses-oom-volatile-ttl", policy="volatile-ttl")
def out_of_memory(s: Situation, policy: str) -> None:
    """Memory is full under {policy}, and no key may be evicted: every XADD is refused, and so is XINFO inside MULTI."""
    _at_work(s)
    s.client.config_set("maxmemory-policy", policy)
    s.client.config_set("maxmemory", "1mb")
    _refused(s, "OOM", policy=policy)


@situation("B", "refuses-oom-with-backlog", waiting=200)
@situation("B", "refuses-oom-after-losses", waiting=5, lost=3)
def out_of_memory_with_backlog(s: Situation, waiting: int, lost: int = 0) -> None:
    """Memory is full under noeviction while {waiting} messages wait."""
    _at_work(s)
    s.add_malformed(lost)
    s.work()
    s.add_cursor(waiting)
    s.client.config_set("maxmemory-policy", "noeviction")
    s.client.config_set("maxmemory", "1mb")
    s.truth = Truth(refusal="OOM", waiting=waiting, lost=lost, rows=76)


def _fail_to_save(s: Situation) -> None:
    shutil.rmtree(s.redis.data)
    s.client.bgsave()
    wait_until(
        lambda: s.client.info("persistence")["rdb_last_bgsave_status"] == "err", "the failed save did not come about"
    )


@situation("B", "refuses-misconf")
def misconf(s: Situation) -> None:
    """The last snapshot failed, and Redis stops taking writes because of it."""
    _at_work(s)
    _fail_to_save(s)
    _refused(s, "MISCONF")


@situation("B", "snapshots-fail-writes-taken")
def snapshots_fail(s: Situation) -> None:
    """The last snapshot failed; Redis takes writes all the same, and a restart would lose the queue."""
    _at_work(s)
    s.client.config_set("stop-writes-on-bgsave-error", "no")
    _fail_to_save(s)
    _refused(s, "", kept_through_restart=False)


@situation("B", "refuses-readonly-master-gone")
def replica_of_nobody(s: Situation) -> None:
    """After a failover this Redis is a read-only replica, and its master is gone."""
    _at_work(s)
    s.client.replicaof("127.0.0.1", NOBODY)
    wait_until(
        lambda: s.client.info("replication")["master_link_status"] == "down", "the failed link did not come about"
    )
    _refused(s, "READONLY", master_lives=False)


@situation("B", "refuses-readonly-master-lives", slow=True)
def replica_of_the_new_master(s: Situation) -> None:
    """After a failover this Redis is a read-only replica of a living master, which takes the writes."""
    _at_work(s)
    master = s.another_redis()
    client = s.open_client(master)
    client.replicaof("127.0.0.1", s.redis.port)
    wait_until(lambda: client.info("replication").get("master_link_status") == "up", "the copy did not come about")
    client.execute_command("REPLICAOF", "NO", "ONE")
    s.client.replicaof("127.0.0.1", master.port)
    wait_until(lambda: s.client.info("replication")["master_link_status"] == "up", "the link did not come about")
    _refused(s, "READONLY", master_lives=True, master=master.url)


@situation("B", "refuses-noreplicas", needed=1)
@situation("B", "refuses-noreplicas-two", needed=2)
def no_replicas(s: Situation, needed: int) -> None:
    """Redis wants {needed} good replicas for a write and has none."""
    _at_work(s)
    s.client.config_set("min-replicas-to-write", needed)
    _refused(s, "NOREPLICAS", needed=needed)


@situation("B", "refuses-client-pause", slow=True)
def paused(s: Situation) -> None:
    """CLIENT PAUSE … WRITE holds every write back: XADD gets no answer."""
    _at_work(s)
    s.client.execute_command("CLIENT", "PAUSE", 600_000, "WRITE")
    _refused(s, "no answer")


@situation("B", "refuses-busy-script")
def busy(s: Situation) -> None:
    """A script runs without end: Redis answers BUSY to everything."""
    _at_work(s)
    s.client.config_set("lua-time-limit", 50)
    connection = s.hold(socket.create_connection(("127.0.0.1", s.redis.port)))
    connection.sendall(b"EVAL 'while true do end' 0\r\n")
    wait_until(lambda: _answer(s).startswith("BUSY"), "the busy script did not come about")
    s.truth = Truth(refusal="BUSY", rows=76, database="intact")


@situation("B", "refuses-loading", slow=True)
def loading(s: Situation) -> None:
    """Redis was restarted and still loads what it had saved: it answers LOADING."""
    _at_work(s)
    with s.client.pipeline(transaction=False) as commands:
        for number in range(6_000):
            commands.set(f"cache:{number}", "x" * 100)
        commands.execute()
    s.client.config_set("rdbcompression", "no")
    s.redis.shut_down()
    # About 10 keys a kilobyte: every 0.2 s the server answers a client, and it loads for 2 minutes.
    with s.redis.config_file.open("a") as file:
        file.write("key-load-delay 20000\nloading-process-events-interval-bytes 1024\n")
    s.redis.launch()
    # In the first second Redis tells a made-up end: in one second.
    wait_until(lambda: _loads_for_seconds(s) > MOMENT_SECONDS, "the loading did not come about")
    s.truth = Truth(refusal="LOADING", rows=76, database="intact")


def _loads_for_seconds(s: Situation) -> int:
    with s.redis.client(timeout=5) as client:
        try:
            return int(client.info("persistence").get("loading_eta_seconds", 0))
        except redis.RedisError:
            return 0


def _answer(s: Situation) -> str:
    with s.redis.client(timeout=1) as client:
        try:
            client.get("truth:probe")
        except redis.exceptions.BusyLoadingError:
            return "LOADING"
        except redis.ResponseError as error:
            return str(error)
        except redis.RedisError as error:
            return type(error).__name__
    return ""


# Room


def _leave_room(s: Situation, share: float, policy: str) -> None:
    """Set `maxmemory` so that `share` of it is used."""
    # In small pieces: the buffer of a client that sent 30 MB at once would count for some seconds, and then no more.
    for number in range(1_000):
        s.client.set(f"cache:{number}", "x" * 30_000)
    s.client.config_set("maxmemory-policy", policy)
    used = s.client.info("memory")["used_memory"]
    s.client.config_set("maxmemory", int(used / share))


@situation("B", "memory-at-82-percent", share=0.82)
@situation("B", "memory-at-93-percent", share=0.93)
@situation("B", "memory-at-98-percent", share=0.98)
def memory_nearly_full(s: Situation, share: float) -> None:
    """{share} of maxmemory is used, under noeviction; writes are still taken."""
    _at_work(s)
    _leave_room(s, share, "noeviction")
    _refused(s, "", memory_share=share, policy="noeviction")


@situation("B", "may-evict-the-queue", policy="allkeys-lru", share=0.5)
@situation("B", "may-evict-the-queue-lfu", policy="allkeys-lfu", share=0.9)
@situation("B", "may-evict-the-queue-random", policy="allkeys-random", share=0.7)
def may_evict(s: Situation, policy: str, share: float) -> None:
    """{share} of maxmemory is used under {policy}: the queue itself may be evicted."""
    _at_work(s)
    _leave_room(s, share, policy)
    _refused(s, "", memory_share=share, policy=policy)


@situation("B", "reading-must-not-evict", policy="allkeys-lru", room=300_000)
@situation("B", "reading-must-not-evict-lfu", policy="allkeys-lfu", room=400_000)
@situation("B", "reading-must-not-evict-random", policy="allkeys-random", room=600_000)
def little_room(s: Situation, policy: str, room: int) -> None:
    """Under {policy} {room} bytes are free, and the stream holds 6 MB that wait: reading it must evict nothing."""
    _at_work(s)
    s.add_claude(6_000, size=1_000)
    s.client.config_set("maxmemory-policy", policy)
    s.client.config_set("maxmemory", s.client.info("memory")["used_memory"] + room)
    s.truth = Truth(stream_length=6_080, waiting=6_000, stream_exists=True, facts={"room": room, "evicted_keys": 0})


@situation("B", "connections-at-90-percent", held=43, status="yellow")
@situation("B", "connections-at-98-percent", held=47, status="orange")
def connections_nearly_used(s: Situation, held: int, status: str) -> None:
    """Besides ours {held} of the 50 connections that Redis allows are open; new ones are still accepted."""
    _at_work(s)
    s.client.config_set("maxclients", 50)
    for _ in range(held):
        s.hold(socket.create_connection(("127.0.0.1", s.redis.port)))
    _refused(s, "", connections=status)


# Durability


@situation("B", "no-persistence", options={"save": '""'})
def no_persistence(s: Situation) -> None:
    """Redis saves nothing: a restart would lose the queue with 5 messages that wait."""
    _at_work(s)
    s.add_cursor(5)
    s.truth = Truth(refusal="", waiting=5, facts={"kept_through_restart": False})


@situation("B", "queue-expires", stream=QUEUE, policy="noeviction")
@situation("B", "queue-expires-or-is-evicted", stream=QUEUE, policy="volatile-lru")
@situation("B", "dead-letters-expire", stream=CURSOR_LETTERS, policy="noeviction")
def expires(s: Situation, stream: str, policy: str) -> None:
    """Another program gave {stream} an expiry, under {policy}: in a day Redis deletes it with all that it holds."""
    _at_work(s)
    if stream == CURSOR_LETTERS:
        s.dead_letter(s.add_cursor(1), "cursor")
        s.work()
    s.client.expire(stream, 86_400)
    s.client.config_set("maxmemory-policy", policy)
    s.client.config_set("maxmemory", "1gb")
    _refused(s, "", expires=stream, policy=policy)
    if stream == CURSOR_LETTERS:
        s.truth = replace(s.truth, written=77, rows=77)


@situation("B", "append-only-not-in-the-file", options={"save": '""'})
def append_only_until_restart(s: Situation) -> None:
    """The append-only file was switched on by CONFIG SET alone: the next restart starts without it."""
    _at_work(s)
    s.client.config_set("appendonly", "yes")
    s.add_cursor(5)
    wait_until(
        lambda: not s.client.info("persistence")["aof_rewrite_in_progress"], "the append-only file did not come about"
    )
    s.truth = Truth(refusal="", waiting=5, stream_length=85, facts={"kept_through_restart": False, "queue": QUEUE})


# Permissions


_READING = "-@all +ping +info +xlen +xpending +xrange +xrevrange +xinfo|stream +xinfo|groups +xinfo|consumers"


_NOT_LOGGED_IN = "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH option"


@situation("B", "refuses-the-server-a-command", text="User blueplane has no permissions to run the 'xadd' command")
@situation("B", "refuses-the-server-its-login", text="invalid username-password pair or user is disabled.")
@situation("B", "refuses-the-server-any-login", text=_NOT_LOGGED_IN, level="WARNING")
def refuses_the_server(s: Situation, text: str, level: str = "ERROR") -> None:
    """Redis refuses the server, and nobody else; its log says "{text}"."""
    _at_work(s)
    s.log(level, f"Redis error: {text}", logger="src.capture.shared.queue_writer", ago_s=40, times=3)
    _refused(s, "")


@situation("A", "reader-without-ping", keys="%R~telemetry:*", missing="-ping", lost=5)
@situation("A", "reader-of-the-queue-alone", keys=f"%R~{QUEUE}", letters=3)
def reader_of_less(s: Situation, keys: str, missing: str = "", lost: int = 0, letters: int = 0) -> None:
    """The doctor's user may read {keys} and lacks {missing}; {lost} are lost, {letters} have a dead letter."""
    _at_work(s)
    s.add_malformed(lost)
    given_up = s.add_cursor(letters)
    s.dead_letter(given_up, "cursor")
    s.pass_over(CURSOR_GROUP, CLAUDE_GROUP)
    rules = f"on >reading {keys} {_READING} +multi +exec {missing}"
    s.client.execute_command("ACL", "SETUSER", "doctor", *rules.split())
    s.truth = Truth(lost=lost, dead_lettered=letters, written=76, rows=76)
    s.truth.facts = {"redis_url": f"redis://doctor:reading@127.0.0.1:{s.redis.port}/0"}


@situation("B", "refuses-oom-least-privilege", missing="")
@situation("B", "refuses-oom-without-info", missing="-info")
@situation("B", "refuses-oom-without-multi", missing="-multi -exec")
def out_of_memory_for_a_reader(s: Situation, missing: str) -> None:
    """Memory is full, and the doctor's user may only read, without these permissions: {missing}."""
    _at_work(s)
    rules = f"on >reading %R~telemetry:* {_READING} +multi +exec {missing}"
    s.client.execute_command("ACL", "SETUSER", "doctor", *rules.split())
    s.client.config_set("maxmemory-policy", "noeviction")
    s.client.config_set("maxmemory", "1mb")
    _refused(s, "OOM", redis_url=f"redis://doctor:reading@127.0.0.1:{s.redis.port}/0")

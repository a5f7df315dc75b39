"""How much of the stream is taken by what is not finished when a plan is applied, some minutes after it was made."""

from blueplane_doctor.examination import Examination
from blueplane_doctor.repair.following import Follower
from blueplane_doctor.repair.plan import Plan
from blueplane_doctor.sources.entry_ids import EntryId, entry_id, id_text
from blueplane_doctor.sources.redis_source import RedisSource
from blueplane_doctor.sources.streams import read_positions


def used_now(examination: Examination, plan: Plan, follower: Follower) -> int:
    """Messages from the oldest one on that is neither finished nor saved. Raises SourceError."""
    redis = examination.redis
    oldest: list[EntryId] = []
    positions = read_positions(redis, plan.queue)
    for group in examination.writer_groups():
        if group in positions:
            oldest += _first_undelivered(redis, plan.queue, positions[group])
            oldest += _first_pending(redis, plan, group)
    if not oldest:
        return 0
    first = min(oldest)
    if first <= entry_id(plan.read_to.encode()):
        return plan.room.used + len(follower.came_ids)
    return sum(identity >= first for identity in follower.came_ids)


def _first_undelivered(redis: RedisSource, queue: str, position: EntryId) -> list[EntryId]:
    """The first message behind the last one that a group was given, if there is one."""
    after = id_text((position[0], position[1] + 1))
    ids = []
    for identity, _ in redis.ask_one("XRANGE", queue, after, "+", "COUNT", 1):
        ids.append(entry_id(identity))
    return ids


def _first_pending(redis: RedisSource, plan: Plan, group: str) -> list[EntryId]:
    """The first message that a group holds and that the plan has not saved, if there is one."""
    saved = set()
    for item in plan.items:
        if item.is_of_queue:
            saved.add(item.id)
    # One more than the plan can account for: among so many is one that it has not saved, if there is any.
    for identity, *_ in redis.ask_one("XPENDING", plan.queue, group, "-", "+", len(saved) + 1):
        if identity.decode() not in saved:
            return [entry_id(identity)]
    return []

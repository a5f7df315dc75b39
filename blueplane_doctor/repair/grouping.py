"""Makes and moves consumer groups, each in one step of Redis that happens only where nothing changed since the plan.

A group is moved from where the plan saw it, and only there: one that was given messages meanwhile is left alone.
"""

from blueplane_doctor.connection.base import Command
from blueplane_doctor.repair import scripts
from blueplane_doctor.repair.plan import Action, Item

# KEYS: the queue and the lock. ARGV: token, milliseconds of the lock, the group, where it stands, where it is put.
_MAKE = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return -1 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local reply = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[3], ARGV[5], 'MKSTREAM')
if type(reply) == 'table' and reply['err'] then return -3 end
return 1
"""
_MOVE = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return -1 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local fields = {}
  for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
  if fields['name'] == ARGV[3] then
    if fields['last-delivered-id'] ~= ARGV[4] then return -3 end
    redis.call('XGROUP', 'SETID', KEYS[1], ARGV[3], ARGV[5])
    return 1
  end
end
return -3
"""


def group_step(queue: str, token: str, milliseconds: int, item: Item) -> Command:
    """Make the group of this item, or move it; scripts.DONE, MOVED or LOCK_LOST."""
    script = _MOVE
    if item.action is Action.MAKE_GROUP:
        script = _MAKE
    return ("EVAL", script, 2, queue, scripts.lock_key(queue), token, milliseconds, item.group, item.id, item.position)

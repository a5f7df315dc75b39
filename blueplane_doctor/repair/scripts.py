"""The steps of a repair as scripts: Redis runs each as one, so that it happens wholly or not at all. No I/O.

Each looks first whether the lock is still this repair's, whether no message came that was not looked at, and whether
the pending entries are still those of the plan; only then it changes anything. A step takes one round trip.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from blueplane_doctor.connection.base import Command
from blueplane_doctor.repair.plan import Fields, Holding, flat
from blueplane_doctor.sources.claimed_consumers import claims_key
from blueplane_doctor.sources.dead_letters import removed_key
from blueplane_doctor.sources.entry_ids import EntryId, id_text

MOST_FIELDS = 3_900
"""Of what a step adds: Lua gives a command 8,000 values at most, and a field is two."""
DONE = 1
LOCK_LOST = -1
NEWER = -2
"""Messages came since the stream was last looked at."""
MOVED = -3
"""A pending entry is gone, or was delivered again."""
DELIVERED = -4
"""Somebody was given the copy already."""
ORIGINAL_GONE = -5
READERS_BEHIND = -6
"""A group that must not be given the copy has not read up to the end of the stream."""
_NOTES_KEPT_MS = 30 * 86_400_000
"""Notes of claims matter until the server that runs now is restarted."""
ANSWERS = frozenset((0, DONE, LOCK_LOST, NEWER, MOVED, DELIVERED, ORIGINAL_GONE, READERS_BEHIND))
"""Every number that a script answers with."""
_GUARD = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return -1 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local function held_as_planned(id, first, count)
  for i = 0, count - 1 do
    local place = first + 3 * i
    local entry = redis.call('XPENDING', KEYS[1], ARGV[place], id, id, 1)[1]
    if ARGV[place + 2] ~= '*' then
      if not entry or entry[2] ~= ARGV[place + 1] then return false end
      if ARGV[place + 2] ~= '' and entry[4] ~= tonumber(ARGV[place + 2]) then return false end
    end
  end
  return true
end
local function acknowledge(id, first, count)
  for i = 0, count - 1 do redis.call('XACK', KEYS[1], ARGV[first + 3 * i], id) end
end
"""
# KEYS: the queue, the lock, and the stream that is added to. ARGV: token, milliseconds of the lock, the first ID that
# was not looked at, the groups that must not be given the copies (how many, and their names), and for each message: the
# ID of the original, its holdings (how many; group, consumer and deliveries of each), and the names and values of what
# is added (how many, and these).
# A group that must not be given the copies is moved past them. That takes nothing else from it only where it has read
# up to the end: the entries from its last ID on are then that one, or, where that was trimmed, none.
_MOVE = (
    _GUARD
    + """
if ARGV[3] ~= '' and #redis.call('XRANGE', KEYS[1], ARGV[3], '+', 'COUNT', 1) > 0 then return -2 end
local place = 5 + tonumber(ARGV[4])
local readers = {}
for i = 5, place - 1 do readers[ARGV[i]] = true end
local passing = {}
if next(readers) then
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if readers[fields['name']] then
      local last = fields['last-delivered-id']
      for _, entry in ipairs(redis.call('XRANGE', KEYS[1], last, '+', 'COUNT', 2)) do
        if entry[1] ~= last then return -6 end
      end
      passing[#passing + 1] = fields['name']
    end
  end
end
local replies = {}
while place <= #ARGV do
  local original = ARGV[place]
  local holdings = tonumber(ARGV[place + 1])
  local held = place + 2
  local first = held + 3 * holdings + 1
  place = first + tonumber(ARGV[first - 1])
  if held_as_planned(original, held, holdings) then
    local added = 0
    if place > first then added = redis.call('XADD', KEYS[3], '*', unpack(ARGV, first, place - 1)) end
    for _, name in ipairs(passing) do redis.call('XGROUP', 'SETID', KEYS[1], name, added) end
    acknowledge(original, held, holdings)
    replies[#replies + 1] = added
  else
    replies[#replies + 1] = -3
  end
end
return table.concat(replies, ' ')
"""
)
_HOLD = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
# KEYS as above, the third being the stream of the copy, and the notes of claims (sources/claimed_consumers.py).
# ARGV: token, milliseconds, the ID of the copy, that of the original, its holdings (how many; group, consumer, time of
# delivery and deliveries of each), and milliseconds for which the notes are kept.
_TAKE_BACK = (
    _GUARD
    + """
local function parts(id) local ms, seq = string.match(id, '(%d+)-(%d+)') return tonumber(ms), tonumber(seq) end
local function is_up_to(id, last)
  local ms, seq = parts(id)
  local last_ms, last_seq = parts(last)
  return ms < last_ms or (ms == last_ms and seq <= last_seq)
end
local read = {}
local function last_delivered()
  local last = {}
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    last[fields['name']] = fields['last-delivered-id']
    read[fields['name']] = fields['entries-read']
  end
  return last
end
local last = last_delivered()
if ARGV[3] ~= '' and KEYS[3] == KEYS[1] then
  for _, id in pairs(last) do
    if is_up_to(ARGV[3], id) then return -4 end
  end
end
local count = tonumber(ARGV[5])
if count > 0 and #redis.call('XRANGE', KEYS[1], ARGV[4], ARGV[4]) == 0 then return -5 end
for i = 0, count - 1 do
  local id = last[ARGV[6 + 4 * i]]
  -- Made for a message that the group was never given, a pending entry would have it delivered twice.
  if not id or not is_up_to(ARGV[4], id) then return -3 end
end
local removed = 0
if ARGV[3] ~= '' then removed = redis.call('XDEL', KEYS[3], ARGV[3]) end
if removed > 0 and KEYS[3] == KEYS[1] then
  -- What was added and neither read nor waits is taken for trimmed unread: for each group the copy counts as read.
  for name, id in pairs(last) do
    if read[name] then redis.call('XGROUP', 'SETID', KEYS[1], name, id, 'ENTRIESREAD', read[name] + 1) end
  end
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function note_claim(group, consumer)
  local heard = now
  for _, one in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], group)) do
    local fields = {}
    for i = 1, #one, 2 do fields[one[i]] = one[i + 1] end
    if fields['name'] == consumer then heard = now - fields['idle'] end
  end
  local name = group .. '\\n' .. consumer
  local note = redis.call('HGET', KEYS[4], name)
  if note then
    local at, before = string.match(note, '(%d+) (%d+)')
    -- Heard of since the last claim only through that claim itself; some milliseconds, for a script's clock may stand.
    if heard <= tonumber(at) + 10 then heard = tonumber(before) end
  end
  redis.call('HSET', KEYS[4], name, string.format('%.0f %.0f', now, heard))
  redis.call('PEXPIRE', KEYS[4], ARGV[6 + 4 * count])
end
for i = 0, count - 1 do
  local place = 6 + 4 * i
  note_claim(ARGV[place], ARGV[place + 1])
  redis.call('XCLAIM', KEYS[1], ARGV[place], ARGV[place + 1], 0, ARGV[4], 'TIME', ARGV[place + 2],
    'RETRYCOUNT', ARGV[place + 3], 'FORCE', 'JUSTID')
end
return 1
"""
)


# KEYS: the queue, the lock, the stream of dead letters, and what counts those that were removed from it. ARGV: token,
# milliseconds, the ID. The count is kept because what a repair removed is not what Redis dropped: that may be anything.
_REMOVE = (
    _GUARD
    + """
local removed = redis.call('XDEL', KEYS[3], ARGV[3])
if removed > 0 then
  local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1]
  local count = removed
  if last then count = count + tonumber(last[2][2]) end
  redis.call('XADD', KEYS[4], 'MAXLEN', 1, '*', 'removed', count)
end
return removed
"""
)


def lock_key(queue: str) -> str:
    """The key of the lock; in a cluster on the node of the stream, as a script's keys must be."""
    hashed = queue
    if "{" not in queue:
        hashed = f"{{{queue}}}"
    return f"telemetry:blueplane_doctor_repair:{hashed}"


def hold(queue: str, token: str, milliseconds: int) -> Command:
    """Take the lock, or keep it for longer; 0 when somebody else has it."""
    return ("EVAL", _HOLD, 1, lock_key(queue), token, milliseconds)


def release(queue: str, token: str) -> Command:
    """Give the lock back; somebody else's is left alone."""
    return ("EVAL", _RELEASE, 1, lock_key(queue), token)


@dataclass(frozen=True)
class Move:
    """One message that is moved by a step: what is added for it, and what of it is acknowledged."""

    original: str
    """Its ID in the queue, or what names it elsewhere where nothing holds it."""
    holdings: Sequence[Holding] = ()
    fields: Fields = field(default_factory=list)
    """Empty: nothing is added, its original is acknowledged alone."""
    group: str = ""
    """The writer group that has to write it."""

    def compared(self, holding: Holding, *, guarded: bool) -> int | str:
        """The deliveries that this pending entry must have; empty: any number; `*`: it may be gone as well.

        Another writer group that only passes over the message may try its own batch again at any time.
        """
        is_writers = holding.group == self.group
        if not is_writers and any(one.group == self.group for one in self.holdings):
            return "*"
        return holding.deliveries if guarded else ""


def move(
    queue: str,
    token: str,
    milliseconds: int,
    moves: Sequence[Move],
    *,
    looked_to: EntryId | None = None,
    add_to: str = "",
    past: Sequence[str] = (),
) -> Command:
    """Add messages to a stream and acknowledge their originals, one after the other, in one step of Redis.

    The reply names for each message the ID of the new one, 0 where it has no fields, or MOVED where it was left alone,
    with spaces between; or it is LOCK_LOST, NEWER or READERS_BEHIND, and nothing was done.

    `looked_to`: the last ID of the queue that was looked at, for what must not be written twice: no other message may
    have come since, and the originals not have been tried again. None: neither matters.
    `past`: groups that are moved past what is added, so that they are not given it.
    """
    after = ""
    if looked_to is not None:
        after = id_text((looked_to[0], looked_to[1] + 1))
    arguments: list[str | bytes | int] = [token, milliseconds, after, len(past), *past]
    for one in moves:
        arguments += [one.original, len(one.holdings)]
        for holding in one.holdings:
            deliveries = one.compared(holding, guarded=looked_to is not None)
            arguments += [holding.group, holding.consumer_name, deliveries]
        arguments += [2 * len(one.fields), *flat(one.fields)]
    return ("EVAL", _MOVE, 3, queue, lock_key(queue), add_to or queue, *arguments)


def take_back(
    queue: str,
    token: str,
    milliseconds: int,
    *,
    copy_id: str,
    copy_stream: str,
    original: str,
    holdings: Sequence[Holding],
) -> Command:
    """Remove a copy that nobody was given, and make the pending entries of its original anew; 1 when that is done."""
    held: list[str | bytes | int] = [len(holdings)]
    for one in holdings:
        held += [one.group, one.consumer_name, one.delivered_ms, one.deliveries]
    keys = (queue, lock_key(queue), copy_stream or queue, claims_key(queue))
    return ("EVAL", _TAKE_BACK, 4, *keys, token, milliseconds, copy_id, original, *held, _NOTES_KEPT_MS)


def remove(queue: str, token: str, milliseconds: int, *, letters: str, identity: str) -> Command:
    """Remove one dead letter, and count it; how many were removed."""
    keys = (queue, lock_key(queue), letters, removed_key(letters))
    return ("EVAL", _REMOVE, 4, *keys, token, milliseconds, identity)

"""Which causes are there in each situation, by what its builder did: written by hand, never from a report.

A situation that is not named has the row of the instance that stands first above its builder.
"""

from dataclasses import dataclass

from blueplane_doctor.demo.faults import FAULTS
from tests.truth.situations import MAIN_INSTANCES, SITUATIONS


@dataclass(frozen=True)
class Row:
    """The causes of one situation."""

    causes: tuple[str, ...] = ()
    """Shown for themselves. One that is there several times is named once."""
    follows: tuple[str, ...] = ()
    """Not shown for themselves, for they follow from one of those."""
    alone: tuple[str, ...] = ()
    """Findings of yellow or worse that stand for themselves: nothing tells what they come from."""
    why: str = ""
    """Where that is not plain from the situation."""


NONE = Row()
LOST_DATA = Row(("redis-lost-its-data",))
REWOUND = Row(("rewound-group",))
UNRECORDED = Row(("unrecorded-loss",), why="nothing records who did it, so that it is told as likely")
POISON = Row(("poison-message",))
MALFORMED = Row(("malformed-payloads",))
REFUSES = Row(("redis-refuses-writes",))
FULL = Row(("redis-refuses-writes",), ("redis-may-lose-the-queue",), why="the memory that is full is what refuses")
MAY_LOSE = Row(("redis-may-lose-the-queue",))
LETTERS = Row(("dead-letters",))
NOT_ACKNOWLEDGED = Row(("acknowledgements-lost",))
STUCK_ALONE = ("consumer-lag", "stuck-consumers")
NO_REASON = "neither the messages nor the log tell why they are stuck: no cause is invented"
STANDS_STILL = Row(
    ("writer-stopped",),
    ("backlog-outgrew-stream", "writers-fall-behind"),
    why="nothing is written for a minute while the server answers; the backlog is what comes of it",
)
NOT_LEFT = "nothing of it can be seen any more, or nothing was wrong"

BY_SITUATION = {
    # A: gone, or not to be judged
    "stream-gone-flushall": LOST_DATA,
    "stream-gone-evicted": Row(("redis-lost-its-data",), ("redis-may-lose-the-queue",), why="eviction is what took it"),
    "stream-gone-restart-without-persistence": Row(
        ("redis-lost-its-data",), ("redis-may-lose-the-queue",), why="that it saves nothing is what took it"
    ),
    "stream-anew-without-groups": LOST_DATA,
    "one-writer-group-gone": Row(("redis-lost-its-data",), ("rewound-group",), why="the group is made anew at 0"),
    "database-damaged-stale-wal": Row(("database-damaged",)),
    "database-damaged-truncated": Row(("database-damaged",)),
    "database-beside-another-log": Row(("database-damaged",)),
    "database-emptied": Row(("database-gone",)),
    "database-deleted": Row(("database-gone",)),
    "dead-letters-are-a-list": MALFORMED,
    "queue-is-a-list": LOST_DATA,
    "one-node-of-a-cluster": Row(("server-down",), why="no server runs in it; the rest is not known, not wrong"),
    "custody-broken-disk-space-green": MALFORMED,
    "no-blueplane-empty-home": NONE,
    "no-blueplane-no-redis": Row(
        ("database-gone", "redis-unreachable", "server-down"),
        why="without a Redis nothing tells whether there ever was a pipeline: each part of it is away",
    ),
    "no-blueplane-no-home": NONE,
    "redis-down": Row(("redis-unreachable",)),
    "earlier-row-of-private-text": MALFORMED,
    # B: Redis refuses, or may lose
    "refuses-oom-noeviction": FULL,
    "refuses-oom-with-backlog": FULL,
    "refuses-oom-after-losses": Row(
        ("malformed-payloads", "redis-refuses-writes"),
        ("redis-may-lose-the-queue",),
        why="the memory that is full is what refuses",
    ),
    "refuses-oom-least-privilege": FULL,
    "refuses-the-server-a-command": Row(("redis-refuses-the-server",)),
    "reader-without-ping": MALFORMED,
    "reader-of-the-queue-alone": Row(why="they may have a dead letter that cannot be read: unknown, and no cause"),
    "refuses-oom-without-info": Row(why="without INFO nobody is told that it refuses: unknown, and no cause"),
    "refuses-misconf": Row(("redis-refuses-writes",), ("redis-may-lose-the-queue",), why="the failed save refuses"),
    "snapshots-fail-writes-taken": MAY_LOSE,
    "refuses-readonly-master-gone": REFUSES,
    "refuses-readonly-master-lives": REFUSES,
    "refuses-noreplicas": REFUSES,
    "refuses-client-pause": REFUSES,
    "refuses-busy-script": Row(("redis-unreachable",), ("redis-refuses-writes",), why="it serves nothing at all"),
    "refuses-loading": REFUSES,
    "memory-at-82-percent": MAY_LOSE,
    "may-evict-the-queue": MAY_LOSE,
    "reading-must-not-evict": MAY_LOSE,
    "connections-at-90-percent": Row(("redis-connections-used-up",)),
    "no-persistence": MAY_LOSE,
    "queue-expires": MAY_LOSE,
    "dead-letters-expire": Row(("redis-may-lose-the-queue", "dead-letters")),
    "append-only-not-in-the-file": MAY_LOSE,
    # C: counters, words, clocks
    "append-only-restart-after-trim": NONE,
    "append-only-restart-then-work": NONE,
    "groups-made-anew": REWOUND,
    "setid-0": REWOUND,
    "rewound-group-979": REWOUND,
    "rewound-group-server-stopped": Row(("rewound-group", "server-down")),
    "rewound-group-server-stopped-claude": Row(("rewound-group", "server-down")),
    "rewound-group-mixed": Row(("rewound-group",), ("writers-fall-behind",), why="four wait behind what is written"),
    "group-gone-and-written": Row(("redis-lost-its-data",), ("rewound-group",), why="the groups are made anew at 0"),
    "sent-again-and-waiting": REWOUND,
    "rewound-batch-delivered-again": Row(
        ("rewound-group",), ("acknowledgements-lost",), why="what it was given again stays unacknowledged"
    ),
    "rewound-batch-delivered-again-all": Row(
        ("acknowledgements-lost",), why="the group has been given all of it again: its place is right by now"
    ),
    "group-made-at-the-end": UNRECORDED,
    "holes-by-xdel": NONE,
    "holes-by-xdel-unread": Row(
        ("backlog-outgrew-stream",), why="the counters of a trimmed and of a deleted message are alike: only likely"
    ),
    "deleted-unread-and-read-on": Row(why=NOT_LEFT),
    "failover-lost-acknowledgements": Row(
        ("acknowledgements-lost", "second-server"),
        why="its builder starts a server on the replica beside the first one",
    ),
    "written-not-acknowledged-300": NOT_ACKNOWLEDGED,
    "written-not-acknowledged-2500": Row(
        ("acknowledgements-lost", "reader-behind"), why="its builder leaves the reader groups 2,500 messages behind"
    ),
    "written-not-acknowledged-and-stuck": Row(("acknowledgements-lost",), alone=STUCK_ALONE, why=NO_REASON),
    "rows-pruned": NONE,
    "rows-pruned-all": NONE,
    "rows-deleted-in-the-middle": Row(why="whether they were written is not known: unknown, and no cause"),
    "rows-deleted-in-the-middle-and-lost": UNRECORDED,
    "database-made-anew-and-pruned": Row(why="whether rows are missing is not known: unknown, and no cause"),
    "database-made-anew": Row(why="whether rows are missing is not known: unknown, and no cause"),
    "one-table-made-anew": Row(why="whether rows are missing is not known: unknown, and no cause"),
    "consumer-deleted": UNRECORDED,
    "consumer-deleted-beside-losses": Row(("malformed-payloads", "unrecorded-loss")),
    "letters-dropped": Row(
        ("dead-letters", "reader-behind"), why="its builder leaves the reader groups 2,500 messages behind"
    ),
    "letters-dropped-one": LETTERS,
    "letters-dropped-and-lost": Row(("dead-letters", "unrecorded-loss")),
    "letters-deleted": UNRECORDED,
    "letters-of-each-shape": LETTERS,
    "newest-letter-deleted": LETTERS,
    "letters-of-one-message": LETTERS,
    "one-letter-of-one-message": LETTERS,
    "lost-for-different-reasons": MALFORMED,
    "ids-two-hours-ahead": Row(
        ("writers-fall-behind",), why="4,001 wait; IDs ahead of the clock are no fault of their own"
    ),
    "ids-ninety-seconds-ahead": NONE,
    "ids-a-day-ahead": NONE,
    "ids-ahead-all-written": NONE,
    "ids-ahead-untimed": Row(why="when they came is not known: unknown, and no cause"),
    "pid-file-of-a-container": NONE,
    "no-pid-file-answers": NONE,
    "server-dead": Row(("server-down",)),
    "stuck-beside-a-flow": Row(alone=(*STUCK_ALONE, "pending-messages"), why=NO_REASON),
    "stuck-beside-a-slow-flow": Row(alone=STUCK_ALONE, why=NO_REASON),
    "window-just-opened": NONE,
    "window-just-opened-slow": Row(alone=("capture-rate",), why="few events alone may be little work"),
    "rates-are-fractions": Row(("dead-letters", "malformed-payloads")),
    # D: remedies
    "stuck-behind-a-duplicate": POISON,
    "stuck-behind-a-written-copy": POISON,
    "stuck-behind-a-large-integer": POISON,
    "retry-storm": Row(("retry-storm",)),
    "stuck-no-reason-found": Row(alone=STUCK_ALONE, why=NO_REASON),
    "database-locked-now": Row(("database-locked",)),
    "database-was-locked": Row(("database-locked",)),
    "database-was-full": Row(("disk-full",)),
    "database-was-read-only": Row(("database-not-writable",)),
    "database-files-read-only": Row(("database-not-writable",)),
    "orphans": Row(("orphans",)),
    "orphans-of-cursor": Row(("orphans",)),
    "hot-journal": Row(("database-interrupted",)),
    "log-of-a-dead-writer": NONE,
    "redis-on-a-socket": Row(alone=STUCK_ALONE, why=NO_REASON),
    "home-elsewhere": Row(("malformed-payloads", "server-down")),
    # E: on the real server
    "claude-writer-stands-still": Row(why="whether what was trimmed was Claude's to write is not known"),
    "claude-writer-stands-still-nothing-trimmed": Row(
        ("writers-fall-behind",), why="its consumer asked a moment ago: whether it stands or is slow is not known"
    ),
    "cursor-writer-stands-still": Row(why="whether what was trimmed was Cursor's to write is not known"),
    "burst-before-both-groups": STANDS_STILL,
    "trimmed-then-read-on": Row(why="this server has forgotten the loss, and nothing recorded it"),
    "trimmed-then-read-on-recorded": Row(("backlog-outgrew-stream",)),
    "trimmed-then-read-on-recorded-an-hour-ago": Row(("backlog-outgrew-stream",)),
    "server-killed-and-trimmed": Row(
        ("server-down",), ("backlog-outgrew-stream",), why="nobody read while it was dead"
    ),
    "pending-in-two-groups": Row(alone=(*STUCK_ALONE, "pending-messages"), why=NO_REASON),
    "pending-in-two-groups-20": Row(alone=STUCK_ALONE, why=NO_REASON),
    "written-before-the-crash": NOT_ACKNOWLEDGED,
    "crash-restart-quiet": Row(("orphans",)),
    "database-symlinked": NONE,
    "home-symlinked": NONE,
    "column-of-another-branch": MALFORMED,
    "settings-name-another-redis": NONE,
    "server-uses-another-redis": Row(("another-redis",)),
    "event-buffer-named-in-settings": Row(("buffer-undrained",)),
    "database-named-in-settings": NONE,
    "max-length-in-settings": STANDS_STILL,
    "groups-gone-server-runs": Row(("redis-lost-its-data",), ("rewound-group",), why="the groups are made anew at 0"),
    "two-live-servers": Row(("second-server",)),
    "two-live-servers-and-malformed": Row(("malformed-payloads", "second-server")),
    "servers-of-other-machines": Row(("second-server",), why="no server runs here, and two read: they run elsewhere"),
    "restarted-and-lost": UNRECORDED,
    "groups-moved-past-unread": Row(("rows-of-one-time-missing",)),
    "older-copy-of-the-database": Row(("rows-of-one-time-missing",)),
    "read-by-hand": UNRECORDED,
    "read-by-hand-under-a-writers-name": Row(("second-server",)),
    "second-server-ended-first-restarted": Row(("second-server",)),
    "third-writer-group": Row(("unknown-group",)),
    "reader-groups-behind": Row(("reader-behind",)),
    "reader-groups-behind-some": NONE,
    "error-lines-doubled": Row(alone=("server-errors",), why="nothing but lines of an unknown kind in the log"),
    "error-lines-in-a-burst": Row(alone=("server-errors",), why="nothing but lines of an unknown kind in the log"),
    "error-lines-of-a-normal-start": NONE,
    "backlog-grows-toward-the-limit": STANDS_STILL,
    "recovered-after-an-outage": NONE,
    "source-not-known": Row(alone=("capture-rate",), why="few events alone may be little work"),
    "tables-of-another-branch": NONE,
    # F: one message
    "trace-a-dead-letter": LETTERS,
    "trace-what-is-held-up": POISON,
    "trace-written-and-row-gone": Row(why="its row was deleted: whether it was written is not known, and no cause"),
    "lost-without-an-id": UNRECORDED,
    "events-in-the-buffer": Row(("buffer-undrained",)),
    # N: in order
    "healthy": NONE,
    "busy-trimmed": NONE,
    "idle-for-hours": NONE,
    "just-restarted-append-only": NONE,
    "server-just-restarted": NONE,
    "just-upgraded": NONE,
    "just-installed": NONE,
    "just-installed-first-message": NONE,
    "messages-in-flight": NONE,
    "database-held-open-by-a-reader": NONE,
}

REMEMBERS = "redis-7.0"
"""A server that goes on counting what was trimmed unread long ago; the newer ones forget it at the next read."""
BY_SITUATION_WHERE_IT_REMEMBERS = {
    "trimmed-then-read-on": Row(("backlog-outgrew-stream",), why="this server still counts the loss"),
}
BY_FAULT = {
    "poison-duplicate": POISON,
    "malformed-payloads": MALFORMED,
    "trimmed-unread": Row(("server-down",), ("backlog-outgrew-stream",), why="nobody read while it was dead"),
    "orphaned-messages": Row(("orphans",)),
    "locked-database": Row(("database-locked",)),
    "retry-storm": Row(("retry-storm",)),
    "dead-letter-growth": LETTERS,
    "dead-server": Row(("server-down",)),
    "silent-hooks": Row(("capture-not-wired",)),
    "idle-evening": NONE,
}
_TRIMMED = "the 30,000 messages that came after them pushed the others out of the stream"
_READ_ON = "the evening's work reads all that waited, and this server forgets the loss at the next read"
BY_PAIR = {
    ("poison-duplicate", "trimmed-unread"): Row(("server-down",), ("backlog-outgrew-stream",), why=_TRIMMED),
    ("malformed-payloads", "trimmed-unread"): Row(("server-down",), ("backlog-outgrew-stream",), why=_TRIMMED),
    ("trimmed-unread", "orphaned-messages"): Row(
        ("server-down",), ("backlog-outgrew-stream",), why="the consumer that held them is the dead server's own"
    ),
    ("trimmed-unread", "locked-database"): Row(("server-down",), ("backlog-outgrew-stream",), why=_TRIMMED),
    ("trimmed-unread", "dead-server"): BY_FAULT["trimmed-unread"],
    ("trimmed-unread", "silent-hooks"): Row(("server-down",), ("capture-not-wired",), why=_READ_ON),
    ("trimmed-unread", "idle-evening"): Row(("server-down",), why=_READ_ON),
    ("orphaned-messages", "dead-server"): Row(
        ("server-down",), why="the consumer that held them is the dead server's own: they wait for its start"
    ),
    ("dead-server", "silent-hooks"): Row(
        ("server-down",), ("capture-not-wired",), why="without a server nothing can be captured"
    ),
    ("silent-hooks", "idle-evening"): Row(why="the evening closes the window: nobody works any more"),
}
"""Pairs of which one hides the other, or follows from it. All others have the causes of both."""


def of_situation(name: str, server: str = "") -> Row:
    """The row of a situation of the registry. Raises KeyError where neither it nor its builder has one."""
    if server == REMEMBERS and name in BY_SITUATION_WHERE_IT_REMEMBERS:
        return BY_SITUATION_WHERE_IT_REMEMBERS[name]
    if name in BY_SITUATION:
        return BY_SITUATION[name]
    return BY_SITUATION[MAIN_INSTANCES[SITUATIONS[name].build]]


def of_faults(*faults: str) -> Row:
    """The row of one or two faults of the demo."""
    if len(faults) == 2 and faults in BY_PAIR:
        return BY_PAIR[faults[0], faults[1]]
    causes: list[str] = []
    follows: list[str] = []
    for fault in faults:
        causes += BY_FAULT[fault].causes
        follows += BY_FAULT[fault].follows
    whys = [BY_FAULT[fault].why for fault in faults]
    return Row(tuple(sorted(set(causes))), tuple(sorted(set(follows))), why="; ".join(filter(None, whys)))


def pairs_of_faults() -> list[tuple[str, str]]:
    """Every two faults of the demo, in their order."""
    names = list(FAULTS)
    pairs = []
    for index, first in enumerate(names):
        pairs += [(first, second) for second in names[index + 1 :]]
    return pairs

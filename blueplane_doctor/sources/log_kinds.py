"""What kinds of errors there are in the server's log, each under a name of our own, which quotes nothing."""

import re

OTHER = "another error"
REFUSED_LOGIN = "Redis refuses the login"
NO_PERMISSION = "Redis permission is missing (NOPERM)"
# redis-py takes the code from most of Redis' errors, so that OOM or NOPERM stands in no line of the log.
KINDS: tuple[tuple[str, bytes], ...] = (
    ("database is locked", rb"database (?:table |schema )?is locked"),
    ("UNIQUE constraint failed", rb"UNIQUE constraint failed"),
    ("another constraint failed", rb"constraint failed"),
    ("database is read-only", rb"readonly database"),
    ("disk is full", rb"disk is full|No space left on device|Disk quota exceeded"),
    ("file system is read-only", rb"Read-only file system"),
    ("database is damaged", rb"disk image is malformed|file is not a database"),
    ("no such table or column", rb"no such (?:table|column)"),
    ("unable to open the database", rb"unable to open database"),
    ("disk I/O error", rb"disk I/O error|Input/output error"),
    ("value that SQLite refuses", rb"too large to convert to SQLite|surrogates not allowed|Error binding parameter"),
    ("NOGROUP", rb"\bNOGROUP\b"),
    ("stream key is gone", rb"stream key no longer exists"),
    ("Redis memory is full (OOM)", rb"command not allowed when used memory"),
    ("Redis is a read-only replica (READONLY)", rb"You can't write against a read only"),
    ("Redis cannot save (MISCONF)", rb"\bMISCONF\b"),
    ("Redis has too few replicas (NOREPLICAS)", rb"\bNOREPLICAS\b"),
    ("Redis is loading", rb"\bLOADING\b|is loading the dataset"),
    ("Redis is busy with a script", rb"\bBUSY Redis"),
    ("Redis replica without its master (MASTERDOWN)", rb"\bMASTERDOWN\b|Link with MASTER is down"),
    (REFUSED_LOGIN, rb"\b(?:NOAUTH|WRONGPASS)\b|[Aa]uthentication required|invalid (?:username-)?password|HELLO must"),
    (NO_PERMISSION, rb"\bNOPERM\b|has no permissions to|No permissions to access"),
    ("Redis key of another type (WRONGTYPE)", rb"\bWRONGTYPE\b"),
    ("Redis Cluster names another node", rb"\b(?:MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b|cluster is down|same slot"),
    ("connection refused", rb"[Cc]onnection refused"),
    ("connection lost", rb"Connection (?:reset|closed|lost|aborted)|Broken pipe|Error while reading from"),
    ("timeout", rb"[Tt]imed out|Timeout"),
    ("host is not found", rb"Name or service not known|nodename nor servname|name resolution"),
    ("address already in use", rb"[Aa]ddress already in use"),
    ("permission denied", rb"[Pp]ermission denied|Operation not permitted"),
    ("too many open files", rb"Too many open files"),
    ("out of memory", rb"MemoryError|Cannot allocate memory"),
    ("payload is not UTF-8", rb"codec can't decode byte"),
    ("invalid JSON", rb"JSONDecodeError|Expecting value|Extra data:"),
)
"""What an error is called, and what a line of that kind holds. The first that fits counts; all else is OTHER."""


def kind_of(text: bytes) -> str:
    """What kind of error a line tells of."""
    for kind, pattern in KINDS:
        # Compiled by the first error that is looked at, and kept by `re`: most logs hold none.
        if re.search(pattern, text):
            return kind
    return OTHER

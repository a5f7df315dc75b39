"""What may be shown of an error's text: the phrases of libraries, with names that the pipeline's contract knows.

The text of any error may quote what was written, a host or a password. So it is never repeated: a phrase that is found
in it is written anew from the tables here.
"""

from blueplane_doctor.privacy.known_names import COLUMNS, REDIS_CODES, TABLES
from blueplane_doctor.privacy.public_text import error_class
from blueplane_doctor.text.characters import Public
from blueplane_doctor.text.patterns import pattern

NOT_SHOWN = Public("an error whose text is not shown")
MOST_CHARACTERS = 4_000
"""Of a text that are looked at: no library's own phrase is longer, and a quotation may have megabytes."""
_MOST_NAMES = 6
_PHRASES = (
    # SQLite
    *("database is locked", "database table is locked", "database schema is locked"),
    *("database disk image is malformed", "malformed database schema", "file is not a database"),
    *("disk I/O error", "database or disk is full", "attempt to write a readonly database"),
    *("unable to open database file", "unable to open database", "datatype mismatch", "string or blob too big"),
    *("Python int too large to convert to SQLite INTEGER", "too many SQL variables", "interrupted"),
    # Python's json
    *("Expecting value", "Expecting property name", "Expecting ',' delimiter", "Expecting ':' delimiter"),
    *("Extra data", "Unterminated string", "Invalid control character", "Invalid \\escape"),
    *("surrogates not allowed", "maximum recursion depth exceeded", "codec can't decode byte"),
    # Redis
    *("command not allowed when used memory > 'maxmemory'", "You can't write against a read only replica"),
    *("invalid username-password pair or user is disabled", "invalid password", "Authentication required"),
    *("called without any password configured", "max number of clients reached", "Redis is loading the dataset"),
    *("unknown command", "unknown subcommand", "wrong number of arguments", "syntax error"),
    *("invalid DB index", "DB index is out of range", "SELECT is not allowed in cluster mode"),
    *("Invalid stream ID", "Unknown Redis Cluster", "This instance has cluster support disabled"),
    *("Operation against a key holding the wrong kind of value", "Consumer Group name already exists"),
    *("no such key", "No such key", "no longer exists", "Not enough good replicas to write"),
    *("Redis is configured to save RDB snapshots, but it is unable to",),
    *("Transaction discarded because of previous errors", "errors trying to SAVE", "Client sent AUTH"),
    *("protected mode", "Max retries exceeded", "max retries exceeded", "maximum retries exceeded"),
    *("the sentinel knows no master of that name", "no node of this cluster holds any slot"),
    # The operating system and TLS
    *("Connection refused", "Connection reset by peer", "Connection closed by server", "Broken pipe"),
    *("the connection was closed", "Connection aborted", "No route to host", "Network is unreachable"),
    *("Host is down", "Name or service not known", "nodename nor servname provided", "No address associated"),
    *("Temporary failure in name resolution", "no name server gave its address", "Operation timed out"),
    *("Connection timed out", "timed out", "No such file or directory", "Permission denied", "Operation not permitted"),
    *("Is a directory", "Not a directory", "File name too long", "Too many levels of symbolic links"),
    *("Too many open files", "No space left on device", "Disk quota exceeded", "Read-only file system"),
    *("Input/output error", "Cannot allocate memory", "Address already in use", "Bad file descriptor"),
    *("Cannot assign requested address", "Invalid argument", "Resource temporarily unavailable", "Text file busy"),
    *("Device or resource busy", "Exec format error", "Protocol error", "Transport endpoint is not connected"),
    *("certificate verify failed", "certificate has expired", "self-signed certificate", "wrong version number"),
    *("Hostname mismatch", "unable to get local issuer certificate", "handshake failure", "tlsv1 alert"),
    *("AUTH failed", "embedded null byte", "not a regular file", "something else answers"),
    # What the doctor itself says of a connection
    *("the reply is not complete in time", "a line without end came"),
)
"""The first that is found stands for the text, so that longer ones come before what they hold."""
_CONSTRAINT = pattern(r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY|PRIMARY KEY) constraint failed(?:: ([\w., ]{1,400}))?")
_MISSING = pattern(r"(no such table|no such column|has no column named|duplicate column name):? ([\w.]{1,120})")
_NO_ATTRIBUTE = pattern(r"'(\w{1,20})' object has no attribute '(\w{1,30})'")
_BUILT_IN = (str, bytes, int, float, bool, dict, list, tuple, set, type(None))


def phrase_of(text: str) -> Public | None:
    """The phrase that tells what kind of error this is; None where there is none that is known."""
    text = text[:MOST_CHARACTERS]
    for find in (_constraint, _missing_name, _no_attribute, _literal):
        phrase = find(text)
        if phrase:
            return Public(phrase)
    return None


def error_text(error: BaseException) -> Public:
    """What may be shown of an error: its phrase, else the name of its class where that is known."""
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    else:
        text = str(error)
    return phrase_of(text) or Public(f"{error_class(type(error).__name__)}, whose text is not shown")


def redis_text(text: str) -> Public:
    """What may be shown of an error that Redis answered: its code, and its phrase."""
    code = redis_code(text)
    phrase = phrase_of(text)
    if code and phrase:
        return Public(f"{code} {phrase}")
    if code:
        return Public(f"{code}, with a text that is not shown")
    return phrase or NOT_SHOWN


def redis_code(text: str) -> Public:
    """The error's first word where Redis has such a code, else empty."""
    code = text[:MOST_CHARACTERS].partition(" ")[0]
    if code in REDIS_CODES:
        return Public(code)
    return Public("")


def _constraint(text: str) -> str:
    match = _CONSTRAINT.search(text)
    if not match:
        return ""
    names = []
    for name in (match[2] or "").split(", ")[:_MOST_NAMES]:
        # Behind the names may follow whatever the error was wrapped in.
        first = name.partition(" ")[0]
        if not _is_column(first):
            break
        names.append(first)
        if first != name:
            break
    phrase = f"{match[1]} constraint failed"
    if names:
        phrase += f": {', '.join(names)}"
    return phrase


def _is_column(name: str) -> bool:
    table, _, column = name.partition(".")
    return table in TABLES and column in COLUMNS


def _missing_name(text: str) -> str:
    match = _MISSING.search(text)
    if not match:
        return ""
    name = match[2]
    if name in TABLES or name in COLUMNS or _is_column(name):
        return f"{match[1]}: {name}"
    return match[1]


def _no_attribute(text: str) -> str:
    match = _NO_ATTRIBUTE.search(text)
    if not match:
        return ""
    is_built_in = match[1] in {kind.__name__ for kind in _BUILT_IN}
    if is_built_in and any(hasattr(kind, match[2]) for kind in _BUILT_IN):
        return match[0]
    return "an object has no such attribute"


def _literal(text: str) -> str:
    for phrase in _PHRASES:
        if phrase in text:
            return phrase
    return ""

"""The states of a line of a transcript: what became of it, from the file to its row. No I/O."""

from blueplane_doctor.text.quantities import many

WRITTEN = "written"
"""Its row is there."""
IN_STREAM = "in_stream"
"""No row yet, and its message is in the queue stream: custody tells the rest."""
DEAD_LETTERED = "dead_lettered"
"""No row, and a dead letter holds it."""
TOO_YOUNG = "too_young"
"""The server looks every 30 s: it may not have had its turn."""
REPEATED = "repeated"
"""A resumed session repeats it: it is written under the session before, or stands earlier in the same session."""
NOT_CAPTURED = "not_captured"
"""By design the server does not read it: an agent's file that no tool's result names, or in a folder of a session."""
BEFORE_SETUP = "before_setup"
"""Its session ended before anything of Claude was captured here."""
ROWS_DELETED = "rows_deleted"
"""It has no row, and the database's rows of its time were deleted: it may have been written."""
MISSING = "missing"
"""It should be in the pipeline, and is nowhere."""
UNEXAMINED = "unexamined"
"""It has no row, and the rest could not be looked up."""
LINE_STATES = (
    *(WRITTEN, REPEATED, IN_STREAM, DEAD_LETTERED, TOO_YOUNG),
    *(NOT_CAPTURED, BEFORE_SETUP, ROWS_DELETED, MISSING, UNEXAMINED),
)
"""Every line with a uuid is in exactly one; in the order of the equation."""
YOUNG_MS = 60_000
"""The server's poll of 30 s, and the time that the stream and the writer need."""

FOLDER_NOT_FOUND = "folder_not_found"
"""The server's rule does not find the project's folder."""
NOT_STARTED = "not_started"
"""The server knows no start of the session, so that it never reads its file."""
ENDED = "ended"
"""The session had ended, or timed out, before the server looked again."""
STOPPED = "stopped"
"""Its transcript holds a line at which the server stops reading, at each look anew."""
OTHER_REASON = "other"
REASONS = (FOLDER_NOT_FOUND, NOT_STARTED, ENDED, STOPPED, OTHER_REASON)
"""Why a line is missing; of several the first counts."""


def equation(lines: int, states: dict[str, int]) -> str:
    """`5,004 lines = 4,812 written + 192 missing`."""
    terms = []
    for state in LINE_STATES:
        if states.get(state):
            terms.append(f"{states[state]:,} {state.replace('_', ' ')}")
    return f"{many(lines, 'line', 'lines')} = {' + '.join(terms) or '0'}"

"""Cursor's own databases: was everything captured that changed in them?"""

from typing import TYPE_CHECKING

from blueplane_doctor import Finding, Remedy, Scale, check, unknown
from blueplane_doctor.checkapi import many, not_graded, not_set_up

if TYPE_CHECKING:
    from blueplane_doctor.locations import Locations
    from blueplane_doctor.monitoring.cursor_completeness import CursorCompleteness, WorkspaceItems

_INSTALL = Remedy(text="If Cursor is to be captured, install Blueplane's extension in it and open a window anew.")


# The same steps as chain-breaks: what never reached the stream is lost all the same.
@check(area="capture", scale=Scale.rising(orange=1, red=10, unit="things"))
def check_cursor_completeness(cursor: "CursorCompleteness", locations: "Locations", scale: Scale) -> Finding:
    """Composers and bubbles that changed in Cursor's databases, and of which nothing was captured.

    Looked at is what changed in the last 24 h (see --since) in the databases `state.vscdb` of the workspaces and in the
    global one. It is compared with the rows of Cursor's traces, and with what is on its way to them. Told, not graded,
    is what the server never sends: generations, prompts, and on other systems than macOS the whole global database.
    Things whose last change alone is missing are those of cursor-last-changes.

    Causes:
    - the extension did not tell the server of the window (see capture-wiring)
    - the server does not run, or watches the database of another workspace
    - one composer of a form that the server does not read keeps all of its workspace from being captured
    """
    if not cursor.is_there:
        return not_graded(None, "Cursor has no database here: nothing to compare")
    if not cursor.is_set_up:
        cause = "Cursor is used here, and there is no row and no session of it and no extension"
        return not_set_up("Cursor is not captured", cause, remedy=_INSTALL)
    evidence: dict[str, int | str | None] = {**cursor.by_outcome}
    for kind, count in cursor.never_captured.items():
        evidence[f"never captured: {kind}s"] = count
    evidence["databases"] = cursor.databases
    evidence["databases that could not be read"] = cursor.unread
    evidence["first missing"] = cursor.first_missing
    if cursor.missing_items is None:
        return unknown("Whether Cursor's changes were captured is not known", cursor.cause, evidence=evidence)
    if not cursor.missing_items and cursor.unread:
        summary = f"{many(cursor.unread, 'database', 'databases')} of Cursor could not be read"
        return unknown(summary, cursor.cause, evidence=evidence)
    if not cursor.missing_items and cursor.partial:
        summary = "More changed in Cursor's databases than is read in one run; all that was read is captured"
        return unknown(summary, "the reading is bounded in bytes and in time", evidence=evidence)
    return scale.grade(cursor.missing_items, _summary(cursor), remedy=_remedy(cursor, locations), evidence=evidence)


# One colour: an earlier state was captured, and what came last is still in Cursor's database.
@check(area="capture", scale=Scale.rising(yellow=1, unit="things"))
def check_cursor_last_changes(cursor: "CursorCompleteness", locations: "Locations", scale: Scale) -> Finding:
    """Composers and bubbles of Cursor of which an earlier state was captured, and not the last change.

    The server looks at a database once a minute, and at a workspace's only while its window is open.

    Causes:
    - the window was closed, or the server ended, within some 70 s of the last change
    - the server does not see the change: Cursor's write-ahead log holds it, and the watched file itself does not change
    """
    if not cursor.is_set_up:
        return not_graded(None, "Nothing of Cursor is captured here: nothing to compare")
    outdated = cursor.by_outcome.get("outdated", 0)
    if cursor.missing_items is None or (not outdated and cursor.unread):
        return unknown("Whether the last changes of Cursor were captured is not known", cursor.cause)
    summary = "Of all that was captured of Cursor the last change was captured too"
    if outdated:
        things = many(outdated, "thing", "things")
        summary = f"Of {things} in Cursor an earlier state is written, and not the last change"
    return scale.grade(
        outdated,
        summary,
        remedy=Remedy(
            text="Open the window of the workspace again: the server then reads its database anew. Nothing is lost "
            "while Cursor keeps it.",
            commands=[f"{locations.doctor} --select cursor-completeness -v"],
        ),
        evidence={"outdated": outdated, "written": cursor.by_outcome.get("written", 0)},
    )


def _summary(cursor: "CursorCompleteness") -> str:
    never = cursor.by_outcome.get("never_captured", 0)
    expected = cursor.changed - never
    window = f"of the last {cursor.since}"
    if not expected:
        summary = f"Nothing {window} in Cursor's databases has to be captured"
    else:
        written = cursor.by_outcome.get("written", 0)
        summary = f"Cursor: {written:,} of {many(expected, 'change', 'changes')} {window} are written"
    if cursor.missing_items:
        summary += f"; {many(cursor.missing_items, 'is', 'are')} missing{_where(cursor)}"
    outdated = cursor.by_outcome.get("outdated", 0)
    if outdated:
        summary += f"; of {outdated:,} only an earlier state is written"
    if never:
        summary += f"; {never:,} more are of kinds that the server never sends"
    return summary


def _where(cursor: "CursorCompleteness") -> str:
    """Of which workspace, where it is one alone."""
    places = _with_missing(cursor)
    if len(places) != 1:
        return ""
    if places[0].workspace:
        return f", all of workspace {places[0].workspace}"
    return ", all of the global database"


def _with_missing(cursor: "CursorCompleteness") -> "list[WorkspaceItems]":
    return [place for place in cursor.workspaces if place.missing]


def _remedy(cursor: "CursorCompleteness", locations: "Locations") -> Remedy:
    places = _with_missing(cursor)
    text = "See what the Cursor monitor said in the server's log."
    if places and all(place.announced is False for place in places):
        text = (
            "The extension did not tell the server of these windows: see that it is installed and switched on in "
            "Cursor, and that the server runs before a window is opened."
        )
    elif places and not any(place.watched for place in places):
        text = "The server took another database for these workspaces: its log says which one it found for which."
    return Remedy(
        text=f"{text} What is missing is still in Cursor's database.",
        commands=[f"{locations.doctor} --select capture,server-alive", f"tail -n 50 {locations.log}"],
    )

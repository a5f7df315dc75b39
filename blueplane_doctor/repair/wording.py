"""A plan, and what became of it, in words."""

from collections import Counter
from collections.abc import Iterable
from enum import Enum
from typing import Any, NamedTuple

from blueplane_doctor.privacy.public_text import group as shown_group
from blueplane_doctor.privacy.public_text import identifier
from blueplane_doctor.privacy.public_text import stream as shown_stream
from blueplane_doctor.repair.applying import RIGHTS
from blueplane_doctor.repair.plan import Action, Item, Plan, Source
from blueplane_doctor.repair.store import FOLDER, MESSAGES_FILE
from blueplane_doctor.repair.undoing import Undone
from blueplane_doctor.text.quantities import many
from blueplane_doctor.text.times import readable

_COLUMN = 12


class KeptPlan(NamedTuple):
    """A plan that is kept, and what became of it."""

    plan: Plan
    result: dict[str, Any] | None
    """What was written down at the end of its last run; None where none came to its end."""
    is_begun: bool = False
    """Whether a run has done something."""
    taken_events: int = 0
    """Events that it took out of the hook's spool and that are not seen written."""


_VERBS = {
    Action.MAKE_GROUP: "make",
    Action.MOVE_GROUP: "move on",
    Action.DELIVER: "deliver",
    Action.RELEASE: "release",
    Action.SET_ASIDE: "set aside",
    Action.ACKNOWLEDGE: "acknowledge",
    Action.REMOVE: "remove",
    Action.KEEP: "keep",
}
"""In the order in which a plan shows them."""
_WHAT = {
    Action.DELIVER: ("again, through the stream", "again, through the stream"),
    Action.RELEASE: (
        "that its writer tries again by itself, and writes once the rest is set aside",
        "that their writer tries again by itself, and writes once the rest is set aside",
    ),
    Action.SET_ASIDE: ("that cannot be written, and stays in the file", "that cannot be written, and stay in the file"),
    Action.ACKNOWLEDGE: ("that needs nothing else", "that need nothing else"),
    Action.REMOVE: ("once the row is seen", "once their rows are seen"),
    Action.KEEP: ("that is saved only", "that are saved only"),
}
"""For one message and for more."""
_GONE = ("of which only the ID is left", "of which only the IDs are left")
_NEVER_SENT = ("buffer", "spool", "transcripts")
"""Targets whose messages were never in the stream, or are there no more."""


class Stage(Enum):
    """How far a plan has come."""

    NEW = "nothing is changed yet"
    SAVED = "its messages are saved"
    BEGUN = "a run has done something, and none came to its end"
    ENDED = "a run came to its end"


def stage_of(kept: KeptPlan) -> Stage:
    """How far a plan that is kept has come."""
    if kept.result is not None and kept.result.get("done") and not kept.result.get("interrupted"):
        return Stage.ENDED
    if kept.is_begun:
        return Stage.BEGUN
    return Stage.NEW


def plan_in_words(plan: Plan, home: str, stage: Stage = Stage.NEW, *, is_of_all: bool = False) -> str:
    """What a plan will do, or has done, line by line. `home`: as it may be shown.

    `is_of_all`: whether nothing narrows it.
    """
    if not plan.items and not plan.refusals:
        if is_of_all:
            return "Nothing to repair: no message is stuck, orphaned or lost that a repair could deliver.\n"
        return "Nothing to repair of what was asked for. All that can be repaired: blueplane-doctor repair\n"
    lines = [_heading(plan, stage)]
    saved = len(plan.saved)
    if saved:
        place = f"{home}/{FOLDER}/{plan.id}/{MESSAGES_FILE}"
        lines.append(_line("save", f"{many(saved, 'message', 'messages')} to {place} (yours alone)"))
    for action in _VERBS:
        lines += _action_lines(action, plan.of(action))
    for refusal in plan.refusals:
        lines.append(_line("refused", f"{refusal.what}: {refusal.reason}"))
    running = "The writers run." if plan.writers_run else "Not every writer runs."
    lines.append(f"Room: {plan.room.left:,} of {plan.room.limit:,}. {running}")
    if plan.changes:
        lines += _next_steps(plan, stage)
    elif saved and stage is not Stage.SAVED:
        lines.append("None of it can be delivered. Save it: blueplane-doctor repair --save-only")
    return "\n".join(lines) + "\n"


def _heading(plan: Plan, stage: Stage) -> str:
    at = plan.made_at[11:19]
    name = f"Plan {plan.id} of {at} UTC, for the Redis at {plan.address}."
    if not plan.items:
        return f"Nothing can be repaired now in the Redis at {plan.address}:"
    if stage is Stage.SAVED:
        return f"Plan {plan.id} of {at} UTC: its messages are saved, and nothing is changed."
    if stage is Stage.BEGUN:
        return f"{name} It was begun and is not ended; the last line says how far it came."
    if stage is Stage.ENDED:
        return f"{name} It was applied; the last line says how."
    return f"{name} Nothing is changed yet."


def _next_steps(plan: Plan, stage: Stage) -> list[str]:
    apply = f"blueplane-doctor repair --apply {plan.id}"
    undo = ""
    if plan.may_be_taken_back:
        undo = f"Take it back: blueplane-doctor repair --undo {plan.id}"
    if stage is Stage.ENDED:
        return [undo] if undo else []
    if stage is Stage.BEGUN:
        return [f"Go on: {apply}    {undo}".rstrip()]
    return [f"Do it: {apply}    {undo}".rstrip(), f"It needs a user that may write: ACL SETUSER <user> {RIGHTS}"]


def _action_lines(action: Action, items: list[Item]) -> list[str]:
    """One line for all items of a target that have the same reason."""
    by_reason: Counter[tuple[str, str, Source]] = Counter()
    for item in items:
        by_reason[item.target, item.reason, item.source] += 1
    lines = []
    for (target, reason, source), count in by_reason.items():
        one, more = _GONE if source is Source.GONE else _WHAT.get(action, ("", ""))
        what = one if count == 1 else more
        if action is Action.DELIVER and target in _NEVER_SENT:
            what = "for the first time"
        text = f"{many(count, 'message', 'messages')} ({target}) {what}".rstrip()
        if action in (Action.MAKE_GROUP, Action.MOVE_GROUP):
            text = reason
        elif reason:
            text += f": {reason}"
        lines.append(_line(_VERBS[action], text))
    return lines


def _line(verb: str, text: str) -> str:
    return f"  {verb:<{_COLUMN - 1}} {text}"


def _reason_lines(verb: str, counts: Counter[str]) -> list[str]:
    """A line for each reason, with how many items it concerns."""
    lines = []
    for reason, count in counts.items():
        lines.append(_line(verb, f"{count:,}: {reason}"))
    return lines


def counts_in_words(counts: Counter[str], refused: Counter[str], unseen: int) -> list[str]:
    """What was done, line by line."""
    lines = []
    for done, count in counts.items():
        lines.append(_line(done, f"{count:,}"))
    lines += _reason_lines("left alone", refused)
    if unseen:
        lines.append(_line("not seen", f"{many(unseen, 'row', 'rows')} yet; look again with: blueplane-doctor"))
    return lines


def id_lines(items: Iterable[Item]) -> list[str]:
    """Each item of a plan on a line of its own."""
    lines = []
    for item in items:
        text = f"{_shown_name(item)} ({item.target}) {item.reason}"
        lines.append(_line(_VERBS[item.action], text.rstrip()))
    return lines


def _shown_name(item: Item) -> str:
    """What names an item, as it may be shown: the file of the plan holds it as it is."""
    name = identifier(item.id)
    if item.stream:
        return f"{shown_stream(item.stream)}/{name}"
    return name


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """A plan for programs; without keys of rows and names of consumers, which may be anything, and without paths."""
    items = []
    for item in plan.items:
        items.append(
            {
                "id": _shown_name(item),
                "target": item.target,
                "action": item.action.value,
                "source": item.source.value,
                "group": shown_group(item.group),
                "reason": item.reason,
            }
        )
    refusals = []
    for refusal in plan.refusals:
        refusals.append(refusal.model_dump())
    return {
        "id": plan.id,
        "made_at": plan.made_at,
        "redis": plan.address,
        "items": items,
        "refusals": refusals,
        "room": plan.room.model_dump(),
        "writers_run": plan.writers_run,
        "before": plan.before.model_dump(),
    }


def undone_in_words(plan: Plan, undone: Undone) -> str:
    """What was taken back, and what stays as it is."""
    lines = [f"Plan {plan.id}: {many(undone.taken_back, 'step was', 'steps were')} taken back."]
    lines += _reason_lines("stays", undone.stays)
    return "\n".join(lines) + "\n"


def kept_plans(plans: Iterable[KeptPlan]) -> str:
    """A line for each plan that is kept: when it was made, what it holds, and what became of it."""
    lines = []
    for kept in plans:
        items = many(len(kept.plan.items), "item", "items")
        lines.append(f"{kept.plan.id}  {readable(kept.plan.made_at)}  {items:<12} {_end(kept)}")
    return "\n".join(lines or ["No plans are kept."]) + "\n"


def _end(kept: KeptPlan) -> str:
    done = _done(kept)
    if kept.taken_events:
        # The spool no longer holds them, and nothing else would say where they are.
        events = many(kept.taken_events, "event", "events")
        done.append(f"{events} of the hook's spool kept here until delivered: blueplane-doctor repair spool")
    return ", ".join(done) or "saved only"


def _done(kept: KeptPlan) -> list[str]:
    result = kept.result
    if result is None and kept.is_begun:
        return ["begun, and not ended"]
    if result is None:
        return ["not applied"]
    done = []
    for word, count in dict(result.get("done") or {}).items():
        done.append(f"{count:,} {word}")
    if result.get("interrupted"):
        done.append("interrupted")
    unseen = result.get("rows_not_seen")
    if unseen:
        done.append(f"{many(unseen, 'row', 'rows')} not seen")
    taken_back = result.get("taken_back")
    if taken_back:
        done.append(f"{taken_back:,} of them taken back")
    return done

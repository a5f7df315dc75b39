"""Make a plan that heals what the doctor found. Only --apply changes anything.

Without an option it makes a plan and shows it. WORDS narrow the plan: names of targets (stuck, lost, …) or IDs of
messages. A plan's own ID shows that plan.
"""

import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from blueplane_doctor.command_line.invocation import Invocation
from blueplane_doctor.commands.base import (
    Yes,
    command,
    new_command,
)
from blueplane_doctor.commands.letter_options import choosing_letters
from blueplane_doctor.errors import ExitCode, FileUnreadable, RepairRefused, UsageError
from blueplane_doctor.locations import locate
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.plan import Plan
from blueplane_doctor.repair.planning import make_plan, refuse_unknown_target
from blueplane_doctor.repair.running import run_plan, save_alone
from blueplane_doctor.repair.spool_taking import events_in
from blueplane_doctor.repair.store import RepairFiles, Store, explained_refusals
from blueplane_doctor.repair.undoing import undo as take_back
from blueplane_doctor.repair.wording import (
    KeptPlan,
    Stage,
    id_lines,
    kept_plans,
    plan_as_json,
    plan_in_words,
    stage_of,
    undone_in_words,
)
from blueplane_doctor.settings.options import EXAMINING
from blueplane_doctor.settings.values import Settings
from blueplane_doctor.text.console import complain, confirmed, progress, say, show, show_json

_ID = re.compile(r"(?=.*\d)[0-9a-z]+(?:-[0-9a-z]+)+\Z", re.IGNORECASE)
"""A stream ID, or an event's uuid; names of targets hold no digit."""
_MOST_A_SECOND = 1_000_000
_LEAST_A_SECOND = 0.1
"""Slower, the lock of a repair would end between two messages."""
_COMMAND = re.compile(r"(?<=: )blueplane-doctor(?= repair|$)", re.MULTILINE)
"""In a text that tells people what to run next."""
_NOBODY = "read the plan, then add --yes"
COMMAND = new_command(__doc__)
COMMAND.info.no_args_is_help = False


@command(COMMAND, *EXAMINING, formats=("table", "json"))
@choosing_letters
def repair(
    given: Invocation,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help="Targets, IDs of messages, or a plan.")
    ] = None,
    apply: Annotated[str, typer.Option("--apply", help="Do what this plan says.", metavar="PLAN")] = "",
    undo: Annotated[str, typer.Option("--undo", help="Take back what can be taken back.", metavar="PLAN")] = "",
    list_plans: Annotated[bool, typer.Option("--list", help="Show the plans, and how each ended.")] = False,
    save_only: Annotated[bool, typer.Option("--save-only", help="Save the messages, and change nothing.")] = False,
    yes: Yes = False,
    rate: Annotated[str, typer.Option(help="At most so many messages a second: 50/s.", metavar="RATE")] = "",
    write_url: Annotated[
        str, typer.Option("--write-url", help="URL of the same Redis, with a user that may repair.", metavar="URL")
    ] = "",
    *,
    chosen: DeadLetterFilter,
) -> int:
    """Exit code 1 when something was wanted and is not done."""
    if os.name == "nt":
        raise UsageError("repair works on Linux and macOS, not on Windows", "files there have no modes")
    settings = given.load().settings
    store = Store(settings.home)
    url = write_url or settings.redis_url
    answer = _Answer(settings, as_json=given.format == "json")
    words = words or []
    if apply or undo or list_plans:
        _refuse_narrowed(apply, undo, list_plans, save_only=save_only, words=words, chosen=chosen)
    with explained_refusals(store):
        if apply:
            return _apply(answer, settings, store, apply, url, _rate(rate), yes=yes)
        if undo:
            return _undo(answer, settings, store, undo, url, yes=yes)
        if list_plans:
            answer.show(_listed(store), kept_plans(_kept(store)))
            return ExitCode.OK
        if len(words) == 1 and store.has(words[0]):
            plan = store.files(words[0]).plan()
            answer.show(plan_as_json(plan), _one_plan(store, plan, answer.home))
            return ExitCode.OK
        wanted = replace(_wanted(words, chosen), saves_only=save_only)
        with progress() as tell:
            plan = make_plan(settings, wanted, store.new_id(), tell)
        if plan.items:
            files = store.keep(plan)
            if save_only:
                save_alone(settings, plan, files)
        stage = Stage.SAVED if save_only else Stage.NEW
        is_of_all = not words and chosen == DeadLetterFilter()
        answer.show(plan_as_json(plan), plan_in_words(plan, answer.home, stage, is_of_all=is_of_all))
        return ExitCode.OK


def _refuse_narrowed(
    apply: str, undo: str, list_plans: bool, *, save_only: bool, words: Sequence[str], chosen: DeadLetterFilter
) -> None:
    """Raise UsageError for what would be passed over: a plan is applied or taken back as a whole."""
    for option, plan in (("--apply", apply), ("--undo", undo)):
        if plan.startswith("-"):
            raise UsageError(
                f"{option} needs the ID of a plan behind it, not {plan}",
                "list the plans: blueplane-doctor repair --list",
            )
    if sum(map(bool, (apply, undo, list_plans, save_only))) > 1:
        raise UsageError("give one of --apply, --undo, --list and --save-only", "they exclude each other")
    if words or chosen != DeadLetterFilter():
        raise UsageError(
            "words and filters narrow a new plan; one that is there is taken as a whole",
            "make another plan with them first: blueplane-doctor repair WORDS",
        )


class _Answer:
    """Shows what was planned or done: for programs, or for people in words."""

    def __init__(self, settings: Settings, *, as_json: bool) -> None:
        self._as_json = as_json
        located = locate(settings)
        self.home = located.locations.home
        self._doctor = located.locations.doctor
        if sys.stdout.isatty():  # a person may see what is named; elsewhere it is shown as in reports
            self.home = str(settings.home)
            for placeholder, value in located.true_values.items():
                self._doctor = self._doctor.replace(placeholder, shlex.quote(value))

    def show(self, value: Any, text: str) -> None:
        """Show a value to programs, or a text, whose commands get the options that find the same pipeline again."""
        if self._as_json:
            show_json(value)
        else:
            show(_COMMAND.sub(lambda _: self._doctor, text))


def _apply(
    answer: _Answer, settings: Settings, store: Store, identity: str, url: str, rate: float | None, *, yes: bool
) -> int:
    plan = store.files(identity).plan()
    if not yes and not _agreed(f"Apply plan {identity} to the Redis at {plan.address}?"):
        return ExitCode.OK
    with progress("items done") as tell:
        outcome = run_plan(settings, store, identity, url, rate=rate, progress=tell)
    answer.show(outcome.result, outcome.text)
    return outcome.exit_code


def _undo(answer: _Answer, settings: Settings, store: Store, identity: str, url: str, *, yes: bool) -> int:
    plan = store.files(identity).plan()
    if not yes and not _agreed(f"Take plan {identity} back from the Redis at {plan.address}?"):
        return ExitCode.OK
    undone = take_back(settings, store, plan, url)
    value = {"plan": plan.id, "taken_back": undone.taken_back, "stays": dict(undone.stays)}
    answer.show(value, undone_in_words(plan, undone))
    return ExitCode.FINDINGS if undone.stays else ExitCode.OK


def _agreed(question: str) -> bool:
    """A person's answer; a "no" is answered in turn. Raises UsageError where nobody can be asked."""
    agreed = confirmed(question, _NOBODY)
    if not agreed:
        say("Nothing was changed.")
    return agreed


def _kept(store: Store) -> Iterator[KeptPlan]:
    """The plans that are kept and can be read, each with how it ended."""
    for identity in store.ids():
        try:
            files = store.files(identity)
            yield _kept_plan(files, files.plan())
        # A plan that was not written to the end, by another version, or by somebody else.
        except (UsageError, RepairRefused, FileUnreadable) as error:
            complain(error.message, error.hint)


def _kept_plan(files: RepairFiles, plan: Plan) -> KeptPlan:
    return KeptPlan(plan, files.result(), files.is_begun, len(events_in(files.folder)))


def _listed(store: Store) -> list[dict[str, Any]]:
    plans = []
    for kept in _kept(store):
        plan = kept.plan
        plans.append(
            {
                "plan": plan.id,
                "made_at": plan.made_at,
                "items": len(plan.items),
                "result": kept.result,
                "is_begun": kept.is_begun,
                "taken_events": kept.taken_events,
            }
        )
    return plans


def _one_plan(store: Store, plan: Plan, home: str) -> str:
    kept = _kept_plan(store.files(plan.id), plan)
    text = plan_in_words(plan, home, stage_of(kept))
    lines = [text.rstrip("\n"), *id_lines(plan.items), kept_plans([kept])]
    return "\n".join(lines)


def _wanted(words: Sequence[str], chosen: DeadLetterFilter) -> Wanted:
    """Words that are IDs of messages, and words that name targets. Raises UsageError."""
    names = []
    ids = []
    for word in words:
        if _ID.match(word):
            ids.append(word)
        else:
            refuse_unknown_target(word)
            names.append(word)
    return Wanted(frozenset(names), frozenset(ids), chosen)


def _rate(text: str) -> float | None:
    """Messages a second; None where no rate was given. Raises UsageError."""
    if not text:
        return None
    number = text.removesuffix("/s")
    try:
        rate = float(number)
    except ValueError:
        rate = 0.0
    if not _LEAST_A_SECOND <= rate < _MOST_A_SECOND:
        raise UsageError(
            f"--rate {text[:20]}: it must be a number of messages a second, {_LEAST_A_SECOND:g} or more",
            "for example --rate 50/s",
        )
    return rate

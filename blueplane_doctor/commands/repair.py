"""Plan how to heal what the doctor found, and do it: nothing is changed without --apply.

Without an option it makes a plan and shows it. WORDS narrow it: names of targets (stuck, lost, …) or IDs of messages.
A plan's own ID shows that plan.
"""

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from blueplane_doctor.commands.base import Invocation, Yes, command, new_command
from blueplane_doctor.commands.dlq import Error, EventType, Group, Newer, Older, Platform, letter_filter
from blueplane_doctor.console import confirmed, progress, show, show_json
from blueplane_doctor.errors import ExitCode, UsageError
from blueplane_doctor.lookup.dead_letters import DeadLetterFilter
from blueplane_doctor.options import EXAMINING
from blueplane_doctor.repair.base import Wanted
from blueplane_doctor.repair.planning import make_plan, refuse_unknown_target
from blueplane_doctor.repair.running import run_plan
from blueplane_doctor.repair.store import Store
from blueplane_doctor.repair.wording import id_lines, plan_in_words

_ID = re.compile(r"\d+-\d+\Z")
_MOST_A_SECOND = 1_000_000
COMMAND = new_command(__doc__)
COMMAND.info.no_args_is_help = False


@command(COMMAND, *EXAMINING, formats=("table", "json"))
def repair(
    given: Invocation,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORDS...]", help="Targets, IDs of messages, or a plan.")
    ] = None,
    apply: Annotated[str, typer.Option("--apply", help="Do what this plan says.", metavar="PLAN")] = "",
    undo: Annotated[str, typer.Option("--undo", help="Take back what can be taken back.", metavar="PLAN")] = "",
    list_plans: Annotated[bool, typer.Option("--list", help="Show the plans, and what became of them.")] = False,
    save_only: Annotated[bool, typer.Option("--save-only", help="Save the messages, and change nothing.")] = False,
    yes: Yes = False,
    rate: Annotated[str, typer.Option(help="Messages a second at most, such as 50/s.", metavar="RATE")] = "",
    write_url: Annotated[
        str, typer.Option("--write-url", help="The same Redis with the user that may repair.", metavar="URL")
    ] = "",
    newer: Newer = None,
    older: Older = None,
    group: Group = "",
    error: Error = "",
    event_type: EventType = "",
    platform: Platform = "",
) -> int:
    """Exit code 1 when something was wanted and is not done."""
    settings = given.load().settings
    store = Store(settings.home)
    if apply:
        if not yes and not confirmed(f"Apply plan {apply} to the Redis at {settings.redis_url.rpartition('@')[2]}?"):
            return ExitCode.OK
        with progress() as tell:
            outcome = run_plan(settings, store, apply, write_url or settings.redis_url, rate=_rate(rate), progress=tell)
        show(outcome.text)
        return outcome.exit_code
    if list_plans:
        show("".join(f"{identity}\n" for identity in store.ids()) or "No plans\n")
        return ExitCode.OK
    words = words or []
    if len(words) == 1 and store.has(words[0]):
        plan = store.files(words[0]).plan()
        show(plan_in_words(plan) + "\n".join(id_lines(plan.items)) + "\n")
        return ExitCode.OK
    wanted = _wanted(words, letter_filter(newer, older, group, error, event_type, platform))
    with progress() as tell:
        planned = make_plan(settings, wanted, store.new_id(), tell)
    if planned.plan.items:
        store.keep(planned.plan)
    if given.format == "json":
        show_json(planned.plan.model_dump(mode="json"))
    else:
        show(plan_in_words(planned.plan))
    return ExitCode.OK


def _wanted(words: Sequence[str], chosen: DeadLetterFilter) -> Wanted:
    """Words that are IDs of messages, and words that name targets. Raises UsageError."""
    ids = [word for word in words if _ID.match(word)]
    names = [word for word in words if not _ID.match(word)]
    for name in names:
        refuse_unknown_target(name)
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
    if not 0 < rate < _MOST_A_SECOND:
        raise UsageError(f"--rate {text[:20]}: it is no number of messages a second", "for example --rate 50/s")
    return rate

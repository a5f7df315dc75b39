"""The words of a message: what a person needs on a lock screen, and nothing private."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from blueplane_doctor.model import Status
from blueplane_doctor.notifying.inert_text import inert
from blueplane_doctor.notifying.kinds import Kind
from blueplane_doctor.notifying.news import News
from blueplane_doctor.text.quantities import many
from blueplane_doctor.text.times import span

_MOST_LINES = 6
"""Incidents that one message names; the others are counted."""
_WORDS = {
    Kind.WORSE: "Worse: ",
    Kind.CHANGED: "Another cause now: ",
    Kind.FLAPPING: "It comes and goes: ",
    Kind.REMINDER: "Still there: ",
}


@dataclass(frozen=True)
class Sender:
    """What the settings say of the place that messages come from."""

    machine: str = ""
    """Its name in messages; empty: it is not named."""
    page: str = ""
    """URL of the live page; empty: there is none."""


@dataclass(frozen=True)
class Message:
    """What is delivered."""

    title: str
    body: str
    kinds: tuple[Kind, ...]
    status: Status
    """The worst colour that it tells; green where all is over."""
    causes: tuple[str, ...]
    since: float

    def as_document(self) -> dict[str, object]:
        """As a command gets it, in JSON."""
        kinds = []
        for kind in self.kinds:
            kinds.append(kind.value)
        return {
            "version": 1,
            "title": self.title,
            "body": self.body,
            "kinds": kinds,
            "status": self.status.value,
            "causes": list(self.causes),
            "since": datetime.fromtimestamp(self.since).astimezone().isoformat(timespec="seconds"),
        }


def message_of(news: Sequence[News], status: Status, sender: Sender, now: float) -> Message:
    """One message for all that is new. `status`: of the whole pipeline now."""
    ordered = sorted(news, key=lambda one: (-one.status.severity, one.since, one.key))
    lines = [_line(one) for one in ordered[:_MOST_LINES]]
    if len(ordered) > _MOST_LINES:
        lines.append(f"And {len(ordered) - _MOST_LINES} more.")
    if sender.page:
        lines.append(sender.page)
    kinds = tuple(dict.fromkeys(one.kind for one in ordered))
    return Message(
        title=_title(ordered, status, sender, now),
        body="\n".join(lines),
        kinds=kinds,
        status=ordered[0].status,
        causes=tuple(dict.fromkeys(one.cause for one in ordered)),
        since=min(one.since for one in ordered),
    )


def trial_message(sender: Sender, now: float) -> Message:
    """What `notify --test` sends."""
    lines = ["This is a test: messages of blueplane-doctor arrive here. Nothing is wrong."]
    if sender.page:
        lines.append(sender.page)
    title = f"Blueplane test{_on(sender)}"
    return Message(title, "\n".join(lines), (Kind.TEST,), Status.GREEN, (), now)


def _title(news: Sequence[News], status: Status, sender: Sender, now: float) -> str:
    """`Blueplane RED since 22:06 on work-laptop`."""
    first = news[0]
    if first.kind is not Kind.OVER:
        colour = first.status.words.upper()
        return f"Blueplane {colour} since {clock_time(first.since, now)}{_on(sender)}"
    began = min(one.since for one in news)
    ended = max(one.until for one in news)
    took = _duration(began, ended)
    colour = status.words.upper()
    if status is Status.GREEN:
        return f"Blueplane GREEN again after {took}{_on(sender)}{_lost_in_all(news)}"
    causes = many(len(news), "cause is", "causes are")
    return f"Blueplane: {causes} over after {took}, now {colour}{_on(sender)}"


def _lost_in_all(news: Sequence[News]) -> str:
    """`; 12 lost`; empty where that is not known."""
    counts = []
    for one in news:
        if one.lost is not None:
            counts.append(one.lost)
    if len(counts) < len(news):
        return ""
    # They ended together, and each counts what was lost while it was there: the longest one counts all of it.
    return f"; {max(counts):,} lost"


def _line(one: News) -> str:
    if one.kind is Kind.OVER:
        what = f"'{one.title}'" if one.title else one.cause
        return f"Over after {_duration(one.since, one.until)}: {what}. {_lost(one.lost)}"
    words = _WORDS.get(one.kind, "")
    if one.title:
        words += f"{_as_sentence(one.title)} "
    words += _as_sentence(one.sentence)
    if one.others:
        words += f" And {many(one.others, 'more cause', 'more causes')} of this kind."
    if one.next_step:
        words += f" Next: {_as_step(one.next_step)}"
    if one.follows:
        words += f" ({many(one.follows, 'more check follows', 'more checks follow')} from it)"
    return words


def _as_sentence(text: str) -> str:
    if text.endswith((".", "!", "?", "…")):
        return text
    return f"{text}."


def _as_step(text: str) -> str:
    """A command as it is typed; a sentence of its own as such."""
    if text.startswith("blueplane-doctor"):
        return text
    return _as_sentence(text)


def _lost(count: int | None) -> str:
    if count is None:
        return "Whether messages were lost is not known."
    return f"{count:,} lost."


def _duration(since: float, until: float) -> str:
    return span(max(0.0, until - since) * 1000)


def _on(sender: Sender) -> str:
    if not sender.machine:
        return ""
    return f" on {inert(sender.machine)}"


def clock_time(moment: float, now: float) -> str:
    """Local time of the day: `22:06`; of another day than today with its date."""
    local = datetime.fromtimestamp(moment)
    if local.date() == datetime.fromtimestamp(now).date():
        return f"{local:%H:%M}"
    return f"{local:%d %b %H:%M}"

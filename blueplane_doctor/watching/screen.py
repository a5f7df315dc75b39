"""The live screen: verdict, causes, findings of their own, moving numbers, what changed lately; and pressed keys."""

import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from threading import Thread
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from blueplane_doctor.errors import ExitCode
from blueplane_doctor.findings import counted
from blueplane_doctor.history.shapes import sparkline
from blueplane_doctor.metrics import CHARTED, UNSPOKEN_UNITS
from blueplane_doctor.model import Cause, Finding, Report, Status
from blueplane_doctor.reports import cause_phrases
from blueplane_doctor.reports.phrases import headline, line, quantity, tally
from blueplane_doctor.text.quantities import many
from blueplane_doctor.text.times import parse_time
from blueplane_doctor.watching.rounds import STATES, Changed, Ended, Mailbox, Round, follow

if sys.platform != "win32":
    import termios

_STYLES = {
    Status.RED: "bold red",
    Status.ORANGE: "dark_orange",
    Status.YELLOW: "yellow",
    Status.GREEN: "green",
    Status.ERROR: "bold magenta",
    Status.UNKNOWN: "blue",
    Status.SKIPPED: "dim",
    Status.NOT_SET_UP: "dim",
}
KEPT_ROUNDS = 240
"""Values of a sparkline: eight minutes of a round every two seconds."""
_SHOWN_CHANGES = 5
_FEWEST_CAUSE_LINES = 3
"""Of causes that are shown however low the terminal is."""
_FEWEST_FINDINGS = 3
"""Findings that are shown however low the terminal is."""
_NARROW = 90
"""Columns below which custody stands under the queue's numbers, not beside them."""
_FRAME_LINES = 6
"""Head, foot, three blank lines, and one to spare."""
_LABEL_WIDTH = 14
_VALUE_WIDTH = 17


class _Row(NamedTuple):
    """A number with its sparkline."""

    name: str
    label: str
    unit: str


class Screen:
    """The rounds so far, drawn to a terminal's size. Text of a report is taken for hostile."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._round: Round | None = None
        self._numbers: deque[Mapping[str, float | None]] = deque(maxlen=KEPT_ROUNDS)
        self._changes: deque[Text] = deque(maxlen=_SHOWN_CHANGES)

    def add(self, round_: Round) -> None:
        """Take one more round."""
        self._round = round_
        self._numbers.append(round_.numbers)
        moment = _clock(round_.report)
        # Backwards, and causes last, for the last one to be added stands at the top.
        for changed in reversed(round_.changed):
            self._changes.appendleft(_change(moment, changed))
        for cause in reversed(round_.over):
            self._changes.appendleft(_change_of_cause(moment, cause, "over"))
        for cause in reversed(round_.opened):
            self._changes.appendleft(_change_of_cause(moment, cause, "opened"))

    def drawn(self, width: int, height: int) -> RenderableType:
        """The whole screen; findings for which `height` lines are too few are counted."""
        if self._round is None:
            return Text("blueplane-doctor: the first look …")
        report = self._round.report
        unread = _unread(self._round)
        numbers, number_lines = self._tables(width)
        changes = list(self._changes) or [_text(" no change since the first look", "dim")]
        others = _FRAME_LINES + len(unread) + number_lines + len(changes)
        causes = _causes(report, width, max(_FEWEST_CAUSE_LINES, height - others - _FEWEST_FINDINGS))
        others += len(causes)
        findings = _findings(report, width, max(_FEWEST_FINDINGS, height - others))
        foot = _text(f" round {self._round.number}, every {self._every:g} s · q quits", "dim")
        blank = Text("")
        return Group(_head(report), *unread, blank, *causes, *findings, blank, numbers, blank, *changes, foot)

    def last_verdict(self, width: int) -> RenderableType | None:
        """What stays on the terminal when the live screen has gone; None before a first round."""
        if self._round is None:
            return None
        report = self._round.report
        findings = _findings(report, width, len(report.findings))
        causes = _causes(report, width)
        return Group(_head(report), *_unread(self._round), *causes, *findings)

    def _tables(self, width: int) -> tuple[RenderableType, int]:
        """The numbers, and the states that any message was in since watching began; and how many lines."""
        known: dict[str, None] = {}
        for numbers in self._numbers:
            known |= dict.fromkeys(numbers)
        rows = []
        for metric in CHARTED:
            if metric.path in known:
                rows.append(_Row(metric.path, metric.label, metric.unit))
        states = []
        for name in known:
            if name.startswith(STATES) and any(self._trail(name)):
                label = line(name.removeprefix(STATES)).replace("_", " ")
                states.append(_Row(name, label, ""))
        if width < _NARROW:
            return Group(self._table(rows, width), self._table(states, width)), len(rows) + len(states)
        beside = Table.grid(expand=True)
        beside.add_column(ratio=1)
        beside.add_column(ratio=1)
        beside.add_row(self._table(rows, width // 2), self._table(states, width // 2))
        return beside, max(len(rows), len(states))

    def _table(self, rows: list[_Row], width: int) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, style="dim", width=_LABEL_WIDTH)
        table.add_column(no_wrap=True, justify="right", width=_VALUE_WIDTH)
        table.add_column(no_wrap=True, style="cyan")
        chart_width = max(8, width - _LABEL_WIDTH - _VALUE_WIDTH - 6)
        for row in rows:
            values = self._trail(row.name)
            unit = "" if row.unit in UNSPOKEN_UNITS else row.unit
            table.add_row(row.label, quantity(values[-1], unit), sparkline(values, chart_width))
        return table

    def _trail(self, name: str) -> list[float | None]:
        return [numbers.get(name) for numbers in self._numbers]


def _head(report: Report) -> Text:
    text = _text(f" {report.status.value.upper()} ", f"{_STYLES[report.status]} reverse")
    return text.append(f" {headline(report)} ({tally(report)})  ").append(f"{_clock(report)} UTC", "dim")


def _unread(round_: Round) -> list[Text]:
    """A line for each cause, with the records that it keeps from being read."""
    causes: dict[str, list[str]] = {}
    for name, cause in round_.unread.items():
        causes.setdefault(cause, []).append(line(name))
    lines = []
    for cause, names in causes.items():
        lines.append(_text(f" not read: {', '.join(names)}: {line(cause)}", "bold yellow"))
    return lines


def _unhealthy(report: Report) -> list[Finding]:
    """The findings that need a look and that no cause explains."""
    # What was skipped shows as what could not be read.
    quiet = (Status.GREEN, Status.SKIPPED, Status.NOT_SET_UP)
    alone = counted(cause_phrases.on_their_own(report))
    return [finding for finding in alone if finding.status not in quiet]


def _causes(report: Report, width: int, most: int | None = None) -> list[Text]:
    """Each cause with its next step and what follows from it; at most so many lines, the last counts the rest."""
    lines: list[Text] = []
    for number, cause in enumerate(report.causes, 1):
        told = cause_phrases.told(cause, report)
        lines.append(_text(f" {number}  {told[0]}", _STYLES[cause.status]))
        for text in told[1:]:
            lines.append(_text(f"  {text[: max(width, 40)]}", ""))
    if most is None or len(lines) <= most:
        return lines
    causes = many(len(report.causes), "cause", "causes")
    more = many(len(lines) - most + 1, "more line", "more lines")
    return [*lines[: most - 1], _text(f" … {causes}, {more}", "dim")]


def _findings(report: Report, width: int, most: int) -> list[Text]:
    """A line for each finding that needs a look, at most so many lines; the last one counts what has no room."""
    lines = [_finding(finding, width) for finding in _unhealthy(report)]
    if len(lines) <= most:
        return lines
    left = len(lines) - most + 1
    return [*lines[: most - 1], _text(f"… and {left} more", "dim")]


def _finding(finding: Finding, width: int) -> Text:
    text = _text(f" {finding.status.value:<8}", _STYLES[finding.status]).append(f"{line(finding.id):<22} ", "bold")
    return text.append(line(finding.summary, max(width, 40)))


def _change(moment: str, changed: Changed) -> Text:
    finding, change, was = changed
    text = _text(f" {moment} ", "dim").append(f"{change.value:<7}").append(f"{line(finding.id)}  ", "bold")
    text.append(was.value if was else "not judged", "dim").append(" → ")
    return text.append(finding.status.value, _STYLES[finding.status])


def _change_of_cause(moment: str, cause: Cause, change: str) -> Text:
    text = _text(f" {moment} ", "dim").append(f"{change:<7}").append(line(cause.title), "bold")
    return text.append(f"  {cause.status.value}", _STYLES[cause.status])


def _text(content: str, style: str) -> Text:
    return Text(no_wrap=True, overflow="ellipsis").append(content, style)


def _clock(report: Report) -> str:
    moment = parse_time(report.generated_at)
    return moment.strftime("%H:%M:%S") if moment else "unknown time"


@contextlib.contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Call `pressed` with each key, from another thread; without a terminal, never. Its settings are restored."""
    if not sys.stdin or not sys.stdin.isatty():
        yield
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    quiet = termios.tcgetattr(number)
    # Keys arrive at once, and are not echoed onto the screen.
    quiet[3] &= ~(termios.ICANON | termios.ECHO)
    quiet[6][termios.VSUSP] = b"\x00"  # Ctrl-Z would leave the shell on the alternate screen, without a cursor
    termios.tcsetattr(number, termios.TCSADRAIN, quiet)

    def read() -> None:
        with contextlib.suppress(OSError):  # the terminal went away
            while key := os.read(number, 1):
                pressed(key.decode("ascii", "replace"))

    Thread(target=read, daemon=True).start()
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def show_rounds(mailbox: Mailbox, every: float) -> int:
    """Show each round in place of the last one until the end; gives the exit code. `every`: seconds between two."""
    console = Console(highlight=False)
    screen = Screen(every)

    def pressed(key: str) -> None:
        if key in "qQ":
            mailbox.put(Ended(ExitCode.OK))

    def take(latest: Round) -> None:
        screen.add(latest)
        live.update(screen.drawn(*console.size), refresh=True)

    with keys(pressed), Live(screen.drawn(*console.size), console=console, screen=True, auto_refresh=False) as live:
        code = follow(mailbox, take)
    verdict = screen.last_verdict(console.width)
    if verdict is not None:
        console.print(verdict)  # the live screen has taken its own text along
    return code

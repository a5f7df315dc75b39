"""The live screen: verdict, what is ill, the numbers that move, and what changed lately."""

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from blueplane_doctor.history.sparkline import sparkline
from blueplane_doctor.model import Finding, Status
from blueplane_doctor.reports.words import line, verdict
from blueplane_doctor.times import parse_time
from blueplane_doctor.watching.numbers import NUMBERS, STATES, Trails, words
from blueplane_doctor.watching.rounds import Changed, Round

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

STYLES = {
    Status.RED: "bold red",
    Status.ORANGE: "dark_orange",
    Status.YELLOW: "yellow",
    Status.GREEN: "green",
    Status.ERROR: "bold magenta",
    Status.UNKNOWN: "blue",
    Status.SKIPPED: "dim",
}
KEPT_CHANGES = 50
SHOWN_CHANGES = 5
FEWEST_FINDINGS = 3
"""Findings that are shown however low the terminal is."""
NARROW = 90
"""Columns below which custody stands under the queue's numbers instead of beside them."""


class Screen:
    """What was seen so far, and how it looks on a terminal of a size. Text of a report is taken for hostile."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._round: Round | None = None
        self._trails = Trails()
        self._changes: deque[tuple[str, Changed]] = deque(maxlen=KEPT_CHANGES)

    def add(self, round_: Round) -> None:
        """Take one more round."""
        self._round = round_
        self._trails.add(round_.numbers)
        moment = _clock(round_.report.generated_at)
        self._changes.extendleft((moment, changed) for changed in reversed(round_.changed))

    def drawn(self, width: int, height: int) -> "RenderableType":
        """The whole screen; what does not fit into `height` lines is counted instead of shown."""
        from rich.console import Group
        from rich.text import Text

        if self._round is None:
            return Text("blueplane-doctor: the first look …")
        numbers, changes = self._numbers(width), self._said()
        rest = height - 6 - len(self._unread()) - self._lines(width) - len(changes)
        ill = _ill(self._round.report.findings)
        most = max(FEWEST_FINDINGS, rest)
        shown = ill if len(ill) <= most else ill[: most - 1]
        findings = [_finding(one, width) for one in shown]
        if len(shown) < len(ill):
            findings.append(_plain(f"… and {len(ill) - len(shown)} more", "dim"))
        blank = Text("")
        return Group(self._head(), *self._unread(), blank, *findings, blank, numbers, blank, *changes, self._foot())

    def _head(self) -> "Text":
        from rich.text import Text

        assert self._round
        report = self._round.report
        style = f"{STYLES[report.status]} reverse"
        text = Text(no_wrap=True, overflow="ellipsis").append(f" {report.status.value.upper()} ", style)
        counts = verdict(report).partition(" ")[2]
        return text.append(f" {counts}  ").append(f"{_clock(report.generated_at)} UTC", "dim")

    def _unread(self) -> "list[Text]":
        """One line for each cause: three records that one server did not give are one trouble."""
        assert self._round
        causes: dict[str, list[str]] = {}
        for name, cause in self._round.unread.items():
            causes.setdefault(cause, []).append(name)
        return [
            _plain(f" not read: {', '.join(map(line, names))}: {line(cause)}", "bold yellow")
            for cause, names in causes.items()
        ]

    def _numbers(self, width: int) -> "Table | Group":
        from rich.console import Group
        from rich.table import Table

        left, right = self._tables(width if width < NARROW else width // 2)
        if width < NARROW:
            return Group(left, right)
        beside = Table.grid(expand=True)
        beside.add_column(ratio=1)
        beside.add_column(ratio=1)
        beside.add_row(left, right)
        return beside

    def _tables(self, width: int) -> "tuple[Table, Table]":
        known = set(self._trails.names())
        left = [(n.label, n.name, n.unit) for n in NUMBERS if n.name in known]
        return self._table(left, width), self._table(self._states(), width)

    def _states(self) -> list[tuple[str, str, str]]:
        """The custody states in which any message was since watching began."""
        names = [name for name in self._trails.names() if name.startswith(STATES)]
        return [(line(n.removeprefix(STATES)).replace("_", " "), n, "") for n in names if any(self._trails.of(n))]

    def _table(self, rows: list[tuple[str, str, str]], width: int) -> "Table":
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, style="dim", width=14)
        table.add_column(no_wrap=True, justify="right", width=11)
        table.add_column(no_wrap=True, style="cyan")
        for label, name, unit in rows:
            values = self._trails.of(name)
            table.add_row(label, words(values[-1], unit), sparkline(values, max(8, width - 33)))
        return table

    def _lines(self, width: int) -> int:
        left = len([n for n in NUMBERS if n.name in set(self._trails.names())])
        right = len(self._states())
        return left + right if width < NARROW else max(left, right)

    def _said(self) -> "list[Text]":
        if not self._changes:
            return [_plain(" no change since the first look", "dim")]
        return [_change(moment, changed) for moment, changed in list(self._changes)[:SHOWN_CHANGES]]

    def _foot(self) -> "Text":
        assert self._round
        return _plain(f" round {self._round.number}, every {self._every:g} s · q quits", "dim")


def _ill(findings: list[Finding]) -> list[Finding]:
    """What was found, worst first; what was merely skipped is told by what could not be read."""
    return [f for f in findings if not f.waiver and f.status not in (Status.GREEN, Status.SKIPPED)]


def _finding(finding: Finding, width: int) -> "Text":
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f" {finding.status.value:<8}", STYLES[finding.status])
    text.append(f"{line(finding.id):<22} ", "bold")
    return text.append(line(finding.summary, max(width, 40)))


def _change(moment: str, changed: Changed) -> "Text":
    from rich.text import Text

    status, was = changed.finding.status, changed.was
    text = Text(no_wrap=True, overflow="ellipsis").append(f" {moment} ", "dim").append(f"{changed.change.value:<7}")
    text.append(f"{line(changed.finding.id)}  ", "bold").append(was.value if was else "not judged", "dim")
    return text.append(" → ").append(status.value, STYLES[status])


def _plain(words_: str, style: str) -> "Text":
    from rich.text import Text

    return Text(words_, style, no_wrap=True, overflow="ellipsis")


def _clock(text: str) -> str:
    moment: datetime | None = parse_time(text)
    return moment.strftime("%H:%M:%S") if moment else "unknown time"

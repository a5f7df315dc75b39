"""HTML: one page that needs nothing but itself, made from templates/.

The page asks for nothing over the network and says so to the browser: its content security policy allows the one
style sheet and the one script that are written into it, named by their hashes, and nothing else. All text of
a report is taken for hostile: it is escaped, and characters that control or reorder text are replaced.
"""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup, escape

from blueplane_doctor.model import Cause, Finding, Report, Status
from blueplane_doctor.quantities import many
from blueplane_doctor.readings import field_metric
from blueplane_doctor.reports import cause_phrases, change_phrases, phrases
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.before_stream import before_stream, lines_by_time
from blueplane_doctor.reports.phrases import causes_count, field_value, observed, other_thresholds, quantity, since
from blueplane_doctor.reports.told_messages import told_messages
from blueplane_doctor.scales import scale_words
from blueplane_doctor.times import parse_time, span

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_ITEMS = 25
"""Of one list or table of evidence that are shown; the JSON report has them all."""
_CHARACTERS = 4_000
"""Of one text that are shown: enough for a traceback."""
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
"""Control, format and surrogate characters but tab and line feed: they hide, reorder or break text."""
_SPECIAL = re.compile("[^ -~]|[&<>\"']")
"""Characters for which text must be escaped or cleaned before it stands in a page; nearly no text has one."""

_LABELS = {
    "dlq_sizes": "Dead letters by stream",
    "tables": "Newest sequence numbers",
}
"""Fields that are no metrics and whose names read badly as they are."""
_WORDS = {"wal": "WAL", "dlq": "dead letters", "db": "database", "http": "HTTP", "pid": "PID", "id": "ID"}
_LEFT_OUT = ("_ms", "_seconds", "_bytes", "_mb", "_events_per_sec", "_events_per_min", "_timestamp")
"""Ends of names of fields that their values tell."""
_NOT_JUDGED = (Status.UNKNOWN, Status.SKIPPED, Status.NOT_SET_UP)
_DOTS = {
    "green": "2f8a5b",
    "yellow": "d4a800",
    "orange": "e07a1f",
    "red": "c8281e",
    "unknown": "6a7bd0",
}
"""Colours of the dot beside the page's title: to be seen on light and dark tabs."""
_NOTHING = Markup('<span class="none"><span aria-hidden="true">–</span><span class="sr">no value</span></span>')


def render(report: Report, view: View) -> str:
    """The page; with `verbose`, green findings and evidence are open from the start."""
    return template().render(report=report, open=view.verbose)


@cache
def template() -> "Template":
    """The page's own, with filters, style and script in its environment."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # 45 ms that only this format needs

    from blueplane_doctor.reports import charts

    environment = Environment(
        loader=PackageLoader("blueplane_doctor", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=clean,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    words = (
        anchor,
        title,
        label,
        shown,
        number,
        utc,
        headline,
        sentence,
        quantity,
        observed,
        other_thresholds,
        scale_words,
    )
    of_causes = (
        *(cause_phrases.standing_of, cause_phrases.stake),
        *(
            since,
            causes_count,
            first_of,
            grouped,
            follow_sentence,
            unjudged_sentence,
            follows_links,
            favicon,
            clock_time,
            begin_time,
            span,
            with_loss,
        ),
    )
    tables = (upto, columns, headings, lines, compact)
    environment.filters |= {function.__name__: function for function in (*words, *of_causes, *tables)}
    environment.filters["cause_summary"] = cause_phrases.summary
    environment.filters["told_messages"] = told_messages
    environment.filters["changes_of_causes"] = change_phrases.of_causes
    for of_a_change in (change_phrases.what, change_phrases.how, change_phrases.when):
        environment.filters[f"changed_{of_a_change.__name__}"] = of_a_change
    drawn = {
        "flow": charts.flow,
        "custody_strip": charts.custody_strip,
        "before_stream": before_stream,
        "lines_by_time": lines_by_time,
        "state_kinds": charts.STATE_KINDS,
        "bars": charts.bars,
        "bar_kinds": charts.BARS,
        "trends": charts.trends,
    }
    environment.globals |= drawn | {"limit": _ITEMS}
    for name in ("style.css", "script.js"):
        text = own_file(environment, name)
        digest = b64encode(sha256(text.encode()).digest()).decode()
        kind = name.partition(".")[0]
        environment.globals |= {kind: Markup(text), f"{kind}_hash": f"sha256-{digest}"}  # no report's text
    return environment.get_template("report.html.j2")


def own_file(environment: "Environment", name: str) -> str:
    """A file of ours from templates/, as browsers will hash it."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].replace("\r\n", "\n")


def clean(value: Any) -> Any:
    """What the template prints: text without characters that are not meant to be seen, and without end."""
    if type(value) is not str:
        return value
    if len(value) > _CHARACTERS:
        value = value[:_CHARACTERS] + "…"
    if value.isascii() and value.isprintable():
        return value  # nearly all text, and three times as fast as looking for what is not
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", value)


def anchor(identity: str) -> str:
    """An ID as it stands in a link."""
    return quote(clean(identity))


@lru_cache(4096)
def title(identity: str) -> str:
    """`queue-depth` as `Queue depth`."""
    words = " ".join(_WORDS.get(word, word) for word in re.split("[-_]", identity))
    return words[:1].upper() + words[1:]


@lru_cache(4096)
def label(key: object) -> str:
    """The name of a field without its unit: `oldest_pending_age_ms` as `Oldest pending`."""
    name = str(key)
    metric = field_metric(name)
    if metric is not None:
        return metric.label
    if name in _LABELS:
        return _LABELS[name]
    for suffix in _LEFT_OUT:
        name = name.removesuffix(suffix)
    return title(name)


def shown(value: Any, key: object = "") -> str:
    """A plain value of the field `key`: a time as such, a dash where there is none, else in the field's unit."""
    if value is None or value == "":
        return _NOTHING
    if not isinstance(value, str):
        return field_value(value, str(key))
    moment = utc(value)
    if moment is None:
        return value
    return Markup(f'<time datetime="{moment.replace(" ", "T")}Z">{moment} UTC</time>')  # digits that we wrote


def number(value: Any) -> str:
    """A count in words: grouped digits, yes or no, `not known` for null."""
    if value is None:
        return "not known"
    return field_value(value, "")


def utc(text: Any) -> str | None:
    """`2026-03-14 09:26:53` for a time in ISO 8601; None for anything else."""
    # Most text is no time, and the fifth character tells at once.
    if not isinstance(text, str) or len(text) <= 10 or text[4] != "-":
        return None
    moment = parse_time(text)
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else None


def headline(report: Report) -> str:
    """The report's headline, as a sentence begins."""
    words = phrases.headline(report)
    return words[:1].upper() + words[1:]


def sentence(counts: Mapping[str, int]) -> str:
    """`3 red, 1 orange; 21 checks green`."""
    others = []
    for status in sorted(Status, key=lambda status: status.display_rank):
        count = counts.get(status.value)
        if count and status not in (Status.GREEN, Status.NOT_SET_UP):
            others.append(f"{count:,} {status.words}")
    parts = [", ".join(others)] if others else []
    green = counts.get("green", 0)
    if green:
        parts.append(f"{many(green, 'check', 'checks')} green")
    offered = counts.get(Status.NOT_SET_UP, 0)
    if offered:
        parts.append(f"{offered:,} {Status.NOT_SET_UP.words}")
    if counts.get("waived"):
        parts.append(f"{counts['waived']:,} waived")
    return "; ".join(parts) or "No check was run"


def first_of(report: Report, cause: Cause) -> int:
    """The place, from 1, of the first cause with this one's id: only one of them can have it as its anchor."""
    ids = [one.id for one in report.causes]
    return ids.index(cause.id) + 1


class Groups(NamedTuple):
    """The findings that are not green, by where they stand on the page."""

    alone: list[Finding]
    """Those that no cause explains."""
    explained: list[Finding]
    unjudged: list[Finding]

    @property
    def any(self) -> bool:
        """Whether anything but what is not set up is there."""
        offers = [finding for finding in self.unjudged if finding.status is Status.NOT_SET_UP]
        return bool(self.alone or self.explained or len(self.unjudged) > len(offers))


def grouped(report: Report) -> Groups:
    """The findings that are not green; see Groups."""
    explained = cause_phrases.explained_ids(report.causes)
    groups = Groups([], [], [])
    for finding in report.findings:
        if finding.status is Status.GREEN:
            continue
        if finding.status in _NOT_JUDGED:
            groups.unjudged.append(finding)
        elif finding.id in explained:
            groups.explained.append(finding)
        else:
            groups.alone.append(finding)
    return groups


def follow_sentence(report: Report) -> str:
    """`3 findings follow from it`."""
    count = len(grouped(report).explained)
    whom = "it" if len(report.causes) == 1 else "the causes"
    return f"{many(count, 'finding follows', 'findings follow')} from {whom}"


def unjudged_sentence(findings: Sequence[Finding]) -> str:
    """`2 skipped, 7 not set up`: what could not be judged."""
    counts = Counter(finding.status for finding in findings)
    return ", ".join(f"{count:,} {status.words}" for status, count in counts.items())


def follows_links(cause: Cause, report: Report) -> list[str]:
    """The findings to link to from a cause; what could not be judged is counted elsewhere."""
    judged = {finding.id for finding in report.findings if finding.status not in _NOT_JUDGED}
    return [check for check in cause.explains if check in judged]


def with_loss(losses: Iterable[Any]) -> list[Any]:
    """The groups of which a loss is told, or why it is not known."""
    return [loss for loss in losses if isinstance(loss, Mapping) and (loss.get("trimmed_unread") or loss.get("cause"))]


def clock_time(text: Any) -> str:
    """`09:26` of a time in ISO 8601; empty for anything else."""
    moment = utc(text)
    return moment[11:16] if moment else ""


def begin_time(begin: Any, end: Any) -> str:
    """The same of the begin of a time axis, with the day where the axis ends on another one."""
    first = utc(begin) or ""
    last = utc(end) or ""
    if first[:10] != last[:10]:
        return first[:16]
    return clock_time(begin)


def favicon(status: str) -> str:
    """A dot in the colour of the status, as the address of a picture that needs no network."""
    colour = _DOTS.get(str(status), _DOTS["unknown"])
    circle = f"%3Ccircle cx='8' cy='8' r='7' fill='%23{colour}'/%3E"
    return f"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E{circle}%3C/svg%3E"


def upto(items: Iterable[Any], limit: int) -> list[Any]:
    """The items up to the limit."""
    return list(islice(items, limit))


def columns(records: Iterable[Any]) -> list[Any]:
    """The fields that hold something in any of the records, in the records' own order."""
    holding: dict[Any, bool] = {}
    for record in records:
        if isinstance(record, Mapping):
            for key, value in record.items():
                holding[key] = holding.get(key, False) or value not in (None, "")
    return [key for key, holds in holding.items() if holds]


def headings(columns: Iterable[object]) -> str:
    """The head of a table. It and `lines` are made here: in a template, each cell costs five times as much."""
    return Markup("".join([f'<th scope="col">{_inert(label(key))}</th>' for key in columns]))


def lines(records: Iterable[Any], columns: Sequence[Any]) -> str:
    """The lines of a table, one for each record."""
    return Markup("".join([f"<tr>{_cells(record, columns)}</tr>\n" for record in records]))  # escaped in _inert


def _cells(record: Any, columns: Sequence[Any]) -> str:
    values = record if isinstance(record, Mapping) else {}
    return "".join([_cell(values.get(key), key) for key in columns])


def _cell(value: Any, key: object) -> str:
    if isinstance(value, str):
        return _text_cell(value)
    if isinstance(value, Iterable):
        return f"<td><code>{_inert(compact(value))}</code></td>"
    return f"<td>{_inert(shown(value, key))}</td>"


@lru_cache(1024)
def _text_cell(text: str) -> str:
    """Kept, for the same few words stand in most cells."""
    return f"<td>{_inert(shown(text))}</td>"


def _inert(text: str) -> str:
    """As the template would print it."""
    if type(text) is str and len(text) <= _CHARACTERS and not _SPECIAL.search(text):
        return text
    return escape(clean(text))


def compact(value: Any) -> str:
    """Anything on one line, for what is nested too deeply for a table."""
    return json.dumps(value, ensure_ascii=False, default=str, skipkeys=True, separators=(", ", ": "))[:_CHARACTERS]


FORMAT = Format("html", (".html", ".htm"), render, markup=True)

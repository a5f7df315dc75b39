"""HTML: one page that needs nothing but itself, made from templates/.

The page asks for nothing over the network and says so to the browser: its content security policy allows the one
style sheet and the one script that are written into it, named by their hashes, and nothing else. All text of
a report is taken for hostile: it is escaped, and characters that control or reorder text are replaced.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

from blueplane_doctor.model import Report, Status
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.trends import quantity, trends
from blueplane_doctor.times import parse_time, span

if TYPE_CHECKING:
    from jinja2 import Environment, Template

SHOWN_ITEMS = 25
"""Items of one list or table of evidence that are shown; the JSON report has them all."""
SHOWN_CHARACTERS = 4_000
"""Of one text: enough for a traceback."""

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
"""Control, format and surrogate characters but tab and line feed: they hide, reorder or break text."""

_LABELS = {
    "chain_break_count": "Breaks",
    "chain_status": "Chain",
    "dlq_oldest_age_ms": "Oldest dead letter",
    "dlq_previous_hour": "Dead letters, hour before",
    "dlq_recent_entries": "Dead letters, last hour",
    "dlq_size": "Dead letters",
    "dlq_sizes": "Dead letters by stream",
    "last_chain_break_timestamp": "Newest break",
    "max_length": "Stream is trimmed at",
    "messages_enqueued_last_hour": "Enqueued in the last hour",
    "messages_in_dlq": "In dead letters",
    "messages_written_last_hour": "Of these written",
    "partial": "Read only in part",
    "tables": "Newest sequence numbers",
}
"""Fields whose names read badly as they are."""
_WORDS = {"wal": "WAL", "dlq": "dead letters", "db": "database", "http": "HTTP", "pid": "PID", "id": "ID"}
_UNITS = {
    "_events_per_sec": " a second",
    "_events_per_min": " a minute",
    "_per_minute": " a minute",
    "_mb": " MB",
    "_rate": " %",
    "_percent": " %",
}
_SPANS = {"_ms": 1, "_seconds": 1000}
_NOTHING = '<span class="none"><span aria-hidden="true">–</span><span class="sr">no value</span></span>'


def render(report: Report, view: View) -> str:
    """The page; with `verbose`, green findings and evidence are open from the start."""
    return template().render(report=report, open=view.verbose)


@cache
def template() -> "Template":
    """The page's own, with filters, style and script in its environment."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # 45 ms that only this format needs
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("blueplane_doctor", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for function in (title, label, shown, humane, number, utc, sentence, upto, columns, compact, quantity):
        environment.filters[function.__name__] = function
    environment.filters["clean"] = _clean
    environment.globals |= {"flow": flow, "bars": bars, "trends": trends, "limit": SHOWN_ITEMS, "bar_kinds": BARS}
    for name in ("style.css", "script.js"):
        text = own_file(environment, name)
        digest = b64encode(sha256(text.encode()).digest()).decode()
        kind = name.partition(".")[0]
        environment.globals |= {
            kind: Markup(text),
            f"{kind}_hash": f"sha256-{digest}",
        }  # our file, no report's text
    return environment.get_template("report.html.j2")


def own_file(environment: "Environment", name: str) -> str:
    """A file of ours from templates/, as browsers will hash it."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].replace("\r\n", "\n")


def _statuses() -> list[Status]:
    return sorted(Status, key=lambda status: status.display_rank)


def _clean(value: Any) -> Any:
    """What the template prints: text without characters that are not meant to be seen, and without end."""
    if type(value) is not str:
        return value
    if len(value) > SHOWN_CHARACTERS:
        value = value[:SHOWN_CHARACTERS] + "…"
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", value)


@lru_cache(4096)
def title(identity: str) -> str:
    """`queue-depth` as `Queue depth`."""
    words = " ".join(_WORDS.get(word, word) for word in re.split("[-_]", identity))
    return words[:1].upper() + words[1:]


@lru_cache(4096)
def label(key: object) -> str:
    """The name of a field without its unit: `oldest_pending_age_ms` as `Oldest pending age`."""
    name = str(key)
    if name in _LABELS:
        return _LABELS[name]
    for suffix in (*_SPANS, "_events_per_sec", "_events_per_min", "_mb", "_timestamp"):
        name = name.removesuffix(suffix)
    return title(name)


def shown(value: Any, key: object = "") -> str:
    """A plain value of the field `key`: a time as such, a dash where there is none, else as `humane` says it."""
    from markupsafe import Markup

    if value is None or value == "":
        return Markup(_NOTHING)
    moment = utc(value)
    if moment is None:
        return humane(value, key)
    return Markup(f'<time datetime="{moment.replace(" ", "T")}Z">{moment} UTC</time>')  # digits that we wrote


def humane(value: Any, key: object = "") -> str:
    """A value as a person reads it, in the unit that its field's name ends with."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        return number(value)
    name = str(key)
    for suffix, factor in _SPANS.items():
        if name.endswith(suffix):
            return span(value * factor)
    return number(value) + next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")


def number(value: Any) -> str:
    """A value in words: grouped digits, yes or no, `not known` for null."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) >= 0.001 else f"{value:g}"
    return str(value)


def utc(text: Any) -> str | None:
    """`2026-03-14 09:26:53` for a time in ISO 8601; None for anything else."""
    moment = parse_time(text) if isinstance(text, str) and len(text) > 10 and text[4] == "-" else None
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else None


def sentence(counts: Mapping[str, int]) -> str:
    """`3 red, 1 orange; 21 checks green`."""
    found = {name: counts[name] for name in (s.value for s in _statuses()) if counts.get(name)}
    green = found.pop("green", 0)
    rest = ", ".join(f"{count:,} {name}" for name, count in found.items())
    well = f"{green:,} {'check' if green == 1 else 'checks'} green" if green else ""
    waived = f"{counts['waived']:,} waived" if counts.get("waived") else ""
    return "; ".join(part for part in (rest, well, waived) if part) or "No check was run"


def upto(items: Iterable[Any], limit: int) -> list[Any]:
    """The items up to the limit."""
    return list(islice(items, limit))


def columns(records: Iterable[Any]) -> list[Any]:
    """The fields that hold something in any of the records, in the records' own order."""
    named = [record for record in records if isinstance(record, Mapping)]
    held = {key for record in named for key, value in record.items() if value not in (None, "")}
    return [key for key in dict.fromkeys(key for record in named for key in record) if key in held]


def compact(value: Any) -> str:
    """Anything on one line, for what is nested too deeply for a table."""
    return json.dumps(value, ensure_ascii=False, default=str, skipkeys=True, separators=(", ", ": "))[:SHOWN_CHARACTERS]


# The picture of the chain: a river that flows down, and loses to the right what does not arrive. Only widths are
# worked out here; every number that is shown is the report's own.

RIVER, LEFT, BANK = 96.0, 1.0, 158.0
STAGES = {
    "enqueued": ("waiting", "skipped", "trimmed_unread"),
    "delivered": ("in_flight", "stuck", "payload_gone", "dead_lettered", "lost", "untraceable", "unexamined"),
    "written": ("duplicate",),
}
"""What leaves the river after each stage."""


def flow(states: Mapping[str, int | None]) -> dict[str, Any]:
    """The river's outline, and from top to bottom the rows beside it, with the band that leaves it there."""
    whole = sum(count or 0 for count in states.values()) or 1
    widths = {name: max(2.0, RIVER * count / whole) if count else 0.0 for name, count in states.items()}
    river, y = sum(widths.values()), 0.0
    outline = f"M{LEFT} 0H{LEFT + river:.1f}"
    rows: list[dict[str, Any]] = []
    for stage, leaks in STAGES.items():
        rows.append({"stage": stage, "middle": y + 28})
        y += 46
        for name in leaks:
            width = widths.get(name, 0.0)
            height = max(30.0, width + 10)
            middle = y + height / 2
            band = _band(LEFT + river, width, y, middle) if width else ""
            rows.append({"leak": name, "middle": middle, "band": band})
            river -= width
            outline += f"V{y:.1f}H{LEFT + river:.1f}"
            y += height
    outline += f"V{y + 14:.1f}L{LEFT + river / 2:.1f} {y + 32:.1f}L{LEFT} {y + 14:.1f}Z"
    return {"rows": rows, "end": y, "river": outline, "bank": BANK}


def _band(right: float, width: float, top: float, middle: float) -> str:
    """The outline of a band that turns from the river's right edge to the bank."""
    upper, lower = middle - width / 2, middle + width / 2
    inner = right - width
    return (
        f"M{inner:.1f} {top:.1f}Q{inner:.1f} {lower:.1f} {inner + width + 14:.1f} {lower:.1f}H{BANK:.1f}"
        f"V{upper:.1f}H{right + 10:.1f}Q{right:.1f} {upper:.1f} {right:.1f} {top:.1f}Z"
    )


BARS = ("written", "waiting", "held", "dead_lettered", "broken")


def bars(buckets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shapes of the bar chart: for each bucket what was enqueued, and on it what became of it, in percent."""
    highest = max((_amount(bucket, "enqueued") for bucket in buckets), default=0)
    step = 100 / max(len(buckets), 1)
    shapes = []
    for place, bucket in enumerate(buckets):
        top = 100.0
        for kind in BARS:
            height = 100 * _amount(bucket, kind) / (highest or 1)
            top -= height
            if height:
                shapes.append((kind, place * step + step * 0.12, max(top, 0), step * 0.76, min(height, 100)))
        height = 100 * _amount(bucket, "enqueued") / (highest or 1)
        shapes.insert(0, ("enqueued", place * step + step * 0.12, 100 - height, step * 0.76, height))
    return {"highest": highest, "shapes": shapes}


def _amount(bucket: Mapping[str, Any], key: str) -> float:
    value = bucket.get(key)
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


FORMAT = Format("html", (".html", ".htm"), render)

"""HTML: one page that needs nothing but itself, made from templates/.

The page asks for nothing over the network and says so to the browser: its content security policy allows the one
style sheet and the one script that are written into it, named by their hashes, and nothing else. All text of
a report is taken for hostile: it is escaped, and characters that control or reorder text are replaced.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from markupsafe import Markup

from blueplane_doctor.model import Report
from blueplane_doctor.reports import (
    before_stream,
    cause_phrases,
    change_phrases,
    custody_charts,
    finding_phrases,
    html_findings,
    html_tables,
    html_text,
    phrases,
    trend_charts,
)
from blueplane_doctor.reports.base import Format, View
from blueplane_doctor.reports.told_messages import told_messages
from blueplane_doctor.scales import scale_words
from blueplane_doctor.text.times import span

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_FILTERS = {
    "anchor": html_text.anchor,
    "begin_time": html_text.begin_time,
    "clock_time": html_text.clock_time,
    "favicon": html_text.favicon,
    "label": html_text.label,
    "number": html_text.number,
    "observed": finding_phrases.observed,
    "other_thresholds": phrases.other_thresholds,
    "quantity": phrases.quantity,
    "scale_words": scale_words,
    "shown": html_text.shown,
    "began": phrases.began,
    "span": span,
    "title": html_text.title,
    "utc": html_text.utc,
    "cause_summary": cause_phrases.summary,
    "causes_count": phrases.causes_count,
    "changed_how": change_phrases.how,
    "changed_what": change_phrases.what,
    "changed_when": change_phrases.when,
    "changes_of_causes": change_phrases.of_causes,
    "first_of": html_findings.first_of,
    "follow_sentence": html_findings.follow_sentence,
    "follows_links": html_findings.follows_links,
    "grouped": html_findings.grouped,
    "headline": html_findings.headline,
    "tally": phrases.tally,
    "stake": cause_phrases.stake,
    "standing_of": cause_phrases.standing_of,
    "told_messages": told_messages,
    "unjudged_sentence": html_findings.unjudged_sentence,
    "columns": html_tables.columns,
    "compact": html_tables.compact,
    "headings": html_tables.headings,
    "lines": html_tables.lines,
    "upto": html_tables.upto,
    "with_loss": html_tables.with_loss,
}
"""What templates/ calls by these names: on texts, on causes and findings, on tables."""
_GLOBALS = {
    "bar_kinds": custody_charts.BARS,
    "bars": custody_charts.bars,
    "before_stream": before_stream.before_stream,
    "custody_strip": custody_charts.custody_strip,
    "flow": custody_charts.flow,
    "limit": html_tables.ITEMS,
    "lines_by_time": before_stream.lines_by_time,
    "state_kinds": custody_charts.STATE_KINDS,
    "trends": trend_charts.trends,
}


def render(report: Report, view: View) -> str:
    """The page; with `verbose`, green findings and evidence are open from the start."""
    return template().render(report=report, open=view.verbose)


@cache
def template() -> "Template":
    """The page's own, with filters, style and script in its environment."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # 45 ms that only this format needs

    environment = Environment(
        loader=PackageLoader("blueplane_doctor", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=html_text.clean,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= _FILTERS
    environment.globals |= _GLOBALS
    for name in ("style.css", "script.js"):
        text = own_file(environment, name)
        kind = name.partition(".")[0]
        environment.globals[kind] = Markup(text)  # ours, not a report's
        environment.globals[f"{kind}_hash"] = policy_hash(text)
    return environment.get_template("report.html.j2")


def own_file(environment: "Environment", name: str) -> str:
    """A file of ours from templates/, as browsers will hash it."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0].replace("\r\n", "\n")


def policy_hash(text: str) -> str:
    """By which a content security policy names a style sheet or script."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


FORMAT = Format("html", (".html", ".htm"), render, markup=True)

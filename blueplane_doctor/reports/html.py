"""HTML: one page that needs nothing but itself, made from templates/.

The page asks for nothing over the network and says so to the browser: its content security policy allows the one
style sheet and the one script that are written into it, named by their hashes, and nothing else. All text of
a report is taken for hostile: it is escaped, and characters that control or reorder text are replaced.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from blueplane_doctor.model import Report
from blueplane_doctor.reports.base import Format, View

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def render(report: Report, view: View) -> str:
    """The page; with `verbose`, green findings and evidence are open from the start."""
    return template().render(report=report, open=view.verbose)


@cache
def template() -> "Template":
    """The page's own, with filters, style and script in its environment."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # 45 ms that only this format needs
    from markupsafe import Markup

    from blueplane_doctor.reports.page import pictures, values
    from blueplane_doctor.reports.trends import quantity, trends

    environment = Environment(
        loader=PackageLoader("blueplane_doctor", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=values.clean,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters = ("anchor", "title", "label", "shown", "humane", "number", "utc", "sentence", "upto", "compact")
    tables = ("columns", "headings", "lines")
    environment.filters |= {name: getattr(values, name) for name in (*filters, *tables)} | {"quantity": quantity}
    drawn = {"flow": pictures.flow, "bars": pictures.bars, "trends": trends, "bar_kinds": pictures.BARS}
    environment.globals |= drawn | {"limit": values.SHOWN_ITEMS}
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


FORMAT = Format("html", (".html", ".htm"), render)

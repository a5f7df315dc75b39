"""Reports in which every text is hostile, and one in which findings are waived and compared with a baseline."""

from typing import Any

from blueplane_doctor.findings import count_statuses, in_order
from blueplane_doctor.model import Change, Report, Waiver
from tests.reports import samples

POISONS = {
    "html": "<marquee>bold</marquee><img src=x onerror=alert(1)><iframe src='//evil.example'></iframe>",
    "script": "</script></style></title></textarea><script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "comment": "--><!-- ]]> <![CDATA[ <?php ?> &lt;script&gt; &#x41;",
    "template": "{{ 7 * 7 }}{% raw %}${{ github.token }}${HOME}$(id)`id`",
    "terminal": "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\x9b2J\x1b[1A\b\b",
    "formula": "=cmd|' /C calc'!A0",
    "formula-plus": '+HYPERLINK("http://evil.example","x")',
    "newlines": "one\ntwo\r\nthree\r::error::four\x0bfive\x85six\u2028seven\u2029eight",
    "controls": "".join(map(chr, range(32))) + "\x7f" + "".join(map(chr, range(128, 160))) + "\ufffe\uffff",
    "surrogates": "high \ud800 low \udfff swapped \udc00\ud800",
    "direction": "\u202eder\u202c \u2066x\u2069 \u200f \u200e \u061c \ufeff\u200b\u00ad",
    "markdown": "[x](javascript:alert(1)) ![i](//evil.example/i.png) ``` ~~~ `|` |--| **b** __b__\n# heading\n- item",
    "mentions": "@octocat #123 owner/repo#1 GH-7 !12 a@evil.example http://evil.example www.evil.example $x^2$ <//e.x>",
    "details": "</summary></details>\n\n</details>\n```\n</details>",
    "workflow": "::error file=a,line=1::boo%0A::set-output name=a::b##[error]x",
    "perfdata": "OK | 'fake'=1;2;3 \\n \\| 'a''=1",
    "exposition": 'x"} 1\nfake_metric{a="b\\',
    "long": "word " * 40 + "x" * 1_000,
    "empty": "",
}


def poisoned(name: str) -> Report:
    """The mixed report, waivers and all, with this poison at the start and the end of every text."""
    poison = POISONS[name]

    def mixed_in(value: Any) -> Any:
        if isinstance(value, str):
            return poison + value + poison if poison else ""
        if isinstance(value, dict):
            return {key: mixed_in(item) for key, item in value.items()}
        return [mixed_in(item) for item in value] if isinstance(value, list) else value

    values = compared().model_dump()
    kept = {finding["id"]: {"status": finding["status"], "change": finding["change"]} for finding in values["findings"]}
    for finding in values["findings"]:
        own = kept[finding["id"]]
        finding["evidence"] = {_key(key, poison): mixed_in(item) for key, item in finding["evidence"].items()}
        finding["scale"] = _poisoned_scale(finding["scale"], poison)
        finding.update({key: mixed_in(item) for key, item in finding.items() if key not in ("evidence", "scale")} | own)
    whole = ("tool", "generated_at", "baseline", "metrics")
    return Report.model_validate(values | {key: mixed_in(values[key]) for key in whole})


def _poisoned_scale(scale: dict[str, Any] | None, poison: str) -> dict[str, Any] | None:
    """Its texts come from a check: the unit and the words of its states."""
    if scale is None:
        return None
    words = {_key(word, poison): status for word, status in scale["words"].items()}
    return scale | {"unit": poison + scale["unit"] + poison, "words": words}


def _key(key: str, poison: str) -> str:
    """Keys must be UTF-8 to be in a record at all."""
    return key + poison.encode("utf-8", "replace").decode()


def compared() -> Report:
    """The mixed report beside a baseline, with two findings waived."""
    changes = dict(zip(("chain-breaks", "queue-depth", "wal-size", "write-p95", "house-rule"), Change, strict=True))
    waivers = {
        "dead-letters": Waiver(reason="Known since the move; ticket OPS-12", owner="platform", expires="2026-04-01"),
        "server-errors": Waiver(reason="There is no log on this host"),
    }
    report = samples.mixed()
    findings = [
        f.model_copy(update={"change": changes.get(f.id), "waiver": waivers.get(f.id)}) for f in report.findings
    ]
    return report.model_copy(
        update={
            "findings": in_order(findings),
            "counts": count_statuses(findings),
            "baseline": "2026-03-13T09:00:00.000Z",
        }
    )


REPORTS = {
    "empty": samples.empty,
    "healthy": samples.healthy,
    "mixed": samples.mixed,
    "compared": compared,
} | {f"hostile-{name}": (lambda name=name: poisoned(name)) for name in POISONS}
"""What every format must be able to show, by name."""

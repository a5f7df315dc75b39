"""What showing a report costs: each format with 200 findings, and a page with 10,000 breaks.

`python -m benchmarks.bench_rendering` prints a figure a line. Each format is measured in a process of its own, which
has shown a small report before: what is imported and compiled once is no part of the figure.
"""

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import figure, run
from blueplane_doctor.checkapi import Scale
from blueplane_doctor.findings import count_statuses, in_order, worst
from blueplane_doctor.model import Finding, Remedy, Report, Status, Tool
from blueplane_doctor.plugins.discovery import find_formats
from blueplane_doctor.reports.base import View

FINDINGS = 200
BREAKS = 10_000
ROUNDS = 15
RENDERING_LIMIT_MS = 50
PAGE_LIMIT_MS = 1_000
PAGE_LIMIT_KB = 300
_SCALE = Scale.rising(unit="messages", yellow=10, orange=100, red_above=150)


def chain_break(number: int) -> dict[str, Any]:
    """A break as the chain's health record holds it."""
    return {
        "kind": "lost",
        "id": f"{1_773_479_901_310 + number}-0",
        "event_id": f"5f0c6a52-0d2e-4b5e-9a35-{number:012d}",
        "enqueued_at": "2026-03-14T09:18:21.310Z",
        "route": "cursor",
        "group": "processors",
        "event_type": "generation",
        "reason": "acknowledged without a row or a dead letter",
    }


def finding(number: int, breaks: int = 5) -> Finding:
    """One finding of many, in every colour, each with a remedy and some evidence."""
    graded = _SCALE.grade(
        number,
        f"{number} messages wait for the writer of shard {number}, and nobody takes them",
        remedy=Remedy(
            text=f"Start writer {number}; it writes what waits.", commands=[f"start-writer --shard {number}"]
        ),
        evidence={"shard": number, "breaks": [chain_break(n) for n in range(breaks)]},
    )
    return graded.model_copy(update={"id": f"shard-depth-{number}", "area": f"area-{number % 8}"})


def report_of(findings: list[Finding]) -> Report:
    """A report on these findings."""
    return Report(
        tool=Tool(version="0.1.0"),
        generated_at="2026-03-14T09:26:53.589Z",
        duration_ms=182.4,
        status=worst(f.status for f in findings),
        exit_code=1,
        counts=count_statuses(findings),
        findings=in_order(findings),
    )


def timed(name: str, report: Report) -> dict[str, float]:
    """Milliseconds of the first rendering and of the fastest, and the size in kB."""
    render = find_formats()[name].render
    render(report_of([Finding(status=Status.GREEN, summary="Well", id="x")]), View())
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()  # other programs on the machine do not count
        text = render(report, View())
        taken.append((time.process_time() - began) * 1000)
    return {"first": taken[0], "fastest": min(taken), "kB": len(text.encode()) / 1000}


def measured(name: str, what: str) -> dict[str, float]:
    """The same, in a process of its own."""
    figures: dict[str, float] = json.loads(run([sys.executable, "-m", "benchmarks.bench_rendering", name, what]).output)
    return figures


def ready_in_browser() -> float:
    """Milliseconds from asking for the page with many breaks until all of it is loaded, the median of five."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "report.html")
        file.write_text(find_formats()["html"].render(report_of([finding(151, BREAKS)]), View()), encoding="utf-8")
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        taken = []
        for _ in range(5):
            page.goto(file.as_uri(), wait_until="load")
            taken.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        browser.close()
    return float(median(taken))


def main() -> None:
    """Print the figures; with a format and `findings` or `breaks`, those of this process as JSON."""
    if sys.argv[1:]:
        name, what = sys.argv[1:]
        breaks = what == "breaks"
        report = report_of([finding(151, BREAKS)] if breaks else [finding(n) for n in range(FINDINGS)])
        print(json.dumps(timed(name, report)))
        return
    for name in find_formats():
        took = measured(name, "findings")
        figure(f"{name}, {FINDINGS} findings, the first time", took["first"], "ms", f"< {RENDERING_LIMIT_MS}")
        figure(
            f"{name}, {FINDINGS} findings, the fastest of {ROUNDS}", took["fastest"], "ms", f"< {RENDERING_LIMIT_MS}"
        )
    page = measured("html", "breaks")
    figure(f"html, {BREAKS:,} breaks", page["first"], "ms", f"< {PAGE_LIMIT_MS}")
    figure(f"html, {BREAKS:,} breaks", page["kB"], "kB", f"≤ {PAGE_LIMIT_KB}")
    figure(f"html, {BREAKS:,} breaks, ready in the browser", ready_in_browser(), "ms", f"< {PAGE_LIMIT_MS}")


if __name__ == "__main__":
    main()

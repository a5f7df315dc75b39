"""Running pytest on a pipeline, as people do: in a process of its own, with the plugins that are installed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from blueplane_doctor.demo.simulator import Pipeline
from blueplane_doctor.judging.diagnose import Doctor
from blueplane_doctor.judging.evidence import to_json
from blueplane_doctor.plugins.discovery import find_checks, find_monitors
from tests.helpers import examined, settings_for

OWN_CHECK = """
from blueplane_doctor import Finding, Scale, check

@check(area="mine", scale=Scale.rising(yellow=5, orange=50, unit="groups"))
def check_own_groups(queue, scale) -> Finding:
    "Groups of the queue."
    return scale.grade(len(queue.groups), f"{len(queue.groups)} groups read the queue")
"""
BUILT_IN = {spec.id for spec in find_checks().checks}


@dataclass(frozen=True)
class Case:
    """One test as the JUnit file tells it."""

    classname: str
    outcome: str
    """passed, failure, error, skipped, or xfail."""
    text: str
    properties: dict[str, str]


def examining(pipeline: Pipeline) -> list[str]:
    """The options that examine this pipeline."""
    return ["--blueplane", f"--blueplane-home={pipeline.home}", f"--blueplane-redis-url={pipeline.redis_url}"]


def cases(pytester: pytest.Pytester, *arguments: object) -> dict[str, Case]:
    """Run pytest, and read every test from the JUnit file."""
    file = pytester.path / "junit.xml"
    pytester.runpytest_subprocess(f"--junitxml={file}", *map(str, arguments))
    return {case.attrib["name"]: _case(case) for case in ET.parse(file).getroot().iter("testcase")}


def _case(element: ET.Element) -> Case:
    ending = next((e for e in element if e.tag in ("failure", "error", "skipped")), None)
    outcome = "passed" if ending is None else "xfail" if ending.get("type") == "pytest.xfail" else ending.tag
    text = "" if ending is None else f"{ending.get('message')}\n{ending.text or ''}"
    properties = {p.attrib["name"]: p.attrib["value"] for p in element.iter("property")}
    return Case(element.attrib["classname"], outcome, text, properties)


def ids(result: pytest.RunResult) -> list[str]:
    """The tests of a `--collect-only -q` run."""
    return [line for line in result.outlines if "::" in line and not line.startswith("ERROR")]


def kept_evidence(pipeline: Pipeline, file: Path) -> Path:
    """A file of what the pipeline shows now: time goes on, this does not."""
    file.write_text(to_json(Doctor(settings_for(pipeline)).collect(names=find_monitors())), encoding="utf-8")
    return file


@contextmanager
def one_reading(pipeline: Pipeline) -> Iterator[None]:
    """What is done meanwhile must ask the server exactly as much as one run of the command line does."""
    before = _reads(pipeline)
    examined(pipeline)
    once = _reads(pipeline)
    yield
    asked = once - before
    assert asked and _reads(pipeline) - once == asked


def _reads(pipeline: Pipeline) -> Counter[str]:
    """How often each command that reads streams was called so far."""
    stats = pipeline.client.info("commandstats")
    names = ("cmdstat_xinfo|stream", "cmdstat_xinfo|groups", "cmdstat_xrange", "cmdstat_xpending")
    return Counter({name: stats[name]["calls"] for name in names if name in stats})

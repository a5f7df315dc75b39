"""The HTML page: needs nothing but itself, cannot be made to do anything, and is the same for the same report."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from blueplane_doctor.model import Finding, Grading, Remedy, Report, Status
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.html import FORMAT, render
from tests.reports import samples

REPORTS = {"healthy": samples.healthy, "mixed": samples.mixed, "empty": samples.empty}
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "single quote": "' autofocus onfocus=alert(1) x='",
    "end of CDATA": "]]><svg onload=alert(1)>",
    "comment": "--><!--<style>*{display:none}</style>",
    "template": "{{ 7 * 7 }}{% include 'x' %}",
    "link": "javascript:alert(1)",
}
INVISIBLE = "\x00\x07\x1b[31m\x7f\x9b\u200e\u200f\u202e\u2066\u2069\ufeff\U000e0041\udc80"
VOID = {"meta", "link", "br", "input", "path", "rect", "circle", "use", "stop"}


class Page(HTMLParser):
    """What is in a page: tags with their attributes, IDs, and the text of each style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.own: dict[str, list[str]] = {"style": [], "script": []}
        self.headings: list[int] = []
        self.unclosed: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.unclosed.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.unclosed and self.unclosed[-1] in self.own:
            self.own[self.unclosed[-1]].append(data)


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]()


def with_everywhere(text: str) -> Report:
    """The mixed report with a text in every place where one can be."""
    finding = Finding(
        status=Status.ORANGE,
        summary=text,
        observed=text,
        unit=text,
        scale=Grading(direction="states", unit=text, words={"fine": Status.GREEN, text: Status.ORANGE}),
        cause=text,
        remedy=Remedy(text=text, commands=[text]),
        evidence={text: text, "list": [text], "records": [{text: text}], "deep": {"a": {"b": {"c": {text: text}}}}},
        id=text,
        area=text,
    )
    green = finding.model_copy(update={"status": Status.GREEN, "id": "green" + text})
    metrics = {"chain": {"by_route": {}, **_replaced(samples.mixed().metrics["chain"], text)}, text: {text: text}}
    return samples.report_of([finding, green], samples.mixed().metrics | metrics)


def _replaced(value: object, text: str) -> object:
    if isinstance(value, dict):
        return {key: _replaced(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, text) for inner in value[:2]]
    return text if isinstance(value, str) else value


def test_the_page_is_well_formed_and_its_headings_descend_by_one(report: Report) -> None:
    page = Page(render(report, View()))
    assert not page.unclosed
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))


def test_the_page_asks_for_nothing(report: Report) -> None:
    text = render(report, View())
    page = Page(text)
    for tag, attributes in page.tags:
        if tag == "link":
            # The picture beside the page's title is written into the page: it is fetched from nowhere.
            assert attributes["rel"] == "icon"
            assert (attributes.pop("href") or "").startswith("data:image/svg+xml,")
        assert tag not in {"img", "iframe", "object", "embed", "base", "audio", "video"}
        assert "src" not in attributes
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"@import|url\((?!#)|@font-face", "".join(page.own["style"]))
    assert "//" not in re.sub(r"//.*", "", "".join(page.own["script"]))


def test_the_policy_allows_exactly_the_inlined_style_and_script(report: Report) -> None:
    page = Page(render(report, View()))
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy") or ""
    hashes = {kind: b64encode(sha256("".join(texts).encode()).digest()).decode() for kind, texts in page.own.items()}
    assert [tag for tag, _ in page.tags if tag in page.own] == ["style", "script"]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    as_many_words = " ".join("word" for _ in text.split(" "))  # each word of a command has its span
    page, harmless = Page(render(with_everywhere(text), View())), Page(render(with_everywhere(as_many_words), View()))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert [sorted(a) for _, a in page.tags] == [sorted(a) for _, a in harmless.tags]
    assert page.own == harmless.own


def test_characters_that_hide_or_reorder_text_are_replaced() -> None:
    text = render(with_everywhere(f"a{INVISIBLE}b"), View())
    assert not set(INVISIBLE) - {"[", "3", "1", "m"} & set(text)
    assert "a\N{REPLACEMENT CHARACTER}" in text
    text.encode()


def test_the_same_report_gives_the_same_bytes(report: Report) -> None:
    assert render(report, View()) == render(report.model_copy(deep=True), View())


def test_breaks_say_how_many_of_them_are_shown() -> None:
    assert "Showing 200 of 1,234" in render(samples.mixed(), View())


@pytest.mark.parametrize("name", ["queue", "database", "capture", "chain", "server", "redis"])
def test_a_record_that_is_missing_is_said_to_be(name: str) -> None:
    report = samples.mixed()
    for metrics in (report.metrics | {name: None}, {k: v for k, v in report.metrics.items() if k != name}):
        text = render(report.model_copy(update={"metrics": metrics}), View())
        assert ("Not examined" in text) == (name == "chain" or name in metrics)


def test_counts_of_another_program_may_lack_a_status_or_a_state() -> None:
    report = samples.mixed()
    metrics = report.metrics | {"chain": {**(report.metrics["chain"] or {}), "states": {}}}
    text = render(report.model_copy(update={"counts": {}, "metrics": metrics}), View())
    assert "0 green" in text


def test_several_causes_of_one_kind_have_anchors_of_their_own() -> None:
    report = samples.mixed()
    twice = report.model_copy(update={"causes": [report.causes[0], report.causes[0]]})
    anchors = [attributes.get("id") for _, attributes in Page(render(twice, View())).tags]
    named = [anchor for anchor in anchors if anchor and anchor.startswith("cause-")]
    assert len(named) == len(set(named)) == 4


def test_every_status_is_said_in_words_beside_its_colour() -> None:
    text = render(samples.mixed(), View())
    assert all(f"<span>{status.words.capitalize()}</span>" in text for status in Status if status is not Status.GREEN)


def test_buckets_are_drawn_and_tabled_whatever_they_hold() -> None:
    report = samples.healthy()
    without = render(report, View())
    assert "What happened when" not in without
    for buckets in (
        samples.buckets(),
        [{"start": "2026-03-14T09:00:00Z"}],
        [{"start": None, "new": "x", "written": 3}],
    ):
        chain = report.metrics["chain"] | {"buckets": buckets}
        text = render(report.model_copy(update={"metrics": report.metrics | {"chain": chain}}), View())
        assert "What happened when" in text
        assert "Messages by time" in text


def test_verbose_opens_what_is_folded() -> None:
    assert render(samples.mixed(), View(verbose=True)).count("<details open>") > 3
    assert "<details open>" not in render(samples.mixed(), View())


def test_the_format_is_registered_by_its_name_and_suffixes() -> None:
    assert (FORMAT.name, FORMAT.suffixes, FORMAT.render) == ("html", (".html", ".htm"), render)


def test_a_narrow_page_hides_no_part_of_the_legend() -> None:
    """The parts of the strip add up to the messages that were examined."""
    page = Page(render(samples.mixed(), View()))
    hidden = re.findall(r"([^{}]*)\{[^{}]*display: none", "".join(page.own["style"]))
    assert hidden
    assert [selector for selector in hidden if ".key" in selector] == []

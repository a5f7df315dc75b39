"""Findings and causes as the page groups and counts them."""

from blueplane_doctor.model import Status
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.html import render
from blueplane_doctor.reports.html_findings import grouped
from tests.reports import samples


def test_every_finding_has_its_anchor_worst_first() -> None:
    report = samples.mixed()
    text = render(report, View())
    groups = grouped(report)
    green = [finding for finding in report.findings if finding.status is Status.GREEN]
    shown = [*groups.alone, *groups.explained, *groups.unjudged, *green]
    assert sorted(finding.id for finding in shown) == sorted(finding.id for finding in report.findings)
    for group in (groups.alone, groups.explained, groups.unjudged):
        assert [finding.id for finding in group] == [one.id for one in report.findings if one in group]
    places = [text.index(f'id="finding-{finding.id}"') for finding in shown]
    assert places == sorted(places)


def test_causes_come_first_each_with_what_follows_and_what_to_do() -> None:
    report = samples.mixed()
    text = render(report, View())
    places = [text.index(f'id="cause-{cause.id}"') for cause in report.causes]
    assert places == sorted(places)
    assert places[-1] < text.index('id="findings"')
    first = text[places[0] : places[1]]
    assert "red, since 09:18 UTC (9 min)" in first
    assert 'href="#finding-chain-breaks"' in first
    assert "<span>blueplane-doctor</span> <span>trace</span> <span>1773479901310-0</span>" in first
    assert "1,180 of them can still be saved" in first

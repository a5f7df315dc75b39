"""JUnit XML against the schema that CI systems go by, and through a reader of theirs."""

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree

from blueplane_doctor.model import Change, Report, Status
from blueplane_doctor.reports.base import View
from blueplane_doctor.reports.junit import render
from tests.reports.hostile import REPORTS

SCHEMA = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="seconds"><xs:restriction base="xs:string">
    <xs:pattern value="[0-9]+(\\.[0-9]{1,3})?"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="local"><xs:restriction base="xs:dateTime">
    <xs:pattern value="[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"/></xs:restriction></xs:simpleType>
  <xs:attributeGroup name="totals">
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="time" type="seconds" use="required"/>
  </xs:attributeGroup>
  <xs:complexType name="outcome"><xs:simpleContent><xs:extension base="xs:string">
    <xs:attribute name="message" type="xs:string"/><xs:attribute name="type" type="xs:string" use="required"/>
  </xs:extension></xs:simpleContent></xs:complexType>
  <xs:complexType name="case">
    <xs:sequence>
      <xs:choice minOccurs="0">
        <xs:element name="skipped" type="outcome"/>
        <xs:element name="error" type="outcome"/>
        <xs:element name="failure" type="outcome"/>
      </xs:choice>
      <xs:element name="system-out" type="xs:string" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="classname" type="xs:string" use="required"/>
    <xs:attribute name="time" type="seconds" use="required"/>
  </xs:complexType>
  <xs:element name="testsuites"><xs:complexType>
    <xs:sequence><xs:element name="testsuite" maxOccurs="unbounded"><xs:complexType>
      <xs:sequence>
        <xs:element name="properties"><xs:complexType><xs:sequence>
          <xs:element name="property" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
            <xs:attribute name="name" type="xs:string" use="required"/>
            <xs:attribute name="value" type="xs:string" use="required"/>
          </xs:complexType></xs:element>
        </xs:sequence></xs:complexType></xs:element>
        <xs:element name="testcase" type="case" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:attributeGroup ref="totals"/>
      <xs:attribute name="skipped" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="timestamp" type="local"/>
    </xs:complexType></xs:element></xs:sequence>
    <xs:attributeGroup ref="totals"/>
  </xs:complexType></xs:element>
</xs:schema>
"""
"""The strictest of what the schemas of Ant, Surefire and Jenkins agree on, for the elements that are used here."""


def cases(report: Report) -> dict[str, etree._Element]:
    root = etree.fromstring(render(report, View()).encode())
    return {case.get("name"): case for case in root.iter("testcase")}


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_fits_the_schema(report: str) -> None:
    schema = etree.XMLSchema(etree.fromstring(SCHEMA))
    schema.assertValid(etree.fromstring(render(REPORTS[report](), View()).encode()))


@pytest.mark.parametrize("report", ["empty", "healthy", "mixed", "compared"])
def test_the_totals_are_what_a_reader_counts(report: str) -> None:
    made = REPORTS[report]()
    read = JUnitXml.fromstring(render(made, View()).encode())
    [suite] = read
    results = [result for case in suite for result in case.result]
    assert suite.tests == len(list(suite)) == len(made.findings)
    assert suite.failures == sum(isinstance(r, Failure) for r in results)
    assert suite.errors == sum(isinstance(r, Error) for r in results)
    assert suite.skipped == sum(isinstance(r, Skipped) for r in results)


@pytest.mark.parametrize(
    ("status", "tag"),
    [
        (Status.GREEN, None),
        (Status.YELLOW, "system-out"),
        (Status.ORANGE, "failure"),
        (Status.RED, "failure"),
        (Status.ERROR, "error"),
        (Status.UNKNOWN, "skipped"),
        (Status.SKIPPED, "skipped"),
    ],
)
def test_each_status_has_its_outcome(status: Status, tag: str | None) -> None:
    report = REPORTS["mixed"]()
    [finding] = [f.model_copy(update={"status": status}) for f in report.findings if f.id == "dead-letters"]
    [case] = cases(report.model_copy(update={"findings": [finding]})).values()
    assert case.get("classname") == "blueplane.dead-letters"
    assert [child.tag for child in case] == ([tag] if tag else [])


def test_a_failure_tells_what_was_observed_the_scale_the_remedy_and_the_evidence() -> None:
    text = cases(REPORTS["mixed"]())["dead-letters"].find("failure").text
    assert "observed: 37 messages" in text
    assert "orange ≥ 10 and ≤ 100" in text
    assert "$ blueplane-doctor dead-letters --group-by reason" in text
    assert '"telemetry:dlq": 35' in text


def test_a_waived_finding_is_skipped_with_its_reason() -> None:
    skipped = cases(REPORTS["compared"]())["dead-letters"].find("skipped")
    assert skipped.get("message").startswith(
        "waived by platform until 2026-04-01: Known since the move; ticket OPS-12 (orange, waived: 37 messages"
    )


def test_a_check_that_could_not_be_judged_is_skipped_with_its_cause() -> None:
    skipped = cases(REPORTS["mixed"]())["clock-skew"].find("skipped")
    assert "Redis 6.2.14 does not tell its time" in skipped.get("message")


def test_a_green_finding_that_was_ill_before_says_so() -> None:
    report = REPORTS["healthy"]()
    fixed = [f.model_copy(update={"change": Change.FIXED}) for f in report.findings[:1]]
    [case] = cases(report.model_copy(update={"findings": fixed})).values()
    assert case.find("system-out").text.startswith("green, fixed: ")


def test_a_section_end_in_text_is_escaped_and_comes_back() -> None:
    report = REPORTS["mixed"]()
    broken = [f.model_copy(update={"summary": "a ]]> b <&> \x00 \ud800 c"}) for f in report.findings]
    failure = cases(report.model_copy(update={"findings": broken}))["chain-breaks"].find("failure")
    assert failure.get("message") == "red: a ]]> b <&> \ufffd \ufffd c"


def test_causes_are_properties_of_the_suite() -> None:
    [suite] = JUnitXml.fromstring(render(REPORTS["mixed"](), View()).encode())
    values = {one.name: one.value for one in suite.properties()}
    assert {name.removeprefix("cause.1."): text for name, text in values.items() if name.startswith("cause.1.")} == {
        "id": "malformed-payloads",
        "title": "A producer sends payloads that the writer drops",
        "status": "red",
        "summary": "1,180 messages are acknowledged and not written: payload is a list instead of an object.",
        "since": "2026-03-14T09:18:21.310Z",
        "at_stake": "1,180 messages lost (1,180 of them can still be saved)",
        "next_step": "Mend the producer; save the messages before the stream trims them.",
        "command": "blueplane-doctor trace 1773479901310-0",
        "explains": "chain-breaks",
    }
    assert values["cause.2.id"] == "database-locked"
    assert "This is likely. What would make it certain" in values["cause.2.summary"]
    assert "cause.3.id" not in values


def test_a_case_names_the_cause_that_it_follows_from() -> None:
    [suite] = JUnitXml.fromstring(render(REPORTS["mixed"](), View()).encode())
    [case] = [case for case in suite if case.name == "chain-breaks"]
    assert "follows from: malformed-payloads" in case.result[0].text
    assert "cause: malformed-payloads" not in case.result[0].text

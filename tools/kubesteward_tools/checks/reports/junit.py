"""Outcomes as JUnit XML, which every pipeline shows: an object is a suite, a finding a failure in it."""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree as Xml

from kubesteward_tools.checks.reports.data import message, summary
from kubesteward_tools.checks.run import Outcome, Report
from kubesteward_tools.pictures.escapes import line


def render(report: Report) -> str:
    """One suite for each object with findings; where there are none, one that passed."""
    failures, ignored = str(len(report.open)), str(len(report.outcomes) - len(report.open))
    root = Xml.Element("testsuites", name="kubesteward check", failures=failures, skipped=ignored)
    for ref, group in groupby(report.outcomes, key=lambda item: item.object):
        found = list(group)
        failed = sum(not item.ignored for item in found)
        suite = Xml.SubElement(root, "testsuite", name=line(str(ref)), tests=str(len(found)), failures=str(failed))
        for item in found:
            _case(suite, item)
    if not report.outcomes:
        suite = Xml.SubElement(root, "testsuite", name="kubesteward check", tests="1", failures="0")
        Xml.SubElement(suite, "testcase", classname="kubesteward", name=summary(report))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, "unicode") + "\n"


def _case(suite: Xml.Element, item: Outcome) -> None:
    case = Xml.SubElement(suite, "testcase", classname=line(str(item.object)), name=_name(item))
    if item.place is not None:
        case.set("file", item.place.source)
        case.set("line", str(item.place.line))
    if item.ignored:
        Xml.SubElement(case, "skipped", message=line(item.ignored, 500))
        return
    failure = Xml.SubElement(case, "failure", message=line(message(item), 500), type=item.severity.value)
    failure.text = f"{item.check.why}\nFix: {item.check.fix}"


def _name(item: Outcome) -> str:
    return line(f"{item.check.id} {item.where}".strip(), 300)

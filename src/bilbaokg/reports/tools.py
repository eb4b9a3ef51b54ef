"""Reports for programs: CSV, JSON, Turtle, JUnit, SARIF."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

from bilbaokg.model import Problem, Report
from bilbaokg.reports import tables
from bilbaokg.reports.words import agreement, difference, one, words

__all__ = ["as_csv", "as_json", "junit", "sarif", "turtle"]

_COLUMNS: Final = (
    "severity", "dataset", "title", "steward", "focus", "path", "value", "message", "hint",
    "component", "shape", "file", "line", "label", "allowed", "nearest", "detail", "owner",
)  # fmt: skip
_LEVELS: Final = {"violation": "error", "warning": "warning", "info": "note"}
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_csv(report: Report, language: str) -> str:
    """One row a finding."""
    return tables.as_csv([_COLUMNS, *map(_row, report.results)])


def _row(problem: Problem) -> list[Any]:
    row = {**problem.as_dict(), "file": None, "line": None, **(problem.source or {})}
    row["allowed"] = " | ".join(problem.allowed or ())
    return [row[name] for name in _COLUMNS]


def as_json(report: Report, language: str) -> str:
    """The document of the interface."""
    return json.dumps(report.as_dict(), ensure_ascii=False, indent=2) + "\n"


def turtle(report: Report, language: str) -> str:
    """The standard report."""
    return report.turtle


def _rule(problem: Problem) -> str:
    return problem.shape or problem.component or "rule"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def junit(report: Report, language: str) -> str:
    """One test case a shape and dataset; what the gate names is a failure, the rest is told."""
    said = words(language)
    cases: dict[tuple[str, str], list[Problem]] = defaultdict(list)
    for problem in report.results:
        cases[_rule(problem), problem.dataset or problem.focus or ""].append(problem)
    failed = sum(any(p.severity in report.gate for p in found) for found in cases.values())
    counts = {"tests": str(max(len(cases), 1)), "failures": str(failed), "errors": "0"}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(report.profile), **counts})
    if not cases:
        ElementTree.SubElement(
            suite, "testcase", {"classname": _xml(report.profile), "name": "conforms"}
        )
    for (shape, dataset), found in cases.items():
        name = {"classname": _xml(shape), "name": _xml(dataset) or "-"}
        case = ElementTree.SubElement(suite, "testcase", name)
        for problem in found:
            _junit_result(case, problem, problem.severity in report.gate, said)
    _junit_agreement(root, suite, report, language)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_agreement(
    root: ElementTree.Element, suite: ElementTree.Element, report: Report, language: str
) -> None:
    """An error where two engines do not agree: there is no verdict to trust."""
    if not report.differences:
        return
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": _xml(report.profile), "name": "engines agree"}
    )
    told = [difference(found, language) for found in report.differences]
    error = {"message": agreement(report, language) or "", "type": "EnginesDisagree"}
    ElementTree.SubElement(case, "error", error).text = _xml("\n".join(told))
    for element in (root, suite):
        element.set("tests", str(int(element.attrib["tests"]) + 1))
        element.set("errors", "1")


def _junit_result(
    case: ElementTree.Element, problem: Problem, fails: bool, said: dict[str, str]
) -> None:
    detail = [one(problem, said), problem.detail, problem.path, problem.hint]
    text = _xml("\n".join(part for part in detail if part))
    if fails:
        kind = {"message": _xml(problem.message), "type": _xml(problem.component or "constraint")}
        ElementTree.SubElement(case, "failure", kind).text = text
    else:
        note = f"{said[problem.severity]}: {_xml(problem.message)}\n{text}"
        ElementTree.SubElement(case, "system-out").text = note


def sarif(report: Report, language: str) -> str:
    """SARIF 2.1.0: one rule a shape, one result a finding (section 3.27)."""
    from importlib.metadata import version  # takes long, and is for this format alone

    rules: dict[str, Problem] = {}
    for problem in report.results:
        rules.setdefault(_rule(problem), problem)
    order = {rule: index for index, rule in enumerate(rules)}
    driver = {
        "name": "bilbaokg",
        "version": version("bilbaokg"),
        "rules": [_sarif_rule(rule, problem) for rule, problem in rules.items()],
    }
    results = [_sarif_result(problem, order) for problem in report.results]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "language": language,
                "columnKind": "unicodeCodePoints",
                "properties": {
                    name: value
                    for name, value in report.as_dict().items()
                    if name in ("profile", "engine", "differences")
                },
                "results": results,
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _sarif_rule(rule: str, problem: Problem) -> dict[str, Any]:
    described = {"id": rule, "shortDescription": {"text": problem.message}}
    if problem.hint:
        described["help"] = {"text": problem.hint}
    return {**described, "defaultConfiguration": {"level": _LEVELS[problem.severity]}}


def _sarif_result(problem: Problem, order: dict[str, int]) -> dict[str, Any]:
    rule = _rule(problem)
    location: dict[str, Any] = {}
    source = problem.source or {}
    if source.get("file"):
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(str(source["file"]))}}
        if source.get("line"):
            location["physicalLocation"]["region"] = {"startLine": source["line"]}
    if problem.focus:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.focus, "kind": "resource"}]
    return {
        "ruleId": rule,
        "ruleIndex": order[rule],
        "level": _LEVELS[problem.severity],
        "message": {"text": f"{problem.message} {problem.detail or ''}".strip()},
        **({"locations": [location]} if location else {}),
        "properties": problem.as_dict(),
    }


def _uri(file: str) -> str:
    """A file name as a URI reference (RFC 3986): absolute paths as file:, others relative."""
    path = PurePath(file.encode("utf-8", "replace").decode())
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())

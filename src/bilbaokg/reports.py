"""Validation reports for people and for tools: text, HTML, CSV; JSON, Turtle, JUnit, SARIF.

Values come from foreign data: each format is escaped by its own rules, terminals and spreadsheets
included.
"""

from __future__ import annotations

import csv
import io
import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

import jinja2

from bilbaokg import assets
from bilbaokg.errors import UnsupportedFormat
from bilbaokg.model import SEVERITIES, Problem, Report
from bilbaokg.terms import LANGUAGES, PREFIXES

__all__ = ["FORMATS", "printable", "render"]

_WORDS: Final[dict[str, dict[str, str]]] = {
    "es": {
        "title": "Informe de validación",
        "conforms": "CONFORME con {profile}: ningún resultado.",
        "passes": "NO BLOQUEA: nada impide publicar según {profile}, pero hay mejoras.",
        "blocks": "BLOQUEA LA PUBLICACIÓN según {profile}.",
        "counts": "{violation} violaciones, {warning} advertencias, {info} avisos; "
        "{focus} recursos examinados ({engine}).",
        "violation": "Violación",
        "warning": "Advertencia",
        "info": "Aviso",
        "hint": "Cómo arreglarlo",
        "value": "valor",
        "steward": "responsable",
        "more": "… y {n} más (todos con --format json)",
        "where": "Dónde",
        "property": "Propiedad",
    },
    "eu": {
        "title": "Balioztatze-txostena",
        "conforms": "BAT DATOR {profile} profilarekin: emaitzarik ez.",
        "passes": "EZ DU BLOKEATZEN: {profile} profilaren arabera argitara daiteke, hobekuntzekin.",
        "blocks": "ARGITALPENA BLOKEATZEN DU, {profile} profilaren arabera.",
        "counts": "{violation} urraketa, {warning} ohartarazpen, {info} ohar; "
        "{focus} baliabide aztertuta ({engine}).",
        "violation": "Urraketa",
        "warning": "Ohartarazpena",
        "info": "Oharra",
        "hint": "Nola konpondu",
        "value": "balioa",
        "steward": "arduraduna",
        "more": "… eta beste {n} (guztiak: --format json)",
        "where": "Non",
        "property": "Propietatea",
    },
    "en": {
        "title": "Validation report",
        "conforms": "CONFORMS to {profile}: no results.",
        "passes": "DOES NOT BLOCK: {profile} stops no release here; there is room to improve.",
        "blocks": "BLOCKS THE RELEASE under {profile}.",
        "counts": "{violation} violations, {warning} warnings, {info} notes; "
        "{focus} resources looked at ({engine}).",
        "violation": "Violation",
        "warning": "Warning",
        "info": "Note",
        "hint": "How to mend it",
        "value": "value",
        "steward": "steward",
        "more": "… and {n} more (all of them with --format json)",
        "where": "Where",
        "property": "Property",
    },
}
_SHOWN: Final = 10
_COLUMNS: Final = (
    "severity", "dataset", "title", "steward", "focus", "path", "value", "message", "hint",
    "component", "shape", "file", "line",
)  # fmt: skip
_LEVELS: Final = {"violation": "error", "warning": "warning", "info": "note"}
_COLOURS: Final = {"violation": "\x1b[31m", "warning": "\x1b[33m", "info": "\x1b[36m"}
# C0 and C1 controls, and the characters that turn the direction of writing.
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Group = tuple[str, str, str | None, str | None, list[Problem]]


def render(
    report: Report, format: str, language: str = "es", *, width: int = 80, colour: bool = False
) -> str:
    """A report as text of one of FORMATS.

    width and colour (ANSI codes) are for the text format. Raises UnsupportedFormat.
    """
    if format not in FORMATS:
        raise UnsupportedFormat(
            f"unknown report format {format!r}", hint=f"one of: {', '.join(FORMATS)}"
        )
    language = language if language in LANGUAGES else "es"
    if format == "text":
        text = _text(report, language, width, colour)
    else:
        text = FORMATS[format](report, language)
    # File names may hold bytes that are no UTF-8: no output could be written with them.
    return text.encode("utf-8", "replace").decode()


def printable(text: str) -> str:
    """The text without what steers a terminal; line ends and tabs stay."""
    return _UNSAFE.sub("\ufffd", text)


def _verdict(report: Report, words: dict[str, str]) -> str:
    outcome = "blocks" if report.blocks_release else "passes" if report.results else "conforms"
    return words[outcome].format(profile=report.profile)


def _summary(report: Report, words: dict[str, str]) -> str:
    return words["counts"].format(**report.counts, focus=report.focus_nodes, engine=report.engine)


def _groups(report: Report) -> list[Group]:
    """Results with the same severity, message, path and hint, the worst and most frequent first."""
    grouped: dict[tuple[str, str, str | None, str | None], list[Problem]] = defaultdict(list)
    for p in report.results:
        grouped[p.severity, p.message, p.path, p.hint].append(p)
    groups = [(*key, found) for key, found in grouped.items()]
    return sorted(groups, key=lambda g: (SEVERITIES.index(g[0]), -len(g[4]), g[1], g[2] or ""))


def _compact(iri: str | None) -> str:
    for prefix, namespace in PREFIXES.items():
        if iri and iri.startswith(namespace) and not set("/#") & set(iri[len(namespace) :]):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri or ""


def _place(problem: Problem) -> str:
    """`file:line`, or an empty text."""
    source = problem.source or {}
    return ":".join(str(source[k]) for k in ("file", "line") if source.get(k) is not None)


# ---- for people


def _safe(text: str) -> str:
    """The text without what steers a terminal, on one line."""
    return printable(" ".join(text.split()))


def _text(report: Report, language: str, width: int = 80, colour: bool = False) -> str:
    words = _WORDS[language]
    lines = [
        *_wrap(_safe(_verdict(report, words)), "", width),
        *_wrap(_safe(_summary(report, words)), "", width),
    ]
    for severity, message, path, hint, found in _groups(report):
        label = words[severity].upper()
        if colour:
            label = f"{_COLOURS[severity]}{label}\x1b[0m"
        about = f"[{_safe(_compact(path))}] " if path else ""
        lines += ["", *_wrap(f"{label}  {_safe(message)} {about}({len(found)})", "", width)]
        if hint:
            lines += _wrap(f"{words['hint']}: {_safe(hint)}", "  ", width)
        for problem in found[:_SHOWN]:
            lines += _wrap(_safe(_one(problem, words)), "  - ", width)
        if len(found) > _SHOWN:
            lines.append("  " + words["more"].format(n=len(found) - _SHOWN))
    return "\n".join(lines) + "\n"


def _one(problem: Problem, words: dict[str, str]) -> str:
    parts = [problem.title or "", problem.focus or "", _place(problem)]
    if problem.value is not None and problem.value != problem.focus:
        parts.append(f"{words['value']}: {problem.value[:200]}")
    if problem.steward:
        parts.append(f"{words['steward']}: {problem.steward}")
    return " · ".join(part for part in parts if part)


def _wrap(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=" " * max(len(indent), 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(assets.folder("web") / "templates" / "reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _html(report: Report, language: str) -> str:
    words = _WORDS[language]
    return _templates().get_template("report.html").render(
        report=report, language=language, words=words, verdict=_verdict(report, words),
        summary=_summary(report, words), groups=_groups(report), compact=_compact, place=_place,
    )  # fmt: skip


def _csv(report: Report, language: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for problem in report.results:
        row = {**problem.as_dict(), "file": None, "line": None, **(problem.source or {})}
        writer.writerow([_cell(row[name]) for name in _COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


# ---- for tools


def _json(report: Report, language: str) -> str:
    return json.dumps(report.as_dict(), ensure_ascii=False, indent=2) + "\n"


def _turtle(report: Report, language: str) -> str:
    return report.turtle


def _rule(problem: Problem) -> str:
    return problem.shape or problem.component or "rule"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _junit(report: Report, language: str) -> str:
    """One test case a shape and dataset; what the gate names is a failure, the rest is told."""
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
            _junit_result(case, problem, problem.severity in report.gate, _WORDS[language])
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_result(
    case: ElementTree.Element, problem: Problem, fails: bool, words: dict[str, str]
) -> None:
    detail = [_one(problem, words), problem.path, problem.hint]
    text = _xml("\n".join(part for part in detail if part))
    if fails:
        kind = {"message": _xml(problem.message), "type": _xml(problem.component or "constraint")}
        ElementTree.SubElement(case, "failure", kind).text = text
    else:
        note = f"{words[problem.severity]}: {_xml(problem.message)}\n{text}"
        ElementTree.SubElement(case, "system-out").text = note


def _sarif(report: Report, language: str) -> str:
    """SARIF 2.1.0: one rule a shape, one result a finding (section 3.27)."""
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
                "properties": {"profile": report.profile, "engine": report.engine},
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
        "message": {"text": problem.message},
        **({"locations": [location]} if location else {}),
        "properties": problem.as_dict(),
    }


def _uri(file: str) -> str:
    """A file name as a URI reference (RFC 3986): absolute paths as file:, others relative."""
    path = PurePath(file.encode("utf-8", "replace").decode())
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


FORMATS: Final[dict[str, Callable[[Report, str], str]]] = {
    "text": _text,
    "json": _json,
    "turtle": _turtle,
    "junit": _junit,
    "sarif": _sarif,
    "html": _html,
    "csv": _csv,
}

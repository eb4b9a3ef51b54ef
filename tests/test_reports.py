"""Reports: each format is read by a parser of that format, and hostile values stay values."""

from __future__ import annotations

import csv
import io
import json
import pickle
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
import rdflib

from bilbaokg import shacl
from bilbaokg.errors import UnsupportedFormat
from bilbaokg.model import Difference, Problem, Report
from bilbaokg.profiles import load
from bilbaokg.reports import FORMATS, render
from bilbaokg.terms import DCAT, DCT, RDF, SH, ref

LINES = [
    f"<http://example.org/d> {ref(RDF.type)} {ref(DCAT.Dataset)} .",
    f'<http://example.org/d> {ref(DCT["title"])} "Aforos"@es .',
]
PLACE = {"file": "datos del año.ttl", "line": 7}
CHECKED = shacl.check(LINES, load("dcat-ap/3.0.1"))
REPORT = replace(CHECKED, results=tuple(replace(r, source=PLACE) for r in CHECKED.results))
CONFORMING = Report("dcat-ap/3.0.1", "pyshacl", (), 3)
WARNED = replace(REPORT, results=tuple(r for r in REPORT.results if r.severity == "warning"))
HOSTILE = '<script>alert(1)</script> & "x" \x1b[31mred\x07 \u202egnirts \ud800 ]]> =cmd|calc'
HOSTILE_REPORT = Report(
    HOSTILE,
    "pyshacl",
    tuple(
        Problem(
            s,
            *[HOSTILE] * 10,
            source={"file": HOSTILE, "line": 3},
            label=HOSTILE,
            allowed=(HOSTILE, "b"),
            nearest=HOSTILE,
            detail=HOSTILE,
            owner=HOSTILE,
        )
        for s in ("violation", "warning", "info")
    ),
    3,
)  # fmt: skip
ALL = {"failing": REPORT, "warned": WARNED, "conforming": CONFORMING, "hostile": HOSTILE_REPORT}


@pytest.fixture(params=ALL.values(), ids=ALL)
def report(request: pytest.FixtureRequest) -> Report:
    return request.param  # type: ignore[no-any-return]


def test_unknown_format_lists_the_formats() -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        render(REPORT, "pdf")
    assert caught.value.hint == f"one of: {', '.join(FORMATS)}"


@pytest.mark.parametrize("format", FORMATS)
def test_same_report_gives_the_same_text(format: str) -> None:
    assert render(REPORT, format, "eu") == render(REPORT, format, "eu")


# ---- text


@pytest.mark.parametrize(
    ("name", "language", "verdict"),
    [
        ("failing", "es", "BLOQUEA LA PUBLICACIÓN según dcat-ap/3.0.1."),
        ("failing", "eu", "ARGITALPENA BLOKEATZEN DU, dcat-ap/3.0.1 profilaren arabera."),
        ("failing", "en", "BLOCKS THE RELEASE under dcat-ap/3.0.1."),
        ("warned", "en", "DOES NOT BLOCK: dcat-ap/3.0.1 stops no release here;"),
        ("conforming", "en", "CONFORMS to dcat-ap/3.0.1: no results."),
        ("conforming", "fr", "CONFORME con dcat-ap/3.0.1: ningún resultado."),
    ],
)
def test_text_begins_with_the_verdict(name: str, language: str, verdict: str) -> None:
    assert render(ALL[name], "text", language, width=200).startswith(verdict)


def test_text_tells_counts_dataset_place_and_how_to_mend_it() -> None:
    text = render(REPORT, "text", "es", width=300)
    assert "1 violación, 7 advertencias, 0 avisos; 1 recurso examinado (fast)." in text
    assert "VIOLACIÓN  Al conjunto de datos le falta «descripción». [dct:description] (1)" in text
    assert "Cómo arreglarlo: Añada dct:description" in text
    assert "  - Aforos · http://example.org/d · datos del año.ttl:7" in text


@pytest.mark.parametrize("width", [40, 72, 120])
def test_text_keeps_to_the_width_of_the_terminal(width: int) -> None:
    text = render(REPORT, "text", "es", width=width)
    words = (line.removeprefix("  - ").strip() for line in text.splitlines() if len(line) > width)
    broken = [line for line in words if " " in line]
    assert broken == []


def test_text_has_colour_only_when_asked() -> None:
    assert "\x1b" not in render(REPORT, "text")
    assert "\x1b[31mVIOLACIÓN\x1b[0m" in render(REPORT, "text", colour=True)


def test_text_shows_ten_of_many_and_counts_the_rest() -> None:
    (first, *_) = REPORT.results
    many = tuple(replace(first, focus=f"http://example.org/{n}") for n in range(25))
    text = render(replace(REPORT, results=many), "text", "en")
    assert text.count("http://example.org/") == 10
    assert "… and 15 more" in text


def test_text_does_not_steer_the_terminal() -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", render(HOSTILE_REPORT, "text"))


# ---- JSON, Turtle


def test_json_is_the_document_of_the_interface(report: Report) -> None:
    document = json.loads(render(report, "json"))
    assert list(document) == [
        "conforms", "blocks_release", "profile", "engine", "counts", "focus_nodes", "results",
    ]  # fmt: skip
    assert document["counts"] == report.counts
    for result in document["results"]:
        assert list(result) == [
            "severity", "message", "focus", "path", "component", "value", "hint", "shape",
            "dataset", "title", "steward", "source", "label", "allowed", "nearest", "detail",
            "owner",
        ]  # fmt: skip


def test_turtle_holds_every_result() -> None:
    graph = rdflib.Graph().parse(data=render(REPORT, "turtle"), format="turtle")
    assert len(list(graph.objects(None, rdflib.URIRef(SH.result)))) == len(REPORT.results)


# ---- JUnit, SARIF


def test_junit_counts_its_cases_and_failures(report: Report) -> None:
    suite = ElementTree.fromstring(render(report, "junit")).find("testsuite")  # noqa: S314
    assert suite is not None
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases) > 0
    failed = [case for case in cases if case.find("failure") is not None]
    assert int(suite.attrib["failures"]) == len(failed)
    assert bool(failed) == report.blocks_release


def test_junit_tells_warnings_without_failing() -> None:
    root = ElementTree.fromstring(render(WARNED, "junit", "en"))  # noqa: S314
    assert root.attrib["failures"] == "0"
    assert len(root.findall(".//system-out")) == len(WARNED.results)


def test_sarif_has_the_structure_that_the_standard_asks_for(report: Report) -> None:
    log = json.loads(render(report, "sarif"))
    assert (log["version"], list(log)) == ("2.1.0", ["$schema", "version", "runs"])
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "bilbaokg"
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == len(report.results)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        for location in result["locations"]:
            place = location["physicalLocation"]
            assert re.fullmatch(
                r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", place["artifactLocation"]["uri"]
            )
            assert place["region"]["startLine"] >= 1


def test_sarif_writes_file_names_as_uris() -> None:
    (run,) = json.loads(render(REPORT, "sarif"))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "datos%20del%20a%C3%B1o.ttl"


# ---- HTML, CSV


class Page(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {f"{tag}.{name}": value for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_one_page_that_loads_nothing(report: Report) -> None:
    page = Page(render(report, "html", "eu"))
    assert page.attributes["html.lang"] == "eu"
    assert not {"script", "link", "img", "iframe", "object"} & set(page.elements)
    assert not [
        name for name in page.attributes if name.partition(".")[2] in ("src", "href", "style")
    ]
    assert not [name for name in page.attributes if name.partition(".")[2].startswith("on")]
    assert page.elements.count("h1") == 1


def test_html_shows_values_as_text() -> None:
    page = Page(render(HOSTILE_REPORT, "html"))
    assert "<script>alert(1)</script>" in page.text


def test_html_tells_the_datasets_and_how_to_mend_it() -> None:
    page = Page(render(REPORT, "html"))
    assert "Aforos" in page.text
    assert "Cómo arreglarlo: Añada dct:description" in page.text


def test_csv_has_a_row_a_result(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(render(report, "csv"), newline="")))
    assert [row["severity"] for row in rows] == [r.severity for r in report.results]
    assert all(None not in row and None not in row.values() for row in rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_cell_is_never_a_formula(start: str) -> None:
    problem = replace(REPORT.results[0], value=f"{start}1+1", title=f"{start}x")
    (row,) = csv.DictReader(
        io.StringIO(render(replace(REPORT, results=(problem,)), "csv"), newline="")
    )
    assert (row["value"], row["title"]) == (f"'{start}1+1", f"'{start}x")


# ---- what is said of a value, and who should mend it


SLIP = replace(
    REPORT.results[0],
    message="«Frecuencia» no es de la tabla.",
    value="diaria",
    label="frecuencia de actualización",
    allowed=("http://x.example/freq/DAILY", "http://x.example/freq/WEEKLY"),
    nearest="http://x.example/freq/DAILY",
    detail="¿Quería decir http://x.example/freq/DAILY (diario)?",
    owner="Hacienda",
)
SLIPPED = replace(REPORT, results=(SLIP,))


@pytest.mark.parametrize("format", ["text", "json", "junit", "sarif", "html", "csv"])
def test_every_format_tells_what_was_probably_meant_and_who_should_mend_it(format: str) -> None:
    text = render(SLIPPED, format, "es", width=300)
    for told in ("¿Quería decir http://x.example/freq/DAILY (diario)?", "diaria", "Hacienda"):
        assert told in text


def test_text_lists_what_is_allowed_with_its_common_beginning_once() -> None:
    text = render(SLIPPED, "text", "es", width=200)
    assert "  Se admite: http://x.example/freq/… DAILY, WEEKLY\n" in text
    assert "[frecuencia de actualización, dct:description] (1)" in text
    assert "valor: diaria · propietario: Hacienda" in text


def test_text_counts_what_each_person_has_to_mend() -> None:
    people = [replace(SLIP, steward=name, owner=None) for name in ("Ana", "Ana", "Jon", None)]
    text = render(replace(REPORT, results=tuple(people)), "text", "es", width=200)
    assert "Quién debe arreglarlo: Ana (2), Jon (1), sin nombrar (1)." in text
    assert "Who should mend it: nobody named (8)." in render(REPORT, "text", "en")


def test_csv_keeps_allowed_values_apart() -> None:
    (row,) = csv.DictReader(io.StringIO(render(SLIPPED, "csv"), newline=""))
    assert row["allowed"] == "http://x.example/freq/DAILY | http://x.example/freq/WEEKLY"
    assert (row["nearest"], row["owner"]) == ("http://x.example/freq/DAILY", "Hacienda")


# ---- two engines


AGREED = replace(CONFORMING, engine="both", differences=())
DISAGREED = replace(
    REPORT,
    engine="both",
    differences=(
        Difference("fast", "http://e.x/x", "http://e.x/y", "InConstraintComponent", "violation", 2),
        Difference("pyshacl", "http://e.x/z", None, "NotConstraintComponent", "info", 1),
    ),
)


def test_text_tells_after_the_verdict_whether_engines_agree() -> None:
    assert "Both engines agree." in render(AGREED, "text", "en")
    lines = render(DISAGREED, "text", "en", width=200).splitlines()
    at = lines.index("THE ENGINES DISAGREE (3): the verdict cannot be trusted. Please report it.")
    assert lines[0].startswith("BLOCKS THE RELEASE")
    assert lines[at + 1 : at + 3] == [
        "  - only fast · http://e.x/x · http://e.x/y · InConstraintComponent · violation · × 2",
        "  - only pyshacl · http://e.x/z · NotConstraintComponent · info",
    ]
    assert lines.index("") < at < next(n for n, x in enumerate(lines) if x.startswith("VIOLATION"))


def test_json_lists_differences_where_two_engines_ran() -> None:
    document = json.loads(render(DISAGREED, "json"))
    assert document["differences"][0] == {
        "engine": "fast",
        "focus": "http://e.x/x",
        "path": "http://e.x/y",
        "component": "InConstraintComponent",
        "severity": "violation",
        "count": 2,
    }
    assert json.loads(render(AGREED, "json"))["differences"] == []
    assert "differences" not in json.loads(render(REPORT, "json"))


def test_other_formats_tell_that_engines_disagree() -> None:
    root = ElementTree.fromstring(render(DISAGREED, "junit"))  # noqa: S314
    assert root.attrib["errors"] == "1"
    assert int(root.attrib["tests"]) == len(root.findall(".//testcase"))
    assert len(root.findall(".//error")) == 1
    (run,) = json.loads(render(DISAGREED, "sarif"))["runs"]
    assert len(run["properties"]["differences"]) == 2
    assert "THE ENGINES DISAGREE (3)" in Page(render(DISAGREED, "html", "en")).text


# ---- the standard report


def test_report_graph_is_made_when_it_is_asked_for() -> None:
    made: list[int] = []

    def standard() -> str:
        made.append(1)
        return "<urn:a> <urn:b> <urn:c> ."

    report = replace(REPORT, standard=standard)
    for format in FORMATS.keys() - {"turtle"}:
        render(report, format)
    assert made == []
    assert len(report.graph()) == 1
    assert made == [1]


def test_report_can_be_pickled_with_its_graph() -> None:
    copy = pickle.loads(pickle.dumps(REPORT))  # noqa: S301
    assert copy == REPORT
    assert copy.turtle == REPORT.turtle


def test_report_comes_back_from_its_document() -> None:
    again = Report.of(json.loads(json.dumps(SLIPPED.as_dict())))
    assert again.results == SLIPPED.results

"""The linter, rule by rule: what it finds, what it leaves alone, and every report format."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from helpers import PREFIXES, lines

from bilbaokg import reports, wording
from bilbaokg.lint import RULES, identifiers, lint
from bilbaokg.model import SEVERITIES, Problem
from bilbaokg.probing import ANSWERS, DEAD, UNKNOWN, Probe
from bilbaokg.shacl.graph import Graph
from bilbaokg.terms import LANGUAGES

DAY = date(2026, 11, 26)
EU = "http://publications.europa.eu/resource/authority"
IANA = "https://www.iana.org/assignments/media-types"
FILE = "https://other.example/file.csv"


def found(turtle: str, code: str, **given: Any) -> list[Problem]:
    """The findings of one rule."""
    report = lint(Graph(lines(turtle)), today=DAY, **given)
    return [problem for problem in report.results if problem.component == code]


def distribution(said: str) -> str:
    return f":a a dcat:Dataset ; dct:title 'A'@es ; dcat:distribution :d . :d {said} ."


def probed(**given: Any) -> dict[str, Probe]:
    return {FILE: Probe(FILE, "2026-11-25T01:02:03Z", **{"state": ANSWERS, **given})}


# ---- the table


def test_codes_are_unique_and_severities_are_known() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert {rule.severity for rule in RULES} <= set(SEVERITIES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
@pytest.mark.parametrize("section", ["lint-message", "lint-hint"])
def test_every_rule_has_words_in_three_languages(section: str, rule: Any) -> None:
    texts = {wording.find(f"{section}.{rule.code}", language) for language in LANGUAGES}
    assert None not in texts
    assert len(texts) == len(LANGUAGES)


# ---- keywords and titles


@pytest.mark.parametrize("keyword", ["aire", "aire limpio", "CO2-eq_v1.0", "kalea ñandú", "ab"])
def test_keywords_that_ckan_takes_are_left_alone(keyword: str) -> None:
    assert found(f":a a dcat:Dataset ; dcat:keyword '{keyword}'@es .", "keyword-characters") == []


@pytest.mark.parametrize("keyword", ["a", "aire, agua", "aire;agua", "a/b", "(x)", "", "a" * 101])
def test_keywords_that_ckan_refuses_are_found(keyword: str) -> None:
    said = f":a a dcat:Dataset ; dcat:keyword '{keyword}'@es ."
    (problem,) = found(said, "keyword-characters")
    assert problem.value == keyword
    assert problem.path == "http://www.w3.org/ns/dcat#keyword"


def test_duplicate_titles_are_found_once_a_dataset_with_the_other() -> None:
    said = """:a a dcat:Dataset ; dct:title "Padrón"@es, "Errolda"@eu .
        :b a dcat:Dataset ; dct:title "padrón "@es, "Errolda"@eu .
        :c a dcat:Dataset ; dct:title "Padrón"@en ."""
    problems = found(said, "title-duplicate", language="en")
    assert [(p.focus or "")[-1] for p in problems] == ["a", "b"]
    assert problems[0].detail == "Also https://datos.example.org/id/dataset/b."


# ---- dates


@pytest.mark.parametrize(
    ("issued", "modified", "wrong"),
    [
        ("2026-02-01", "2026-01-01", True),
        ("2026-01-01", "2026-01-01", False),
        ("2026-01-01T10:00:00", "2026-01-01T09:00:00", False),
        ("2026", "2026-03-01", False),
        ("2027", "2026-03-01", True),
        ("nonsense", "2026-03-01", False),
    ],
)
def test_issued_must_not_be_after_modified(issued: str, modified: str, wrong: bool) -> None:
    said = f":a a dcat:Dataset ; dct:issued '{issued}' ; dct:modified '{modified}' ."
    assert bool(found(said, "issued-after-modified")) is wrong


def test_dates_of_files_are_looked_at_too() -> None:
    said = distribution("dct:issued '2026-02-01' ; dct:modified '2026-01-01'")
    (problem,) = found(said, "issued-after-modified")
    assert problem.dataset == "https://datos.example.org/id/dataset/a"


def test_a_period_must_not_end_before_it_starts() -> None:
    said = ":a a dcat:Dataset ; dct:temporal :p . :p dcat:startDate '{}' ; dcat:endDate '{}' ."
    assert found(said.format("2026-01-02", "2026-01-01"), "period-order")
    assert found(said.format("2026-01-01", "2026-01-01"), "period-order") == []
    assert found(said.format("2025-06-01", "2025"), "period-order") == []


def test_no_date_of_issue_or_change_is_in_the_future() -> None:
    said = ":a a dcat:Dataset ; dct:issued '2026-11-26' ; dct:modified '{}' ."
    assert found(said.format("2026-11-27"), "date-in-future")
    assert found(said.format("2026-11-26"), "date-in-future") == []


# ---- identifiers


def test_identifiers_stay_as_they_were_released() -> None:
    before = identifiers(Graph(lines(":a a dcat:Dataset ; dct:identifier '1' .")))
    for now, wrong in ((":a a dcat:Dataset ; dct:identifier '2' .", True),
                       (":a a dcat:Dataset .", True),
                       (":a a dcat:Dataset ; dct:identifier '1', '2' .", False),
                       (":b a dcat:Dataset ; dct:identifier '2' .", False)):  # fmt: skip
        problems = found(now, "identifier-changed", released=before, language="en")
        assert [p.detail for p in problems] == (["It was 1."] if wrong else [])


# ---- links and formats


@pytest.mark.parametrize("link", ["''", "'https://a.example/x'", "<https:///x>", "<file:///x>",
                                  "<urn:x>", "<mailto:a@b.example>"])  # fmt: skip
def test_links_that_are_no_address_are_found(link: str) -> None:
    assert len(found(distribution(f"dcat:downloadURL {link}"), "link-empty")) == 1


@pytest.mark.parametrize("link", ["<https://a.example/x>", "<ftp://a.example/x>"])
def test_links_that_are_addresses_are_left_alone(link: str) -> None:
    assert found(distribution(f"dcat:accessURL {link}"), "link-empty") == []


@pytest.mark.parametrize(
    ("format", "file", "wrong"),
    [
        ("CSV", "a.csv", False), ("CSV", "a.CSV", False), ("CSV", "a.pdf", True),
        ("JSON", "a.xlsx?x=1", True), ("CSV", "a.csv.zip", False), ("CSV", "a.php", False),
        ("CSV", "export", False), ("GEOJSON", "a.json", False), ("RDF_TURTLE", "a.rdf", True),
        ("WMS_SRVC", "a.xml", False), ("NONE", "a.pdf", False), ("CSV", "v1.5/export", False),
    ],
)  # fmt: skip
def test_extension_is_held_against_the_declared_format(format: str, file: str, wrong: bool) -> None:
    said = distribution(
        f"dct:format <{EU}/file-type/{format}> ; dcat:downloadURL <https://a.example/{file}>"
    )
    assert bool(found(said, "format-extension")) is wrong


@pytest.mark.parametrize(
    ("format", "media", "wrong"),
    [("CSV", "text/csv", False), ("CSV", "application/json", True),
     ("CSV", "application/zip", False),
     ("GEOJSON", "application/json", False), ("PDF", "text/html", True)],
)  # fmt: skip
def test_media_type_is_held_against_the_declared_format(
    format: str, media: str, wrong: bool
) -> None:
    said = distribution(f"dct:format <{EU}/file-type/{format}> ; dcat:mediaType <{IANA}/{media}>")
    assert bool(found(said, "format-media-type")) is wrong


# ---- what probing found


CSV = f"dcat:downloadURL <{FILE}> ; dcat:byteSize 10 ; dcat:mediaType <{IANA}/text/csv>"
PROBED = ("link-dead", "file-empty", "file-invalid", "size-differs", "checksum-differs",
          "media-type-served")  # fmt: skip


def test_nothing_is_said_of_links_that_were_not_probed() -> None:
    for probes in ({}, probed(state=UNKNOWN, reason="robots.txt"), probed(size=10)):
        for code in PROBED:
            assert found(distribution(CSV), code, probes=probes) == []


@pytest.mark.parametrize(
    ("code", "probe", "detail"),
    [
        ("link-dead", {"state": DEAD, "reason": "HTTP 404"}, "HTTP 404, checked on 2026-11-25."),
        ("file-empty", {"size": 0}, "0 bytes, checked on 2026-11-25."),
        ("file-invalid", {"size": 10, "invalid": "row 2"}, "row 2, checked on 2026-11-25."),
        ("size-differs", {"size": 11}, "11, checked on 2026-11-25."),
        ("media-type-served", {"media_type": "text/html"}, "text/html, checked on 2026-11-25."),
    ],
)
def test_what_probing_found_is_told_with_its_date(
    code: str, probe: dict[str, Any], detail: str
) -> None:
    (problem,) = found(distribution(CSV), code, probes=probed(**probe), language="en")
    assert problem.detail == detail


@pytest.mark.parametrize(
    "algorithm",
    ["http://spdx.org/rdf/terms#checksumAlgorithm_sha1",
     "https://spdx.org/rdf/terms#checksumAlgorithm_sha1"],
)  # fmt: skip
def test_checksums_are_compared_where_the_algorithm_is_known(algorithm: str) -> None:
    said = (
        """@prefix spdx: <http://spdx.org/rdf/terms#> .
    """
        + distribution(f"dcat:downloadURL <{FILE}> ; spdx:checksum :s")
        + f"""
        :s spdx:algorithm <{algorithm}> ; spdx:checksumValue 'ABC' ."""
    )
    assert found(said, "checksum-differs", probes=probed(size=1, digests={"sha1": "abc"})) == []
    assert found(said, "checksum-differs", probes=probed(size=1, digests={"sha1": "abd"}))
    assert found(said, "checksum-differs", probes=probed(size=1, digests={"md5": "abd"})) == []


# ---- reports


def test_findings_name_dataset_steward_and_line() -> None:
    said = (
        """@prefix bkg: <https://datos.example.org/ns#> .
    """
        + distribution("dcat:downloadURL ''")
        + """ :a prov:qualifiedAttribution :s .
        :s prov:agent x:jon ; dcat:hadRole bkg:steward . x:jon foaf:name 'Jon' ."""
    )
    places = {"<https://datos.example.org/id/dataset/d>": ("a.ttl", 7)}
    (problem,) = found(said, "link-empty", places=places)
    assert (problem.title, problem.steward) == ("A", "Jon")
    assert problem.source == {"file": "a.ttl", "line": 7}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("format", reports.FORMATS)
def test_every_format_tells_findings_and_none(format: str, language: str) -> None:
    for said in (distribution("dcat:downloadURL ''"), ":a a dcat:Dataset ."):
        report = lint(Graph(lines(said)), today=DAY, language=language)
        told = reports.render(report, format, language)
        assert told
        assert "dcat-ap" not in told
        if format == "junit":
            suites = ElementTree.fromstring(told)  # noqa: S314
            assert suites.get("failures") == str(len(report.results))
        if format == "turtle":
            graph = ox.Dataset(ox.parse(told, format=ox.RdfFormat.TURTLE))
            shacl = "http://www.w3.org/ns/shacl#"
            for name in ("focusNode", "resultPath", "value", "resultSeverity"):
                found = graph.quads_for_predicate(ox.NamedNode(f"{shacl}{name}"))
                assert len(list(found)) == len(report.results), name
        if format == "sarif":
            (run,) = json.loads(told)["runs"]
            assert [r["ruleId"] for r in run["results"]] == [p.component for p in report.results]


# ---- the command


def test_lint_of_a_file_needs_no_catalogue(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text(PREFIXES + distribution("dcat:downloadURL ''"))
    words = [sys.executable, "-m", "bilbaokg", "--lang", "en", "lint", "a.ttl"]
    done = subprocess.run([*words, "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert result["component"] == "link-empty"
    assert result["source"]["file"] == "a.ttl"
    done = subprocess.run(
        [*words, "--fail-on", "never"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.startswith("ERRORS to mend.")


def test_lint_compares_with_the_current_release(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        command = [sys.executable, "-m", "bilbaokg", "--lang", "en", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    said = (
        PREFIXES
        + ":a a dcat:Dataset ; dct:title 'A'@es ; dct:description 'B'@es ; dct:identifier '{}' ."
    )
    run("init", "--base", "https://datos.example.org")
    (tmp_path / "a.ttl").write_text(said.format(1))
    run("load", "a.ttl")
    run("release", "build")
    run("release", "publish")
    assert json.loads(run("lint", "--json"))["results"] == []
    (tmp_path / "a.ttl").write_text(said.format(2))
    (result,) = json.loads(run("lint", "a.ttl", "--json"))["results"]
    assert result["component"] == "identifier-changed"

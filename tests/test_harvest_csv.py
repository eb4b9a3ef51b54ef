"""Harvesting a portal's list of datasets as CSV."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harvests import counts, fails, harvest, said
from helpers import Catalogue
from sites import Site

from bilbaokg.errors import BadInput, Conflict, UpstreamFault

DCAT, DCT = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"
CSV = {"Content-Type": "text/csv; charset=utf-8"}
TABLE = """\
Identificador;Título;Descripción;Etiquetas;Formato;URL de descarga;Fecha de actualización;Periodicidad;Publicador;Licencia;Nota
ruido;Ruido;Sonómetros, por calle;ruido, calles;CSV;https://portal.example/ruido.csv;31/12/2025;Diaria;La ciudad;CC BY 3.0;x
arboles;Árboles;Cada árbol;;CSV;https://portal.example/arboles.csv;2025-01-02;Anual;La ciudad;;
"""  # noqa: E501


def serve(site: Site, content: str | bytes, **headers: str) -> str:
    body = content.encode() if isinstance(content, str) else content
    site.pages["/list.csv"] = (200, CSV | headers, body)
    return site.url("/list.csv")


def test_a_line_is_a_dataset(catalogue: Catalogue, site: Site) -> None:
    url = serve(site, TABLE)
    done = harvest(catalogue, url, language="es")
    assert (done["kind"], done["classes"]["dcat:Dataset"]) == ("csv", 2)
    noise = f"{url}#ruido"
    xsd, frequency = "http://www.w3.org/2001/XMLSchema#", "http://publications.europa.eu/resource/"
    expected = {
        f"{DCT}title": ['"Ruido"@es'],
        f"{DCT}description": ['"Sonómetros, por calle"@es'],
        f"{DCT}identifier": ['"ruido"'],
        f"{DCAT}keyword": ['"calles"@es', '"ruido"@es'],
        f"{DCT}modified": [f'"2025-12-31"^^<{xsd}date>'],
        f"{DCT}accrualPeriodicity": [f"<{frequency}authority/frequency/DAILY>"],
        f"{DCT}publisher": [f"<{url}#agent-la-ciudad>"],
    }
    assert {term: said(catalogue, noise, term) for term in expected} == expected
    (file,) = said(catalogue, noise, f"{DCAT}distribution")
    assert said(catalogue, file[1:-1], f"{DCAT}downloadURL") == [
        "<https://portal.example/ruido.csv>"
    ]
    assert "columns left out: Nota" in [problem["message"] for problem in done["problems"]]
    assert counts(harvest(catalogue, url, language="es"))[:2] == (0, 0)


def test_a_dataset_has_its_own_iri_or_that_of_its_page(catalogue: Catalogue, site: Site) -> None:
    harvest(
        catalogue, serve(site, "uri,title,url\nhttps://p.example/id/1,A,\n,B,https://p.example/b\n")
    )
    assert {"https://p.example/id/1", "https://p.example/b"} <= {
        record.iri for record in catalogue.records.all()
    }


def test_columns_are_what_the_mapping_says(catalogue: Catalogue, site: Site) -> None:
    columns = {"title@es": "A", "title@eu": "B", "identifier": "C"}
    url = serve(site, "A\tB\tC\nRuido\tZarata\t1\n")
    harvest(catalogue, url, columns=columns)
    assert said(catalogue, f"{url}#1", f"{DCT}title") == ['"Ruido"@es', '"Zarata"@eu']


@pytest.mark.parametrize(
    ("columns", "words"),
    [({"title": "Z"}, "no column 'Z' for title"), ({"colour": "A"}, "'colour' = 'A' maps no"),
     ({}, "no column is known as the title: A, B")],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_is_refused(
    catalogue: Catalogue, site: Site, columns: dict[str, str], words: str
) -> None:
    assert words in fails(catalogue, serve(site, "A,B\n1,2\n"), BadInput, columns=columns)


@pytest.mark.parametrize(
    ("content", "headers", "note"),
    [
        (TABLE.encode("utf-8-sig"), {}, False),
        (TABLE.encode("utf-16"), {}, False),
        (TABLE.encode("cp1252"), {"Content-Type": "text/csv; charset=windows-1252"}, False),
        (TABLE.encode("cp1252"), {}, True),
        (TABLE.replace("\n", "\r\n").encode(), {}, False),
    ],
)
def test_encodings_are_found_out(
    catalogue: Catalogue, site: Site, content: bytes, headers: dict[str, str], note: bool
) -> None:
    url = serve(site, content, **headers)
    done = harvest(catalogue, url)
    assert said(catalogue, f"{url}#arboles", f"{DCT}title") == ['"Árboles"']
    told = [p for p in done["problems"] if "Windows-1252" in p["message"]]
    assert bool(told) == note


def test_bad_lines_are_refused_by_number_and_the_others_come(
    catalogue: Catalogue, site: Site
) -> None:
    done = harvest(catalogue, serve(site, "id,title\n1,A\n2\n\n3,C,x\n1,D\n,\n,!\n4,E\n"))
    assert done["classes"]["dcat:Dataset"] == 2
    assert [(entry["where"], entry["reason"]) for entry in done["refused"]] == [
        ("line 3", "it has 1 cells, the header 2"),
        ("line 5", "it has 3 cells, the header 2"),
        ("line 6", "it is the same as line 2"),
        ("line 8", "it has neither an IRI, an identifier nor a title"),
    ]


def test_a_refused_line_may_be_what_is_gone(catalogue: Catalogue, site: Site) -> None:
    lines = "".join(f"{n},Set {n}\n" for n in range(20))
    url = serve(site, f"id,title\n{lines}")
    harvest(catalogue, url)
    serve(site, f"id,title\n{lines.replace('7,Set 7', '7')}")
    words = "1 would be gone, and 1 could not be read: they may be the same"
    assert words in fails(catalogue, url, Conflict)


@pytest.mark.parametrize(
    ("content", "words", "kind"),
    [
        ("id,title\n", "it lists no dataset", UpstreamFault),
        ('id,title\n1,"A\n', "line 2: unexpected end of data", BadInput),
        ("id,title\n1,\0", "NUL", BadInput),
        (b"id,title\n1,\x81\xff", "its encoding is neither", BadInput),
        ("<!DOCTYPE html><p>", "a web page came in place of CSV", UpstreamFault),
    ],
)
def test_what_is_no_table_is_named(
    catalogue: Catalogue, site: Site, content: str | bytes, words: str, kind: Any
) -> None:
    assert words in fails(catalogue, serve(site, content), kind, kind="csv")


def test_the_mapping_of_the_command_is_a_file(tmp_path: Path, site: Site) -> None:
    url = serve(site, "A,B\nRuido,Zarata\n,\nx\n")
    (tmp_path / "map.toml").write_text('"title@es" = "A"\n"title@eu" = "B"\n')

    def run(*words: str) -> Any:
        command = [sys.executable, "-m", "bilbaokg", "--json", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    run("init", "--base", "https://data.example")
    words = ("harvest", url, "--allow-private", "--pause", "0", "--map")
    done = run(*words, "map.toml")
    # A line was refused: that is a finding.
    assert (done.returncode, json.loads(done.stdout)["records"]["new"]) == (1, 1), done.stderr
    (tmp_path / "map.toml").write_text("title")
    done = run(*words, "map.toml")
    assert done.returncode == 2
    assert "map.toml: not valid TOML" in json.loads(done.stdout)["detail"] + done.stderr

"""Our own feed, harvested into another catalogue: nothing is lost, and only changes come again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from harvests import portal
from serving import BASE, initialise, load, operate, published, served

from bilbaokg import settings
from bilbaokg.server import control
from bilbaokg.terms import split_lines
from bilbaokg.workspace import Workspace

DATASETS = 260
HEAD = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix agent: <https://data.example/id/agent/> .
<https://data.example/id/catalog/main> a dcat:Catalog ; dct:title "Datos"@es ;
    dct:description "Los datos."@es ; dct:publisher agent:city .
agent:city a foaf:Agent ; foaf:name "La ciudad"@es .
"""
DATASET = """
<https://data.example/id/catalog/main> dcat:dataset <{iri}> .
<{iri}> a dcat:Dataset ; dct:identifier "d{n}" ; dct:title "Conjunto {n}"@es , "Multzo {n}"@eu ;
    dct:description "Descripción {n}."@es ; dct:publisher agent:city ; dcat:keyword "calle {n}"@es ;
    dcat:contactPoint [ a vcard:Kind ; vcard:fn "Datos"@es ;
        vcard:hasEmail <mailto:datos@data.example> ] ;
    dcat:distribution <{iri}/csv> ; <https://data.example/ns#internal> "cut" .
<{iri}/csv> a dcat:Distribution ; dcat:accessURL <https://data.example/{n}.csv> ;
    dct:title "CSV {n}"@es .
"""


def turtle(numbers: range) -> str:
    sets = (DATASET.format(iri=f"{BASE}/id/dataset/d{n}", n=n) for n in numbers)
    return HEAD + "".join(sets)


def canonical(lines: list[str]) -> list[str]:
    """Statements in an order of their own; blank nodes that were named are blank again."""
    said = [ox.parse(line, format=ox.RdfFormat.N_TRIPLES) for line in lines]
    dataset = ox.Dataset(_blank(quad) for quads in said for quad in quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, dataset))


def _blank(quad: ox.Quad) -> ox.Quad:
    terms = (
        ox.BlankNode(term.value.rpartition("/")[2])
        if isinstance(term, ox.NamedNode) and "/genid/" in term.value
        else term
        for term in (quad.subject, quad.object)
    )
    subject, object_ = terms
    return ox.Quad(subject, quad.predicate, object_)  # type: ignore[arg-type]


def harvest(data: Path, url: str) -> dict[str, Any]:
    """The command, on a directory that nobody serves."""
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), "--json", "harvest", url,
               "--source", "portal", "--allow-private", "--pause", "0"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def counts(done: dict[str, Any]) -> tuple[int, int, int, int]:
    found = done["records"]
    return found["new"], found["changed"], found["unchanged"], found["gone"]


def statements(data: Path) -> list[str]:
    with Workspace(data, settings.read(data)) as workspace:
        return [line for record in workspace.records.all() for line in split_lines(record.text)]


def exported(data: Path, file: Path) -> list[str]:
    command = [sys.executable, "-m", "bilbaokg", "--data", str(data), "export", "dcat-ap",
               "--format", "nt", "--output", str(file)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return split_lines(file.read_text())


@pytest.mark.peers
def test_our_feed_comes_back_whole_and_then_only_what_changed(tmp_path: Path) -> None:
    values = {"public_url": "http://localhost:8000", "page_size": 100}
    theirs = published(tmp_path / "theirs", turtle(range(DATASETS)), **values)
    ours = initialise(tmp_path / "ours")
    with portal(theirs) as url:
        first = harvest(ours, url)
        assert (first["pages"], first["classes"]["dcat:Dataset"]) == (3, DATASETS)
        assert counts(first)[1:] == (0, 0, 0)
        assert canonical(statements(ours)) == canonical(exported(theirs, tmp_path / "all.nt"))

        again = harvest(ours, url)
        assert counts(again) == (0, 0, counts(first)[0], 0)
        assert again["not_modified"] == 3

    changed = turtle(range(DATASETS)).replace("Conjunto 130", "Grupo 130")
    load(theirs, changed)
    operate(theirs, "delete", iri=f"{BASE}/id/dataset/d7")
    release = operate(theirs, "release.build", unchecked=True)
    operate(theirs, "release.publish", id=release["id"])
    with portal(theirs) as url:
        # The same portal at another address, in the running server of the other catalogue.
        with served(ours) as owner:
            params = {"url": f"{url}catalog.rdf", "source": "portal"}
            params |= {"allow_private": True, "pause": 0.0}
            done = control.call(owner.data, "harvest", params, lambda *_: None)
        assert counts(done)[0] == 0
        assert (counts(done)[1], counts(done)[3]) == (1, 1)
        gone = [p["focus"] for p in done["problems"] if p["message"].startswith("gone at its")]
        assert gone == [f"{BASE}/id/dataset/d7"]

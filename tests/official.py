"""Official shapes, the EU tables that they look into, and real catalogues, for parity tests."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from bilbaokg.model import Profile
from bilbaokg.shacl.graph import Graph
from bilbaokg.shacl.reading import read_files, read_source, source_of
from bilbaokg.terms import DCAT, DCATAP, DCT, OWL, RDF, SKOS, ref, split_line

__all__ = [
    "dcat_ap", "files", "high_value", "read", "sample", "statements", "tables", "without_imports",
]  # fmt: skip

SPLIT: Final = ("shapes", "range", "shapes_recommended", "mdr-vocabularies.shape")
TABLES: Final = (
    "access-right", "continents", "countries", "data-theme", "dataset-types",
    "distribution-status", "filetypes", "frequencies", "planned-availability",
)  # fmt: skip
LISTS: Final = {"languages": "language", "places": "place", "corporatebodies": "corporate-body"}
REGULATION: Final = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
AUTHORITY: Final = "http://publications.europa.eu/resource/authority/"


def statements(turtle: str) -> list[tuple[str, str, str]]:
    """The statements of some Turtle, as N-Triples terms."""
    quads = ox.parse(turtle, format=ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    return [(str(q.subject), str(q.predicate), str(q.object)) for q in quads]


def read(path: Path) -> list[str]:
    """The statements of a file, as validation reads them."""
    return read_source(source_of(path))[0]


def dcat_ap(reference: Path) -> Profile:
    """DCAT-AP 3.0.1 in the split set of shapes, which engines can read."""
    folder = reference / "profiles" / "dcat-ap-3.0.1"
    return Profile("official", "3.0.1", {}, tuple(folder / f"{name}.ttl" for name in SPLIT))


def files(reference: Path, name: str) -> list[Path]:
    """The official shapes of a profile, those for high-value data last."""
    folder = reference / "profiles" / name
    found = [*sorted(folder.glob("*.ttl")), *sorted(folder.glob("hvd/*.ttl"))]
    return [f for f in found if "import" not in f.name]


def without_imports(folder: Path, shapes: Iterable[Path], name: str) -> Profile:
    """Shapes without owl:imports, which are refused; what is imported is given."""
    imports = f" {ref(OWL.imports)} "
    kept = [line for line in read_files(shapes) if imports not in line]
    (folder / f"{name}.ttl").write_text("\n".join(kept), encoding="utf-8")
    return Profile(name, "official", {}, (folder / f"{name}.ttl",))


def high_value(lines: Iterable[str]) -> set[str]:
    """What the rules for high-value data look at: datasets and series that a category or the
    regulation marks, their distributions, and services that are marked or serve one of them."""
    graph = Graph(lines)
    marked = {s for s, said in graph.by_subject.items() if ref(DCATAP.hvdCategory) in said}
    marked |= set(graph.subjects(ref(DCATAP.applicableLegislation), ref(REGULATION)))
    files = {d for s in marked for d in graph.objects(s, ref(DCAT.distribution))}
    files &= set(graph.subjects(ref(RDF.type), ref(DCAT.Distribution)))
    marked |= files | {s for d in marked for s in graph.subjects(ref(DCAT.servesDataset), d)}
    return {term.strip("<>") for term in marked}


def tables(reference: Path) -> list[str]:
    """What the official shapes look for in the EU tables: types, labels and schemes."""
    wanted = {ref(RDF.type), ref(SKOS.inScheme), ref(SKOS.prefLabel)}
    lines = []
    for name in TABLES:
        text = (reference / "vocab" / f"{name}.ttl").read_text(encoding="utf-8")
        lines += [" ".join((*s, ".")) for s in statements(text) if s[1] in wanted]
    for name, scheme in LISTS.items():
        with (reference / "vocab" / f"{name}.csv").open(encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                lines.append(f"<{row['url']}> {ref(SKOS.inScheme)} <{AUTHORITY}{scheme}> .")
    schemes = {split_line(line).object for line in lines if ref(SKOS.inScheme) in line}
    lines += [f"{s} {ref(RDF.type)} {ref(SKOS.ConceptScheme)} ." for s in sorted(schemes)]
    return lines + [f'{s} {ref(DCT["title"])} "table" .' for s in sorted(schemes)]


def sample(lines: list[str], count: int) -> list[str]:
    """The catalogues of the lines, and some datasets with all that they lead to."""
    graph = Graph(lines)
    datasets = sorted(graph.subjects(ref(RDF.type), ref(DCAT.Dataset)))
    left_out = set(datasets[count:])
    wanted = [*graph.subjects(ref(RDF.type), ref(DCAT.Catalog)), *datasets[:count]]
    seen = set(wanted)
    while wanted:
        for objects in graph.by_subject.get(wanted.pop(), {}).values():
            new = set(objects) - seen - left_out
            seen |= new
            wanted += new
    return [
        line
        for line in lines
        if split_line(line).subject in seen and not left_out & {split_line(line).object}
    ]

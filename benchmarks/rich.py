"""Catalogues of full records: about 65 statements a dataset, everything that DCAT-AP recommends.

    python benchmarks/rich.py 10000 --output catalogue.nt --answers errors.jsonl

Like generate.py, with languages, places, pages, versions, laws and standards on datasets, and
titles, dates, status, media type, checksum and availability on their files. Without the seeded
errors, a DCAT-AP validation has nothing to say about it, neither violations nor warnings.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import ClassVar, Final

from generate import EU, KINDS, Catalogue, Node, Wrong, iri, main, put, text, typed

__all__ = ["Rich"]

PLACE: Final = f"<{EU}/place/ESP_BIO>"
MEDIA: Final = {
    "CSV": "text/csv",
    "JSON": "application/json",
    "GEOJSON": "application/geo+json",
    "XML": "application/xml",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LANGUAGES: Final = (f"<{EU}/language/SPA>", f"<{EU}/language/EUS>")
LAW: Final = "<http://data.europa.eu/eli/dir/2019/1024/oj>"
STANDARD: Final = "<https://www.rfc-editor.org/info/rfc4180>"
HOME: Final = "<https://www.catalogue.example/>"
SHA256: Final = "<https://spdx.org/rdf/terms#checksumAlgorithm_sha256>"


def _media(code: str) -> str:
    return f"<https://www.iana.org/assignments/media-types/{MEDIA[code]}>"


class Rich(Catalogue):
    """The same datasets with the same errors, described in full; every one has a period."""

    periods = 1.0
    # A wrong dct:issued is left out: the official shape of it is written so that it never fires.
    kinds: ClassVar[dict[str, Wrong]] = {
        **{name: wrong for name, wrong in KINDS.items() if wrong.path != "dct:issued"},
        "temporal resolution is no duration": Wrong(
            "dataset",
            "dcat:temporalResolution",
            "Datatype",
            lambda node: put(node, "dcat:temporalResolution", typed("un día", "duration")),
        ),
    }

    def _head(self) -> Iterator[Node]:
        yield (
            PLACE,
            [
                ("rdf:type", iri("dct:Location")),
                ("skos:inScheme", f"<{EU}/place>"),
                ("dcat:bbox", text("POLYGON((-2.99 43.21,-2.88 43.21,-2.88 43.29,-2.99 43.21))")),
                ("dcat:centroid", text("POINT(-2.93 43.26)")),
            ],
        )
        yield f"<{EU}/place>", [("rdf:type", iri("skos:ConceptScheme")), _title("Places")]
        for code in MEDIA:
            yield _media(code), [("rdf:type", iri("dct:MediaType"))]
        yield LAW, [("rdf:type", iri("eli:LegalResource"))]
        yield STANDARD, [("rdf:type", iri("dct:Standard"))]
        yield HOME, [("rdf:type", iri("foaf:Document"))]
        yield self._statement("rights"), [("rdf:type", iri("dct:RightsStatement"))]
        for node in super()._head():
            if ("rdf:type", iri("dcat:Catalog")) in node[1]:
                node[1].extend(self._of_catalogue())
            elif ("rdf:type", iri("foaf:Agent")) in node[1]:
                node[1].append(("skos:inScheme", f"<{EU}/corporate-body>"))
            yield node

    def _of_catalogue(self) -> list[tuple[str, str]]:
        return [
            ("dcat:themeTaxonomy", f"<{EU}/data-theme>"),
            ("dct:issued", typed("2012-06-01", "date")),
            ("dct:modified", typed("2026-05-04", "date")),
            *(("dct:language", language) for language in LANGUAGES),
            ("dct:license", f"<{EU}/licence/CC_BY_4_0>"),
            ("dct:spatial", PLACE),
            ("foaf:homepage", HOME),
        ]

    def _statement(self, slug: str) -> str:
        return self._ref("shared", slug)

    def _dataset(self, index: int) -> Iterator[Node]:
        for node in super()._dataset(index):
            yield node
            if ("rdf:type", iri("dcat:Distribution")) in node[1]:
                yield _checksum(node)
            elif ("rdf:type", iri("dcat:Dataset")) in node[1]:
                yield _page(node[0]), [("rdf:type", iri("foaf:Document"))]

    def _described(self, name: str, chance: random.Random) -> list[tuple[str, str]]:
        version = f"{chance.randrange(1, 4)}.{chance.randrange(10)}"
        return [
            *super()._described(name, chance),
            *(("dct:language", language) for language in LANGUAGES),
            ("dct:spatial", PLACE),
            ("dcat:landingPage", _page(self._ref("dataset", name))),
            ("dcat:version", text(version)),
            ("adms:versionNotes", text(f"Versión {version}, revisada.", "es")),
            ("adms:versionNotes", text(f"{version} bertsioa, berrikusia.", "eu")),
            ("dcatap:applicableLegislation", LAW),
            ("dct:conformsTo", STANDARD),
            ("dcat:temporalResolution", typed("P1D", "duration")),
        ]

    def _distribution(self, name: str, chance: random.Random) -> Node:
        subject, pairs = super()._distribution(name, chance)
        said = dict(pairs)
        code = said["dct:format"].rpartition("/")[2][:-1]
        size = said["dcat:byteSize"]
        pairs += [
            ("dct:title", text(f"Datos en {code}", "es")),
            ("dct:title", text(f"Datuak {code} formatuan", "eu")),
            ("dct:description", text(f"Fichero {code} con una fila por registro.", "es")),
            ("dct:description", text(f"{code} fitxategia, lerro bat erregistro bakoitzeko.", "eu")),
            ("dcat:downloadURL", f"{said['dcat:accessURL'][:-1]}?download>"),
            ("dcat:mediaType", _media(code)),
            ("dcatap:availability", f"<{EU}/planned-availability/STABLE>"),
            ("adms:status", f"<{EU}/distribution-status/COMPLETED>"),
            ("dct:rights", self._statement("rights")),
            ("dct:issued", typed("2021-03-01", "date")),
            ("dct:modified", typed("2026-02-03T04:05:06Z", "dateTime")),
            *(("dct:language", language) for language in LANGUAGES),
            ("dct:conformsTo", STANDARD),
            ("dcatap:applicableLegislation", LAW),
            ("spdx:checksum", f"{subject[:-1]}#checksum>"),
            ("dcat:spatialResolutionInMeters", typed(f"{size.count('0') + 1}.0", "decimal")),
        ]
        return subject, pairs


def _title(value: str) -> tuple[str, str]:
    return "dct:title", text(value, "en")


def _page(dataset: str) -> str:
    return f"{dataset[:-1]}#page>"


def _checksum(distribution: Node) -> Node:
    subject = dict(distribution[1])["spdx:checksum"]
    value = random.Random(subject).randbytes(32).hex()  # noqa: S311
    return (
        subject,
        [
            ("rdf:type", iri("spdx:Checksum")),
            ("spdx:algorithm", SHA256),
            ("spdx:checksumValue", typed(value, "hexBinary")),
        ],
    )


if __name__ == "__main__":
    main(Rich)

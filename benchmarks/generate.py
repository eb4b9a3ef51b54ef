"""Catalogues of N datasets to measure with: about 25 statements each, Spanish and Basque texts.

    python benchmarks/generate.py 10000 --format nt --output catalogue.nt --answers errors.jsonl

One dataset in a hundred carries an error of a known kind; the answers say which dataset, what a
DCAT-AP validation reports on it, and where. The same arguments give the same bytes. `--change 0.2`
gives the second version of the same catalogue, in which a fifth of the datasets changed. Datasets
are made one by one, so the size does not matter to the memory.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, ClassVar, Final
from xml.sax.saxutils import escape, quoteattr

from words import AREAS, BREAKDOWNS, KEYWORDS, PLACES, REVISED, SENTENCES, TOPICS

__all__ = ["FORMATS", "KINDS", "Catalogue", "Seeded", "Wrong", "put"]

DEFAULT_BASE: Final = "https://catalogue.example"
EU: Final = "http://publications.europa.eu/resource/authority"
LICENCE: Final = f"<{EU}/licence/CC_BY_4_0>"
PREFIXES: Final = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
FILES: Final = ("CSV", "JSON", "GEOJSON", "XML", "XLSX")
FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL", "IRREG")

# A node is a subject with its (prefixed property, object) pairs; terms are N-Triples text.
Node = tuple[str, list[tuple[str, str]]]


# ---- terms


def iri(prefixed: str) -> str:
    """The N-Triples text of a prefixed name."""
    prefix, _, name = prefixed.partition(":")
    return f"<{PREFIXES[prefix]}{name}>"


def text(value: str, language: str = "") -> str:
    """The N-Triples text of a string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"@{language}' if language else f'"{escaped}"'


def typed(value: object, datatype: str) -> str:
    """The N-Triples text of a literal of an XSD datatype."""
    return f'"{value}"^^<{PREFIXES["xsd"]}{datatype}>'


def _both(prefixed: str, spanish: str, basque: str) -> list[tuple[str, str]]:
    return [(prefixed, text(spanish, "es")), (prefixed, text(basque, "eu"))]


# ---- the errors


def _drop(node: Node, prefixed: str) -> None:
    node[1][:] = [pair for pair in node[1] if pair[0] != prefixed]


def put(node: Node, prefixed: str, value: str) -> None:
    _drop(node, prefixed)
    node[1].append((prefixed, value))


def _second_publisher(node: Node) -> str:
    return re.sub(r"/area-[0-9]+>", "/council>", dict(node[1])["dct:publisher"])


@dataclass(frozen=True)
class Wrong:
    """A kind of error: how it is made, and what a validation reports (path and component)."""

    on: str
    path: str
    component: str
    make: Callable[[Node], None]


KINDS: Final[dict[str, Wrong]] = {
    "title missing": Wrong(
        "dataset", "dct:title", "MinCount", lambda node: _drop(node, "dct:title")
    ),
    "description missing": Wrong(
        "dataset", "dct:description", "MinCount", lambda node: _drop(node, "dct:description")
    ),
    "issued is no date": Wrong(
        "dataset",
        "dct:issued",
        "Node",
        lambda node: put(node, "dct:issued", typed("31/05/2021", "date")),
    ),
    "two publishers": Wrong(
        "dataset",
        "dct:publisher",
        "MaxCount",
        lambda node: node[1].append(("dct:publisher", _second_publisher(node))),
    ),
    "frequency not in the table": Wrong(
        "dataset",
        "dct:accrualPeriodicity",
        "Node",
        lambda node: put(node, "dct:accrualPeriodicity", f"<{EU}/frequency/SOMETIMES>"),
    ),
    "contact not described": Wrong(
        "dataset",
        "dcat:contactPoint",
        "Class",
        lambda node: put(node, "dcat:contactPoint", "<mailto:data@catalogue.example>"),
    ),
    "access address missing": Wrong(
        "distribution", "dcat:accessURL", "MinCount", lambda node: _drop(node, "dcat:accessURL")
    ),
    "format not in the table": Wrong(
        "distribution",
        "dct:format",
        "Node",
        lambda node: put(node, "dct:format", f"<{EU}/file-type/PAPER>"),
    ),
    "byte size below zero": Wrong(
        "distribution",
        "dcat:byteSize",
        "Datatype",
        lambda node: put(node, "dcat:byteSize", typed(-1, "nonNegativeInteger")),
    ),
    "two licences": Wrong(
        "distribution",
        "dct:license",
        "MaxCount",
        lambda node: node[1].append(("dct:license", f"<{EU}/licence/CC0>")),
    ),
}


@dataclass(frozen=True)
class Seeded:
    """A known answer: the dataset, the kind of error, and what a validation reports."""

    dataset: str
    kind: str
    focus: str
    path: str
    component: str


# ---- the catalogue


class Catalogue:
    """A catalogue that is always the same for the same arguments.

    `errors` is the fraction of datasets with an error, `change` the fraction that differs from the
    first version (0 is the first version). `statements` counts what `write` has written.
    """

    periods = 0.5
    """The fraction of datasets with a period."""
    kinds: ClassVar[dict[str, Wrong]] = KINDS
    """The errors that occur, in turn."""

    def __init__(
        self,
        datasets: int,
        *,
        seed: int = 1,
        base: str = DEFAULT_BASE,
        errors: float = 0.01,
        change: float = 0.0,
    ) -> None:
        self.datasets, self.seed, self.base = datasets, seed, base
        kinds = list(self.kinds)
        wrong = sorted(self._sample("errors", errors))
        self._wrong = {index: kinds[n % len(kinds)] for n, index in enumerate(wrong)}
        self._changed = self._sample("change", change)
        self.statements = 0

    def _sample(self, name: str, fraction: float) -> frozenset[int]:
        chosen = random.Random(f"{self.seed}/{name}")  # noqa: S311
        return frozenset(chosen.sample(range(self.datasets), round(self.datasets * fraction)))

    @property
    def answers(self) -> list[Seeded]:
        """The seeded errors, by dataset."""
        return [self._answer(index, kind) for index, kind in sorted(self._wrong.items())]

    @property
    def changed(self) -> list[str]:
        """The IRIs of the datasets that differ from the first version."""
        return [self._iri("dataset", f"d{index}") for index in sorted(self._changed)]

    def _answer(self, index: int, kind: str) -> Seeded:
        wrong = self.kinds[kind]
        dataset = self._iri("dataset", f"d{index}")
        focus = dataset if wrong.on == "dataset" else self._iri("distribution", f"d{index}-1")
        component = f"{wrong.component}ConstraintComponent"
        return Seeded(dataset, kind, focus, iri(wrong.path)[1:-1], component)

    def nodes(self) -> Iterator[Node]:
        """All nodes: the catalogue, its areas and contacts, then dataset by dataset."""
        yield from self._head()
        for index in range(self.datasets):
            yield from self._dataset(index)

    def write(self, out: IO[str], format: str) -> None:
        """Write it as one of FORMATS."""
        self.statements = 0
        before, one, after = FORMATS[format]
        out.write(before)
        for node in self.nodes():
            self.statements += len(node[1])
            out.write(one(node))
        out.write(after)

    def _iri(self, kind: str, slug: str) -> str:
        return f"{self.base}/id/{kind}/{slug}"

    def _ref(self, kind: str, slug: str) -> str:
        return f"<{self._iri(kind, slug)}>"

    def _head(self) -> Iterator[Node]:
        council = self._ref("agent", "council")
        agent = [("rdf:type", iri("foaf:Agent")), ("dct:type", _publisher_type())]
        yield council, [*agent, *_both("foaf:name", "Ayuntamiento", "Udala")]
        for number, (spanish, basque) in enumerate(AREAS):
            names = _both("foaf:name", f"Área de {spanish}", f"{basque} Saila")
            yield self._ref("agent", f"area-{number}"), [*agent, *names]
            yield (
                self._ref("shared", f"contact-{number}"),
                [
                    ("rdf:type", iri("vcard:Kind")),
                    *_both("vcard:fn", f"Buzón de {spanish}", f"{basque}: postontzia"),
                    ("vcard:hasEmail", f"<mailto:area-{number}@catalogue.example>"),
                ],
            )
        yield (
            self._ref("catalog", "city"),
            [
                ("rdf:type", iri("dcat:Catalog")),
                *_both("dct:title", "Catálogo de datos", "Datu-katalogoa"),
                *_both("dct:description", "Los datos de la ciudad.", "Hiriko datuak."),
                ("dct:publisher", council),
            ],
        )

    def _dataset(self, index: int) -> Iterator[Node]:
        # A source of chance for each dataset: what one draws changes no other.
        chance = random.Random(f"{self.seed}/{index}")  # noqa: S311
        name = f"d{index}"
        dataset: Node = (self._ref("dataset", name), self._described(name, chance))
        distributions = [
            self._distribution(f"{name}-{number + 1}", chance)
            for number in range(1 + (chance.random() < 0.3))
        ]
        dataset[1].extend(("dcat:distribution", subject) for subject, _ in distributions)
        period = list(self._period(dataset, name, chance))
        if index in self._changed:
            _revise(dataset, distributions[0])
        if kind := self._wrong.get(index):
            wrong = self.kinds[kind]
            wrong.make(dataset if wrong.on == "dataset" else distributions[0])
        yield dataset
        yield from distributions
        yield from period
        yield self._ref("catalog", "city"), [("dcat:dataset", dataset[0])]

    def _described(self, name: str, chance: random.Random) -> list[tuple[str, str]]:
        topic_es, topic_eu, theme = chance.choice(TOPICS)
        place_es, place_eu = chance.choice(PLACES)
        by_es, by_eu = chance.choice(BREAKDOWNS)
        first = chance.randrange(2008, 2024)
        last = chance.randrange(first, 2026)
        more = chance.sample(SENTENCES, chance.randrange(1, 4))
        area = chance.randrange(len(AREAS))
        issued = f"{last}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        return [
            ("rdf:type", iri("dcat:Dataset")),
            *_both(
                "dct:title",
                f"{topic_es} {place_es} {by_es}, {first}-{last}",
                f"{place_eu} {topic_eu.lower()} {by_eu}, {first}-{last}",
            ),
            *_both(
                "dct:description",
                " ".join(
                    (f"{topic_es} {place_es}: datos {by_es}, {first}-{last}.", *_column(more, 0))
                ),
                " ".join(
                    (
                        f"{place_eu} {topic_eu.lower()}: {by_eu} bildutako datuak, {first}-{last}.",
                        *_column(more, 1),
                    )
                ),
            ),
            *_both("dcat:keyword", *KEYWORDS[theme]),
            ("dcat:theme", f"<{EU}/data-theme/{theme}>"),
            ("dct:publisher", self._ref("agent", f"area-{area}")),
            ("dcat:contactPoint", self._ref("shared", f"contact-{area}")),
            ("dct:identifier", text(name)),
            ("dct:issued", typed(issued, "date")),
            ("dct:modified", typed(issued, "date")),
            ("dct:accrualPeriodicity", f"<{EU}/frequency/{chance.choice(FREQUENCIES)}>"),
            ("dct:accessRights", f"<{EU}/access-right/PUBLIC>"),
        ]

    def _distribution(self, name: str, chance: random.Random) -> Node:
        code = chance.choice(FILES)
        return (
            self._ref("distribution", name),
            [
                ("rdf:type", iri("dcat:Distribution")),
                ("dcat:accessURL", f"<https://files.catalogue.example/{name}.{code.lower()}>"),
                ("dct:format", f"<{EU}/file-type/{code}>"),
                ("dcat:byteSize", typed(chance.randrange(1_000, 50_000_000), "nonNegativeInteger")),
                ("dct:license", LICENCE),
            ],
        )

    def _period(self, dataset: Node, name: str, chance: random.Random) -> Iterator[Node]:
        """For a part of the datasets a period, half of these a blank node."""
        if chance.random() < 1 - self.periods:
            return
        period = f"_:{name}" if chance.random() < 0.5 else f"{dataset[0][:-1]}#period>"
        dataset[1].append(("dct:temporal", period))
        year = chance.randrange(2008, 2024)
        yield (
            period,
            [
                ("rdf:type", iri("dct:PeriodOfTime")),
                ("dcat:startDate", typed(f"{year}-01-01", "date")),
                ("dcat:endDate", typed(f"{year + 1}-12-31", "date")),
            ],
        )


def _publisher_type() -> str:
    return "<http://purl.org/adms/publishertype/LocalAuthority>"


def _column(pairs: list[tuple[str, str]], number: int) -> list[str]:
    return [pair[number] for pair in pairs]


def _revise(dataset: Node, distribution: Node) -> None:
    """What changes from the first version to the second."""
    added = dict(zip(("es", "eu"), REVISED, strict=True))
    dataset[1][:] = [
        (p, f"{o[:-4]} {added[o[-2:]]}{o[-4:]}" if p == "dct:description" else o)
        for p, o in dataset[1]
    ]
    put(dataset, "dct:modified", typed("2026-05-04", "date"))
    put(distribution, "dcat:byteSize", typed(4_242_424, "nonNegativeInteger"))


# ---- the formats

_PREDICATES: Final[dict[str, str]] = {}
_LITERAL: Final = re.compile(r'"(.*)"(?:@([a-z]+)|\^\^<(.+)>)?$', re.DOTALL)


def _ntriples(node: Node) -> str:
    subject, pairs = node
    lines = []
    for prefixed, value in pairs:
        predicate = _PREDICATES.get(prefixed) or _PREDICATES.setdefault(prefixed, iri(prefixed))
        lines.append(f"{subject} {predicate} {value} .\n")
    return "".join(lines)


def _turtle(node: Node) -> str:
    subject, pairs = node
    body = " ;\n    ".join(f"{'a' if p == 'rdf:type' else p} {o}" for p, o in pairs)
    return f"{subject} {body} .\n\n"


def _xml(node: Node) -> str:
    subject, pairs = node
    about = f'rdf:nodeID="{subject[2:]}"' if subject[0] == "_" else _about("about", subject)
    body = "".join(f"    {_xml_property(p, o)}\n" for p, o in pairs)
    return f"  <rdf:Description {about}>\n{body}  </rdf:Description>\n"


def _about(name: str, term: str) -> str:
    return f"rdf:{name}={quoteattr(term[1:-1])}"


def _xml_property(prefixed: str, value: str) -> str:
    if value.startswith("<"):
        return f"<{prefixed} {_about('resource', value)}/>"
    if value.startswith("_:"):
        return f'<{prefixed} rdf:nodeID="{value[2:]}"/>'
    found = _LITERAL.match(value)
    assert found, value
    content = escape(found[1].replace('\\"', '"').replace("\\\\", "\\"))
    language = f' xml:lang="{found[2]}"' if found[2] else ""
    datatype = f" rdf:datatype={quoteattr(found[3])}" if found[3] else ""
    return f"<{prefixed}{language}{datatype}>{content}</{prefixed}>"


def _xml_head() -> str:
    spaces = "".join(f'\n    xmlns:{prefix}="{ns}"' for prefix, ns in PREFIXES.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF{spaces}>\n'


# Name -> what stands before, one node, what stands after.
FORMATS: Final[dict[str, tuple[str, Callable[[Node], str], str]]] = {
    "nt": ("", _ntriples, ""),
    "ttl": (
        "".join(f"@prefix {p}: <{ns}> .\n" for p, ns in PREFIXES.items()) + "\n",
        _turtle,
        "",
    ),
    "rdf": (_xml_head(), _xml, "</rdf:RDF>\n"),
}


def main(kind: type[Catalogue] = Catalogue) -> None:
    """Write a catalogue, and its answers where asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("datasets", type=int)
    parser.add_argument("--format", choices=sorted(FORMATS), default="nt")
    parser.add_argument("--output", type=Path, help="file [standard output]")
    parser.add_argument("--answers", type=Path, help="file for the seeded errors, JSON lines")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", default=DEFAULT_BASE)
    parser.add_argument("--errors", type=float, default=0.01, metavar="FRACTION")
    parser.add_argument("--change", type=float, default=0.0, metavar="FRACTION")
    options = parser.parse_args()
    catalogue = kind(
        options.datasets,
        seed=options.seed,
        base=options.base,
        errors=options.errors,
        change=options.change,
    )
    opened = (
        options.output.open("w", encoding="utf-8", newline="\n")
        if options.output
        else nullcontext(sys.stdout)
    )
    with opened as out:
        catalogue.write(out, options.format)
    if options.answers:
        lines = (json.dumps(asdict(answer), ensure_ascii=False) for answer in catalogue.answers)
        options.answers.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(
        f"{catalogue.statements:,} statements, {len(catalogue.answers):,} seeded errors",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()

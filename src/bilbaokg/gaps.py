"""Completeness: what a catalogue lacks, counted, the moment it is loaded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from bilbaokg.model import Problem
from bilbaokg.skolem import GENID
from bilbaokg.terms import DCAT, DCT, FOAF, RDF, RDFS, SKOS, VCARD, Statement, plain, ref

__all__ = [
    "EXPECTED",
    "LISTED",
    "Expected",
    "class_counts",
    "counted",
    "curie",
    "lacks",
    "nameless",
]


class Expected(NamedTuple):
    """What the members of a class are asked for: what they are called, and property -> name."""

    noun: str
    mandatory: Mapping[str, str]
    recommended: Mapping[str, str]


# Class IRI -> what DCAT-AP 3.0.1 asks of it.
EXPECTED: Final[dict[str, Expected]] = {
    DCAT.Catalog: Expected(
        "catalogue",
        {DCT["title"]: "title", DCT.description: "description", DCT.publisher: "publisher"},
        {},
    ),
    DCAT.Dataset: Expected(
        "dataset",
        {DCT["title"]: "title", DCT.description: "description"},
        {
            DCAT.contactPoint: "contact point",
            DCT.publisher: "publisher",
            DCAT.theme: "theme",
            DCAT.keyword: "keyword",
            DCAT.distribution: "distribution",
            DCT.spatial: "spatial coverage",
            DCT.temporal: "temporal coverage",
        },
    ),
    DCAT.Distribution: Expected(
        "distribution",
        {DCAT.accessURL: "access URL"},
        {DCT["format"]: "format", DCT.license: "licence", DCT.description: "description"},
    ),
    DCAT.DataService: Expected(
        "data service", {DCT["title"]: "title", DCAT.endpointURL: "endpoint URL"}, {}
    ),
    FOAF.Agent: Expected("agent", {FOAF.name: "name"}, {}),
}
# Classes of what a portal lists.
LISTED: Final = (DCAT.Catalog, DCAT.Dataset, DCAT.DatasetSeries, DCAT.DataService)
_TYPE: Final = ref(RDF.type)
_NAMES: Final = tuple(map(ref, (DCT["title"], FOAF.name, SKOS.prefLabel, RDFS.label, VCARD.fn)))


def curie(iri: str, prefixes: Mapping[str, str]) -> str:
    """The IRI as `prefix:name` where a prefix fits, else itself."""
    for prefix, namespace in prefixes.items():
        if iri.startswith(namespace) and "/" not in iri[len(namespace) :]:
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def counted(number: int, noun: str) -> str:
    """`1 dataset`, `2,000 datasets`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def class_counts(statements: Iterable[Statement]) -> dict[str, int]:
    """How many subjects each class has (class IRI -> count), most first."""
    members: dict[str, set[str]] = defaultdict(set)
    for subject, predicate, object_ in statements:
        if predicate == _TYPE and object_.startswith("<"):
            members[object_[1:-1]].add(subject)
    return {
        c: len(m) for c, m in sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    }


class _Gap(NamedTuple):
    """Some members of a class have no value of a property."""

    severity: str
    noun: str
    predicate: str
    name: str
    total: int
    missing: frozenset[str]

    @property
    def example(self) -> str:
        """One of them, with an IRI of its own where there is such a one."""
        return min(self.missing, key=lambda node: (GENID in node, node))

    def problem(self, prefixes: Mapping[str, str], called: Mapping[str, str]) -> Problem:
        count = len(self.missing)
        grade = "mandatory" if self.severity == "violation" else "recommended"
        return Problem(
            self.severity,
            f"{count:,} of {counted(self.total, self.noun)} {'has' if count == 1 else 'have'} "
            f"no {self.name} ({curie(self.predicate, prefixes)}, {grade})",
            focus=self.example[1:-1],
            path=self.predicate,
            component="MinCountConstraintComponent",
            title=called.get(self.example),
        )


def nameless(statements: Iterable[Statement]) -> list[Problem]:
    """That datasets have no IRI, where some have none: their names are made of their content."""
    datasets = {s.subject for s in statements if s[1:] == (_TYPE, ref(DCAT.Dataset))}
    count = sum(GENID in dataset for dataset in datasets)
    if not count:
        return []
    return [
        Problem(
            "warning",
            f"{count:,} of {counted(len(datasets), 'dataset')} {'has' if count == 1 else 'have'} "
            "no IRI: after any change at its source such a dataset comes in as a new one",
            hint="give each an IRI in the file (rdf:about, @id) that stays",
        )
    ]


def lacks(statements: Collection[Statement], prefixes: Mapping[str, str]) -> list[Problem]:
    """One problem for each expected property that some members of a class do not have.

    `focus` is one of those members, and `title` what it, or what leads to it, is called.
    """
    gaps = list(_gaps(statements))
    called = _called(statements, {gap.example for gap in gaps})
    return [gap.problem(prefixes, called) for gap in gaps]


def _gaps(statements: Iterable[Statement]) -> Iterator[_Gap]:
    members: dict[str, set[str]] = defaultdict(set)
    having: dict[str, set[str]] = defaultdict(set)
    for subject, predicate, object_ in statements:
        if predicate == _TYPE:
            members[object_[1:-1]].add(subject)
        having[predicate[1:-1]].add(subject)
    for cls, expected in EXPECTED.items():
        asked = [("violation", *item) for item in expected.mandatory.items()]
        asked += [("warning", *item) for item in expected.recommended.items()]
        for severity, predicate, name in asked:
            if missing := members[cls] - having[predicate]:
                total = len(members[cls])
                yield _Gap(severity, expected.noun, predicate, name, total, frozenset(missing))


def _called(statements: Iterable[Statement], wanted: set[str]) -> dict[str, str]:
    """Node -> its name, or that of one that leads to it; Spanish before other languages."""
    names: dict[str, str] = {}
    above: dict[str, str] = {}
    for subject, predicate, object_ in statements:
        if predicate in _NAMES and object_.startswith('"'):
            before = names.get(subject, object_)
            names[subject] = min(before, object_, key=lambda name: (not name.endswith("@es"), name))
        elif object_ in wanted:
            above[object_] = min(above.get(object_, subject), subject)
    found = {node: names.get(node) or names.get(above.get(node, "")) for node in wanted}
    return {node: plain(name) for node, name in found.items() if name}

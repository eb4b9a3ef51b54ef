"""Completeness: what a catalogue lacks, counted, the moment it is loaded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from bilbaokg.model import Problem
from bilbaokg.terms import DCAT, DCT, FOAF, RDF, Statement, ref

__all__ = ["EXPECTED", "class_counts", "curie", "lacks"]

# Class -> property -> severity: mandatory (violation) and recommended (warning) in DCAT-AP 3.0.1.
EXPECTED: Final[dict[str, dict[str, str]]] = {
    DCAT.Catalog: {
        DCT["title"]: "violation",
        DCT.description: "violation",
        DCT.publisher: "violation",
    },
    DCAT.Dataset: {
        DCT["title"]: "violation",
        DCT.description: "violation",
        DCAT.contactPoint: "warning",
        DCT.publisher: "warning",
        DCAT.theme: "warning",
        DCAT.keyword: "warning",
        DCAT.distribution: "warning",
        DCT.spatial: "warning",
        DCT.temporal: "warning",
    },
    DCAT.Distribution: {
        DCAT.accessURL: "violation",
        DCT["format"]: "warning",
        DCT.license: "warning",
        DCT.description: "warning",
    },
    DCAT.DataService: {DCT["title"]: "violation", DCAT.endpointURL: "violation"},
    FOAF.Agent: {FOAF.name: "violation"},
}


def curie(iri: str, prefixes: dict[str, str]) -> str:
    """The IRI as `prefix:name` where a prefix fits, else itself."""
    for prefix, namespace in prefixes.items():
        if iri.startswith(namespace) and "/" not in iri[len(namespace) :]:
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def class_counts(statements: Iterable[Statement]) -> dict[str, int]:
    """How many subjects each class has (class IRI -> count), most first."""
    members: dict[str, set[str]] = defaultdict(set)
    for subject, predicate, object_ in statements:
        if predicate == ref(RDF.type) and object_.startswith("<"):
            members[object_[1:-1]].add(subject)
    return {
        c: len(m) for c, m in sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def lacks(statements: Iterable[Statement], prefixes: dict[str, str]) -> list[Problem]:
    """One problem for each expected property that some members of a class do not have."""
    members: dict[str, set[str]] = defaultdict(set)
    having: dict[str, set[str]] = defaultdict(set)
    for subject, predicate, object_ in statements:
        if predicate == ref(RDF.type):
            members[object_[1:-1]].add(subject)
        having[predicate[1:-1]].add(subject)
    problems = []
    for cls, expected in EXPECTED.items():
        for predicate, severity in expected.items():
            missing = members[cls] - having[predicate]
            if missing:
                first = min(missing)
                problems.append(
                    Problem(
                        severity,
                        f"{len(missing)} of {len(members[cls])} {curie(cls, prefixes)} "
                        f"have no {curie(predicate, prefixes)}",
                        focus=first[1:-1],
                        path=predicate,
                        component="MinCountConstraintComponent",
                        hint="bilbaokg validate lists them all",
                    )
                )
    return problems

"""Whether a portal shows what was released: which datasets are missing there, and what differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bilbaokg.terms import DCAT, DCT, RDF, plain, ref, split_line

__all__ = ["Comparison", "Datasets", "Difference", "compare", "differences"]

_TYPE: Final = ref(RDF.type)
_DATASET: Final = ref(DCAT.Dataset)
_TITLE, _MODIFIED, _LICENCE, _IDENTIFIER = (
    ref(iri) for iri in (DCT["title"], DCT.modified, DCT.license, DCT.identifier)
)
_DISTRIBUTION: Final = ref(DCAT.distribution)
_ADDRESSES: Final = tuple(map(ref, (DCAT.accessURL, DCAT.downloadURL)))
# A day is enough: portals change how a moment is written.
_DAY: Final = len("2026-01-01")

Node = Mapping[str, set[str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One property of a dataset of which the portal shows something else."""

    iri: str
    title: str | None
    property: str
    released: list[str]
    shown: list[str]


@dataclass(slots=True)
class Comparison:
    """What came of comparing. missing, extra: (IRI, title) of datasets; others: how many the portal
    shows that are not ours."""

    released: int = 0
    shown: int = 0
    others: int = 0
    missing: list[tuple[str, str | None]] = field(default_factory=list)
    extra: list[tuple[str, str | None]] = field(default_factory=list)
    differing: list[Difference] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether the portal shows what was released."""
        return not (self.missing or self.extra or self.differing)

    def as_dict(self) -> dict[str, Any]:
        """The JSON members."""
        called = {
            name: [{"iri": iri, "title": title} for iri, title in found]
            for name, found in (("missing", self.missing), ("extra", self.extra))
        }
        return {"agrees": self.agrees, **asdict(self), **called}


def compare(released: Iterable[str], shown: Iterable[str], base: str) -> Comparison:
    """Compare statements (N-Triples lines) of a release with those of a portal.

    A dataset is the same by its IRI, else by an identifier that one dataset alone has on either
    side: portals may give IRIs of their own. What is shown below `base` and was not released is
    extra; other datasets of the portal are counted.
    """
    ours, theirs = Datasets(released), Datasets(shown)
    found = Comparison(len(ours.members), len(theirs.members))
    seen: set[str] = set()
    for dataset in sorted(ours.members):
        other = theirs.same_as(dataset, ours)
        if other is None:
            found.missing.append((plain(dataset), ours.title(dataset)))
            continue
        seen.add(other)
        found.differing += differences(dataset, ours, other, theirs)
    for dataset in sorted(theirs.members - seen):
        if dataset.startswith(f"<{base}/"):
            found.extra.append((plain(dataset), theirs.title(dataset)))
        else:
            found.others += 1
    return found


class Datasets:
    """The datasets of a catalogue, and what is said of every node."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.nodes: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for subject, predicate, object_ in map(split_line, lines):
            self.nodes[subject][predicate].add(object_)
        self.members = {
            node for node, said in self.nodes.items() if _DATASET in said.get(_TYPE, ())
        }
        self.by_identifier: dict[str, list[str]] = defaultdict(list)
        for member in self.members:
            for identifier in self.texts(member, _IDENTIFIER):
                self.by_identifier[identifier].append(member)

    def texts(self, node: str, predicate: str) -> set[str]:
        """The values of a property, without language or datatype."""
        return {plain(term) for term in self.nodes[node].get(predicate, ())}

    def title(self, dataset: str) -> str | None:
        """One of its titles, in Spanish where it has one."""
        titles = self.nodes[dataset].get(_TITLE, ())
        found = min(titles, key=lambda term: (not term.endswith("@es"), term), default=None)
        return plain(found) if found else None

    def same_as(self, dataset: str, ours: Datasets) -> str | None:
        """The dataset here that is one of another catalogue."""
        if dataset in self.members:
            return dataset
        for identifier in sorted(ours.texts(dataset, _IDENTIFIER)):
            found = self.by_identifier.get(identifier, [])
            if len(found) == len(ours.by_identifier[identifier]) == 1:
                return found[0]
        return None

    def files(self, dataset: str) -> set[str]:
        """The distributions of a dataset."""
        return self.nodes[dataset].get(_DISTRIBUTION, set())

    def values(self, dataset: str) -> dict[str, set[str]]:
        """What is compared, by what it is called."""
        files = self.files(dataset)
        return {
            "title": self.texts(dataset, _TITLE),
            "modified": {text[:_DAY] for text in self.texts(dataset, _MODIFIED)},
            "licence": {v for f in files for v in self.texts(f, _LICENCE)},
            "distributions": {v for f in files for p in _ADDRESSES for v in self.texts(f, p)},
        }


def differences(dataset: str, ours: Datasets, other: str, theirs: Datasets) -> Iterable[Difference]:
    """What another catalogue shows otherwise of a dataset, property by property."""
    shown = theirs.values(other)
    for name, values in ours.values(dataset).items():
        seen = shown[name]
        # A portal shows a title in the languages that it has.
        if seen == values or (name == "title" and seen and seen <= values):
            continue
        title = ours.title(dataset)
        yield Difference(plain(dataset), title, name, sorted(values), sorted(seen))

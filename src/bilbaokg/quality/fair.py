"""FAIR, as far as metadata show it: a few yes-or-no questions a letter.

The questions are ours; they follow the principles of Wilkinson et al., "The FAIR Guiding Principles
for scientific data management and stewardship" (2016), whose numbers they carry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from bilbaokg.quality.catalogue import Described
from bilbaokg.quality.tables import file_type, media_type, table
from bilbaokg.skolem import GENID
from bilbaokg.terms import DCAT, DCT, PROV, ref

__all__ = ["LETTERS", "QUESTIONS", "Question", "fair"]


class Question(NamedTuple):
    """A principle ("F1"), what is asked, and the test; the letter is the principle's."""

    principle: str
    code: str
    test: Callable[[Described], bool]


def _has(*iris: str) -> Callable[[Described], bool]:
    """Whether a dataset has one of some properties."""
    predicates = tuple(map(ref, iris))
    return lambda dataset: any(dataset.said.get(predicate) for predicate in predicates)


def _every_file(iri: str, wanted: Callable[[str], object] = bool) -> Callable[[Described], bool]:
    """Whether there are distributions, and each has such a value."""
    predicate = ref(iri)
    return lambda dataset: (
        bool(dataset.distributions)
        and all(any(map(wanted, said.get(predicate, ()))) for _, said in dataset.distributions)
    )


def _is_open_to_programs(term: str) -> bool:
    known = file_type(term)
    return known is not None and known.open and known.machine


def _is_licence(term: str) -> bool:
    return term in table("licence")


def _has_iri(dataset: Described) -> bool:
    return dataset.node.startswith("<http") and GENID not in dataset.node


QUESTIONS: Final[tuple[Question, ...]] = (
    Question("F1", "iri", _has_iri),
    Question("F1", "identifier", _has(DCT.identifier)),
    Question("F2", "description", _has(DCT.description)),
    Question("F2", "keyword", _has(DCAT.keyword)),
    Question("F2", "theme", _has(DCAT.theme)),
    Question("A1", "access-url", _every_file(DCAT.accessURL)),
    Question("A1", "download-url", _every_file(DCAT.downloadURL)),
    Question("A1", "access-rights", _has(DCT.accessRights)),
    Question("A2", "contact-point", _has(DCAT.contactPoint)),
    Question("I1", "open-format", _every_file(DCT["format"], _is_open_to_programs)),
    Question("I1", "media-type", _every_file(DCAT.mediaType, media_type)),
    Question("I2", "standard", _has(DCT.conformsTo)),
    Question("I3", "linked", _has(PROV.wasDerivedFrom, DCT.relation, DCT.isPartOf, DCAT.inSeries)),
    Question("R1.1", "licence", _every_file(DCT.license, _is_licence)),
    Question("R1.2", "origin", _has(PROV.wasDerivedFrom, PROV.wasGeneratedBy, DCT.provenance)),
    Question("R1.2", "publisher", _has(DCT.publisher)),
    Question("R1.3", "period", _has(DCT.temporal)),
)
LETTERS: Final = "FAIR"


def fair(dataset: Described) -> dict[str, float]:
    """The share of questions (0 to 1) of each letter that a dataset answers with yes."""
    asked: dict[str, list[bool]] = {letter: [] for letter in LETTERS}
    for question in QUESTIONS:
        asked[question.principle[0]].append(question.test(dataset))
    return {letter: sum(answers) / len(answers) for letter, answers in asked.items()}

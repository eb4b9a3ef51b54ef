"""How much of what DCAT-AP asks of a dataset and its files is filled in."""

from __future__ import annotations

from typing import Final, NamedTuple

from bilbaokg.gaps import EXPECTED
from bilbaokg.quality.catalogue import Described
from bilbaokg.terms import DCAT, ref

__all__ = ["Completeness", "completeness"]


class Completeness(NamedTuple):
    """Properties that have a value, of all that are mandatory or recommended."""

    filled: int
    expected: int


def _asked(cls: str) -> tuple[str, ...]:
    expected = EXPECTED[cls]
    return tuple(map(ref, (*expected.mandatory, *expected.recommended)))


_OF_DATASET: Final = _asked(DCAT.Dataset)
_OF_DISTRIBUTION: Final = _asked(DCAT.Distribution)


def completeness(dataset: Described) -> Completeness:
    """What a dataset and its distributions have, together."""
    filled = sum(bool(dataset.said.get(predicate)) for predicate in _OF_DATASET)
    for _, said in dataset.distributions:
        filled += sum(bool(said.get(predicate)) for predicate in _OF_DISTRIBUTION)
    expected = len(_OF_DATASET) + len(_OF_DISTRIBUTION) * len(dataset.distributions)
    return Completeness(filled, expected)

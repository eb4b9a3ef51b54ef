"""Finds the term that was probably meant: another case, http for https, a label, a slip or two.

The index holds every name of every term, and every name with one or two letters left out: two names
an edit or two apart share such a form, so looking up costs the same for any number of terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Final

from bilbaokg.terms import slugify

__all__ = ["Index"]

_AROUND: Final = re.compile(r"^https?://(?:www\.)?|[/#]+$", re.IGNORECASE)
# Names longer than this are compared with one letter left out, shorter ones with two.
_LONG: Final = 16
# Names longer than this are texts: only the same is alike.
_LONGEST: Final = 80
# Codes shorter than this differ by little: only letters that changed places count as a slip.
_SHORT: Final = 4


class Index:
    """Names of terms. names: term -> what it is called: labels, codes, the end of its IRI.

    Terms whose names are alike are told apart by nothing, so such a name finds none of them.
    """

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        self._addresses: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}
        self._forms: dict[str, set[str]] = {}
        for term, called in names.items():
            if term.startswith("<"):
                self._addresses.setdefault(_address(term[1:-1]), term)
            for name in filter(None, map(slugify, called)):
                self._names.setdefault(name, set()).add(term)
        for name in self._names:
            for form in _forms(name):
                self._forms.setdefault(form, set()).add(name)
        self._spaces = {_space(address) for address in self._addresses}

    def find(self, text: str, others: Iterable[str] = ()) -> str | None:
        """The one term that a text, or else one of some other names, may stand for."""
        return self.address(text) or self._named(text) or self._first(map(self.name, others))

    def address(self, iri: str) -> str | None:
        """The term with this IRI, but for http or https, www, case and what stands at the end."""
        return self._addresses.get(_address(iri))

    def name(self, text: str) -> str | None:
        """The one term with this name, or with one an edit or two away."""
        name = slugify(text)
        return self._exact(name) or self._close(name)

    def _named(self, text: str) -> str | None:
        if "://" not in text:
            return self.name(text)
        address = _address(text)
        space, name = _space(address), slugify(address.removeprefix(_space(address)))
        if not name or name.isdigit():
            return None
        # In a foreign namespace a name must be right to mean anything.
        return self._exact(name) or (self._close(name) if space in self._spaces else None)

    @staticmethod
    def _first(found: Iterable[str | None]) -> str | None:
        return next(filter(None, found), None)

    def _exact(self, name: str) -> str | None:
        return _only(self._names.get(name, ()))

    def _close(self, name: str) -> str | None:
        known = {n for form in _forms(name) for n in self._forms.get(form, ())}
        distances = {n: _distance(name, n) for n in known}
        allowed = [n for n, d in distances.items() if d <= min(_edits(name), _edits(n))]
        if len(name) < _SHORT:
            allowed = [n for n in allowed if sorted(n) == sorted(name)]
        least = min((distances[n] for n in allowed), default=0)
        return _only({t for n in allowed if distances[n] == least for t in self._names[n]})


def _only(terms: Iterable[str]) -> str | None:
    found = list(terms)
    return found[0] if len(found) == 1 else None


def _address(iri: str) -> str:
    return _AROUND.sub("", iri.strip()).casefold()


def _space(address: str) -> str:
    """An address up to its last part."""
    return re.sub(r"[^/#:]*$", "", address)


def _edits(name: str) -> int:
    """How many edits away a name may be."""
    return 0 if len(name) < 3 else 1 if len(name) < 8 else 2


def _forms(name: str) -> Iterator[str]:
    """The name, and it with as many letters left out as it may differ by."""
    yield name
    if len(name) > _LONGEST:
        return
    for count in range(1, min(_edits(name), 1 if len(name) > _LONG else 2) + 1):
        for places in combinations(range(len(name)), count):
            yield "".join(letter for i, letter in enumerate(name) if i not in places)


def _distance(first: str, second: str) -> int:
    """Edits between two names: a letter more, less, other, or two swapped."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(second, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b))
            if i > 1 < j and a == second[j - 2] and first[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]

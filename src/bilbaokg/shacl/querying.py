"""The store that queries of shapes run over: made once, when the first of them is asked.

Queries see data and background as one default graph, and the shapes as the graph $shapesGraph.
They see terms exactly (encoding.py), but for what Oxigraph computes itself: MIN, MAX and arithmetic
give canonical literals, xsd:string() and GROUP_CONCAT take a blank node for an IRI, and blank nodes
are sorted like IRIs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final, cast
from weakref import WeakKeyDictionary

import pyoxigraph as ox

from bilbaokg.shacl.encoding import FUNCTIONS, decode, encode
from bilbaokg.shacl.graph import Layers
from bilbaokg.shacl.prebinding import template
from bilbaokg.shacl.templates import Names, Refused, Template
from bilbaokg.terms import split_line

__all__ = ["SHAPES_GRAPH", "Asked", "Query", "asked"]

SHAPES_GRAPH: Final = "<urn:x-bilbaokg:shapes>"
_NOBODY: Final = ox.Store()


class Query:
    """A query text of shapes, checked and ready.

    Raises Refused for a text that is not valid or not allowed, before it meets data.
    """

    def __init__(self, text: str, names: Names, prefixes: Mapping[str, str]) -> None:
        self._prefixes = dict(prefixes)
        read = template(text, names, prefixes)
        try:
            # Oxigraph reads and plans the text; without a look at the solutions it does no more.
            self.template: Template = read.checked(partial(self._over, _NOBODY))
        except SyntaxError as error:
            raise Refused(f"a query is not valid: {error.msg}") from None

    def over(self, store: ox.Store, **values: str) -> ox.QuerySolutions:
        """Ask it, with encoded terms for its open variables."""
        return self._over(store, self.template.text(**values))

    def _over(self, store: ox.Store, text: str) -> ox.QuerySolutions:
        found = store.query(text, prefixes=self._prefixes, custom_functions=FUNCTIONS)
        return cast("ox.QuerySolutions", found)


class Asked:
    """Statements that queries are asked about. Nodes and answers are N-Triples terms."""

    def __init__(self, lines: Iterable[str], shapes: Iterable[str]) -> None:
        self._store = ox.Store()
        self._shapes: Iterable[str] | None = shapes
        self._load(lines, of_shapes=False)

    def _load(self, lines: Iterable[str], *, of_shapes: bool) -> None:
        names: dict[str, str] = {}

        def name(term: str) -> str:
            found = names.get(term)
            if found is None:
                found = names[term] = encode(term, of_shapes=of_shapes)
            return found

        text = "\n".join(" ".join((*map(name, split_line(line)), ".")) for line in lines)
        self._store.bulk_load(
            text.encode(),
            format=ox.RdfFormat.N_TRIPLES,
            to_graph=ox.NamedNode(SHAPES_GRAPH[1:-1]) if of_shapes else None,
            lenient=True,
        )

    def solutions(self, query: Query, **values: str) -> Iterator[dict[str, str]]:
        """The answers of a SELECT, with terms for its open variables: what each binds."""
        found = self._ask(query, values)
        names = [variable.value for variable in found.variables]
        for solution in found:
            bound = zip(names, solution, strict=True)
            yield {name: decode(str(term)) for name, term in bound if term is not None}

    def holds(self, query: Query, **values: str) -> bool:
        """The answer of an ASK."""
        return next(self._ask(query, values), None) is not None

    def _ask(self, query: Query, values: Mapping[str, str]) -> ox.QuerySolutions:
        if query.template.of_shapes and self._shapes is not None:
            self._load(self._shapes, of_shapes=True)
            self._shapes = None
        return query.over(self._store, **{name: encode(term) for name, term in values.items()})


_ASKED: Final[WeakKeyDictionary[Layers, Asked]] = WeakKeyDictionary()


def asked(data: Layers, shapes: Iterable[str]) -> Asked:
    """What queries about data are asked; the same for all that look at the same data."""
    found = _ASKED.get(data)
    if found is None:
        found = _ASKED[data] = Asked(data.lines(), shapes)
    return found

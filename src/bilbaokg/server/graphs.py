"""Requests of the SPARQL 1.1 Graph Store HTTP Protocol, read: which graph they are about."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from bilbaokg.errors import BadInput
from bilbaokg.server.answering import fields
from bilbaokg.terms import is_iri

__all__ = ["DEFAULT", "graph_of", "needed"]

DEFAULT: Final = ""
"""What stands for the default graph, which has no name."""


def graph_of(request: Request) -> str | None:
    """The graph that `?graph=` or `?default` names (section 4.2); None where neither is there.

    An IRI, or DEFAULT. Raises BadInput for both, several, or what is no absolute IRI.
    """
    found = fields(request.scope["query_string"])
    names = found.get("graph", [])
    if len(names) > 1 or (names and "default" in found):
        raise BadInput("more than one graph", hint="give one `graph`, or `default`")
    if "default" in found:
        return DEFAULT
    if not names:
        return None
    if not is_iri(names[0]):
        raise BadInput(f"graph={names[0][:200]!r} is no absolute IRI", hint="percent-encode it")
    return names[0]


def needed(graph: str | None) -> str:
    """The graph, where a request must name one."""
    if graph is None:
        # To take the whole store for it would let a slip of the pen replace everything.
        raise BadInput("no graph is named", hint="add ?graph=IRI or ?default")
    return graph

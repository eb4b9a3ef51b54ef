"""Requests of the SPARQL 1.1 Graph Store HTTP Protocol, read: which graph, and on which condition.

An ETag is the revision of a record, and the name of the format that it came in.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request

from bilbaokg.errors import BadInput, PreconditionFailed
from bilbaokg.server.answering import fields
from bilbaokg.server.validators import is_among
from bilbaokg.terms import is_iri

__all__ = ["DEFAULT", "check", "etag", "graph_of", "is_known", "needed"]

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


def etag(revision: str, format: str) -> str:
    """The validator of a revision in a format: each representation has its own."""
    return f'"{revision}.{format}"'


def is_known(headers: Headers, revision: str, format: str) -> bool:
    """Whether the client has it: If-None-Match (RFC 9110, section 13.1.2), weak comparison."""
    return is_among(etag(revision, format), ",".join(headers.getlist("if-none-match")))


def check(headers: Headers, revision: str | None) -> None:
    """Whether a change may be made to a revision, None for what is not there.

    If-Match compares strongly, If-None-Match weakly (sections 13.1.1 and 13.1.2); a tag fits its
    revision in whatever format it was read. Raises PreconditionFailed.
    """
    wanted, unwanted = _tags(headers, "if-match"), _tags(headers, "if-none-match")
    if wanted and not (revision if "*" in wanted else _names(wanted, revision)):
        raise PreconditionFailed(
            "it is not the revision that was read", hint="read it again, and repeat the change"
        )
    weak = {tag.removeprefix("W/") for tag in unwanted}
    if unwanted and (revision if "*" in weak else _names(weak, revision)):
        raise PreconditionFailed("it is there already", hint="read it, then send If-Match")


def _tags(headers: Headers, name: str) -> set[str]:
    given = ",".join(headers.getlist(name))
    return {tag.strip() for tag in given.split(",") if tag.strip()}


def _names(tags: set[str], revision: str | None) -> bool:
    """Whether one of the tags is of the revision."""
    return revision is not None and any(
        tag.strip('"').partition(".")[0] == revision for tag in tags if tag.startswith('"')
    )

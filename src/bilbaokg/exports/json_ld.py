"""JSON-LD in the words of schema.org, for search engines: flat for a feed, a tree for a page.

The context stands in the document, so nobody has to fetch one; a term of schema.org is its bare
name (JSON-LD 1.1, section 4.1.2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any, BinaryIO, Final

import pyoxigraph as ox

from bilbaokg.exports.catalogue import TYPE
from bilbaokg.terms import HYDRA, SCHEMA, XSD, plain, split_line, split_literal

__all__ = ["read", "tree", "write"]

_SPACES: Final = {SCHEMA: "", HYDRA: "hydra:"}
_CONTEXT: Final = {"@vocab": str(SCHEMA), "hydra": str(HYDRA)}
_BOOLEANS: Final = {"true": True, "false": False}
_DEPTH: Final = 4
_NODES: Final = 1000
Node = dict[str, Any]


def write(lines: Iterable[str], out: BinaryIO) -> None:
    """Write N-Triples lines, subject by subject, as one flat document."""
    out.write(f'{{"@context": {_text(_CONTEXT)},\n "@graph": ['.encode())
    mark = "\n"
    for node in _nodes(lines):
        out.write(f"{mark}{_text(node)}".encode())
        mark = ",\n"
    out.write(b"\n]}\n")


def read(content: bytes | BinaryIO) -> Iterator[ox.Quad]:
    """Parse what `write` made, some nodes at a time: a parser holds a whole `@graph` in memory."""
    lines = iter(content.split(b"\n") if isinstance(content, bytes) else content)
    head = next(lines) + next(lines)
    while nodes := list(islice(lines, _NODES)):
        text = b"".join(nodes).rstrip(b"\n,")
        if text == b"]}":
            return
        whole = head + text.removesuffix(b"]}") + b"]}"
        yield from ox.parse(whole, format=ox.RdfFormat.JSON_LD, lenient=True)


def tree(lines: Iterable[str], root: str, language: str) -> Node:
    """A node with what it leads to inside it.

    What search engines read as text (addresses, dates, texts in `language`) is a bare string.
    """
    described: dict[str, Node] = {}
    for node in _nodes(lines):
        described.setdefault(node["@id"], {}).update(node)
    return {
        "@context": {"@vocab": str(SCHEMA), "@language": language},
        **_grown(described, plain(root), language, ()),
    }


def _grown(described: dict[str, Node], name: str, language: str, above: tuple[str, ...]) -> Node:
    if name not in described or name in above or len(above) > _DEPTH:
        return {"@id": name}

    def grow(value: Any) -> Any:
        if isinstance(value, list):
            return [grow(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "@id" not in value:
            return value["@value"] if value.get("@language", language) == language else value
        to: str = value["@id"]
        return _grown(described, to, language, (*above, name)) if to in described else to

    grown = {key: grow(value) for key, value in described[name].items()}
    if name.startswith("_:"):
        del grown["@id"]  # inside the tree nobody else points to it
    return grown


def _nodes(lines: Iterable[str]) -> Iterator[Node]:
    for subject, group in groupby(map(split_line, lines), key=lambda s: s.subject):
        node: dict[str, list[Any]] = {}
        for _, predicate, object_ in group:
            if predicate == TYPE:
                node.setdefault("@type", []).append(_short(object_))
            else:
                node.setdefault(_short(predicate), []).append(_value(object_))
        single = {key: held[0] if len(held) == 1 else held for key, held in node.items()}
        yield {"@id": plain(subject), **single}


def _short(term: str) -> str:
    iri = plain(term)
    for space, prefix in _SPACES.items():
        if iri.startswith(space):
            return prefix + iri.removeprefix(space)
    return iri


def _value(term: str) -> Any:
    if not term.startswith('"'):
        return {"@id": plain(term)}
    text, datatype, language = split_literal(term)
    if language:
        return {"@language": language, "@value": text}
    if datatype == XSD.boolean and text in _BOOLEANS:
        return _BOOLEANS[text]
    return text if datatype == XSD.string else {"@type": datatype, "@value": text}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
